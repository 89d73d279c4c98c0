import { describe, expect, test } from "vitest";
import { dialFailure, sudoFailure } from "../../../../components/hosts/machines/ssh/failure.ts";

const stop = { host: "db1", port: 2222, user: "op", hostKeys: [], keyFile: "/k/id" };

describe("no connection", () => {
  test.each<[raw: object, code: string, words: RegExp]>([
    [{ message: "connect ECONNREFUSED", code: "ECONNREFUSED" }, "E_SSH_UNREACHABLE", /listens on port 2222/],
    [{ message: "getaddrinfo", code: "ENOTFOUND" }, "E_SSH_UNREACHABLE", /no host named "db1"/],
    [{ message: "getaddrinfo", code: "EAI_AGAIN" }, "E_SSH_UNREACHABLE", /no name server answers/],
    [{ message: "connect", code: "EHOSTUNREACH" }, "E_SSH_UNREACHABLE", /EHOSTUNREACH/],
    [{ message: "Timed out", level: "client-timeout" }, "E_SSH_UNREACHABLE", /within 8 s/],
    [{ message: "Connection lost before handshake" }, "E_SSH_UNREACHABLE", /MaxStartups/],
    [{ message: "Handshake failed: no matching cipher" }, "E_SSH_UNREACHABLE", /no matching cipher/],
    [{ message: "All configured", level: "client-authentication" }, "E_SSH_AUTH", /the key in \/k\/id.* op/],
    [{ message: "Too many authentication failures", code: 2 }, "E_SSH_AUTH", /MaxAuthTries/],
    [
      { message: "connect ECONNREFUSED", code: "ECONNREFUSED", level: "agent" },
      "E_SSH_AUTH",
      /SSH_AUTH_SOCK/,
    ],
  ])("%j", (raw, code, words) => {
    const error = dialFailure(stop, raw as { message: string }, 8_000);
    expect(error.code).toBe(code);
    expect(error.message).toMatch(/^op@db1:2222: /);
    expect(error.message).toMatch(words);
  });
});

describe("sudo", () => {
  test.each<[said: string, why: string]>([
    ["sudo: a password is required\n", "asks for a password"],
    ["sudo: interactive authentication is required\n", "asks for a password"],
    [
      "sudo: a terminal is required to read the password; either use …\nsudo: a password is required",
      "password",
    ],
    ["sudo: sorry, you must have a tty to run sudo", "asks for a terminal"],
    ["op is not in the sudoers file.", "does not let it"],
    ["Sorry, user op is not allowed to execute '/usr/bin/sh' as root on db1.", "does not let it"],
    ["bash: line 1: sudo: command not found", "there is no sudo"],
    ["sh: 1: sudo: not found", "there is no sudo"],
    ["env: ‘sudo’: No such file or directory", "there is no sudo"],
  ])("%s", (said, why) => {
    const error = sudoFailure(stop, said);
    expect(error?.code).toBe("E_SUDO");
    expect(error?.message).toContain(why);
    expect(error?.message).toContain("op ALL=(ALL) NOPASSWD: ALL");
  });

  test.each(["", "sudo: unable to resolve host db1", "systemctl: command not found"])(
    "not its: %j",
    (said) => {
      expect(sudoFailure(stop, said)).toBeUndefined();
    },
  );
});
