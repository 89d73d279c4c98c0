import { createHmac } from "node:crypto";
import { describe, expect, test } from "vitest";
import {
  byPreference,
  fingerprint,
  hostKeyAlgorithms,
} from "../../../../components/hosts/machines/ssh/hostKeys.ts";
import { routeOf } from "../../../../components/hosts/machines/ssh/route.ts";
import type { SshTarget } from "../../../../components/spec/model.ts";
import { keys } from "../../toolchain/plugins/sshServer.ts";

const { ed25519, ecdsa, rsa } = keys;
const target: SshTarget = {
  host: "db1.example",
  port: 22,
  user: "root",
  keyFile: undefined,
  hostKey: undefined,
  knownHostsFile: "~/.ssh/known_hosts",
  jump: undefined,
};

function routed(knownHosts: string | undefined, change: Partial<SshTarget> = {}) {
  const readFile = (path: string) => (path === "/home/me/.ssh/known_hosts" ? knownHosts : undefined);
  return routeOf({ ...target, ...change }, { home: "/home/me", secretKeyFile: undefined, readFile });
}

function hashed(name: string): string {
  const salt = Buffer.from("0123456789abcdefghij");
  const hash = createHmac("sha1", salt).update(name).digest("base64");
  return `|1|${salt.toString("base64")}|${hash}`;
}

describe("the keys that known_hosts has", () => {
  const one = [ed25519.public];
  test.each<[what: string, line: string, change: Partial<SshTarget>, keys: readonly string[]]>([
    ["by name", `db1.example ${ed25519.public} root@db1`, {}, one],
    ["with tabs and spaces", `  db1.example\t${ed25519.public}`, {}, one],
    ["a name in capitals", `db1.example ${ed25519.public}`, { host: "DB1.Example" }, one],
    ["among others", `db1,db1.example,10.0.0.5 ${ed25519.public}`, {}, one],
    ["another host's", `db2.example ${ed25519.public}`, {}, []],
    ["of a host whose name ours is part of", `xdb1.example,db1.example.org ${ed25519.public}`, {}, []],
    ["a comment", `# db1.example ${ed25519.public}`, {}, []],
    ["a port of its own", `[db1.example]:2222 ${ed25519.public}`, { port: 2222 }, one],
    ["another port's", `[db1.example]:2222 ${ed25519.public}`, {}, []],
    ["without the port, as ssh does", `db1.example ${ed25519.public}`, { port: 2222 }, one],
    ["hashed", `${hashed("db1.example")} ${ed25519.public}`, {}, one],
    ["hashed, with a port", `${hashed("[db1.example]:2222")} ${ed25519.public}`, { port: 2222 }, one],
    ["hashed, another's", `${hashed("db2.example")} ${ed25519.public}`, {}, []],
    ["hashed in a way that is not known", `|2|AAAA|AAAA ${ed25519.public}`, {}, []],
    ["a pattern", `*.example ${ed25519.public}`, {}, one],
    ["a pattern of one letter", `db?.example ${ed25519.public}`, {}, one],
    ["a dot is a dot", `db1xexample ${ed25519.public}`, {}, []],
    ["a pattern that says no", `*.example,!db1.example ${ed25519.public}`, {}, []],
    ["a pattern that says no to another", `*.example,!db2.example ${ed25519.public}`, {}, one],
    ["no, before yes", `!db1.example,* ${ed25519.public}`, {}, []],
    ["an IPv6 address", `2001:db8::5 ${ed25519.public}`, { host: "2001:db8::5" }, one],
    ["revoked", `db1.example ${ed25519.public}\n@revoked * ${ed25519.public}`, {}, []],
    ["revoked for another", `db1.example ${ed25519.public}\n@revoked db2.* ${ed25519.public}`, {}, one],
    [
      "revoked by name, with a port",
      `[db1.example]:2222 ${ed25519.public}\n@revoked db1.example ${ed25519.public}`,
      { port: 2222 },
      [],
    ],
    ["an authority's", `@cert-authority *.example ${ed25519.public}`, {}, []],
    ["something that is no key", "db1.example ssh-ed25519 AAAA", {}, []],
    ["a key that says it is of another type", `db1.example ssh-rsa ${ed25519.public.split(" ")[1]}`, {}, []],
    [
      "several, the best first, each once",
      [rsa, ecdsa, ed25519, rsa].map((pair) => `db1.example ${pair.public}`).join("\n"),
      {},
      [ed25519.public, ecdsa.public, rsa.public],
    ],
  ])("%s", (_, text, change, expected) => {
    expect(routed(text, change).hostKeys).toEqual(expected);
  });
});

describe("a host that is not known", () => {
  test.each<[text: string | undefined, change: Partial<SshTarget>, why: string]>([
    [undefined, {}, "~/.ssh/known_hosts cannot be read"],
    ["", {}, "~/.ssh/known_hosts has no key of db1.example"],
    ["", { port: 2222 }, "~/.ssh/known_hosts has no key of [db1.example]:2222"],
    [
      `@cert-authority * ${ed25519.public}`,
      {},
      "~/.ssh/known_hosts names only a certificate authority for db1.example, and certificates of hosts are not supported",
    ],
    [`@revoked * ${ed25519.public}`, {}, "~/.ssh/known_hosts revokes what it has of db1.example"],
    ["", { hostKey: "ssh-ed25519 tomorrow" }, "`hostKey` is no public key, such as `ssh-ed25519 AAAA…`"],
    [
      `@revoked * ${ed25519.public}`,
      { hostKey: ed25519.public },
      "~/.ssh/known_hosts revokes the `hostKey` given",
    ],
  ])("%j %j", (text, change, why) => {
    expect(routed(text, change)).toMatchObject({ hostKeys: [], whyUnknown: why });
  });

  test("a file that may not be read", () => {
    const readFile = () => {
      throw new Error("EACCES");
    };
    const route = routeOf(target, { home: "/home/me", secretKeyFile: undefined, readFile });
    expect(route).toMatchObject({ hostKeys: [], whyUnknown: "~/.ssh/known_hosts cannot be read" });
  });
});

describe("a route", () => {
  test("the key that is given, and nothing of what known_hosts says", () => {
    const route = routed(`db1.example ${rsa.public}`, { hostKey: `${ed25519.public} root@db1` });
    expect(route).toEqual({ host: "db1.example", port: 22, user: "root", hostKeys: [ed25519.public] });
  });

  test.each<[keyFile: string | undefined, secret: string | undefined, expected: string | undefined]>([
    [undefined, undefined, undefined],
    [undefined, "/w/.understudy/demo/ssh-key", "/w/.understudy/demo/ssh-key"],
    ["~/.ssh/id", "/w/.understudy/demo/ssh-key", "/home/me/.ssh/id"],
    ["/etc/id~", undefined, "/etc/id~"],
    ["~other/id", undefined, "~other/id"],
  ])("key file %s, secret %s", (keyFile, secretKeyFile, expected) => {
    const edge = { home: "/home/me", secretKeyFile, readFile: () => "" };
    expect(routeOf({ ...target, keyFile }, edge).keyFile).toBe(expected);
  });

  test("a jump host has a route of its own", () => {
    const { jump: _, ...hop } = target;
    const text = `gate.example ${ecdsa.public}\ndb1.example ${ed25519.public}`;
    const route = routed(text, { jump: { ...hop, host: "gate.example", keyFile: "~/gate" } });
    expect(route).toMatchObject({
      hostKeys: [ed25519.public],
      jump: { host: "gate.example", hostKeys: [ecdsa.public], keyFile: "/home/me/gate" },
    });
  });
});

describe("keys", () => {
  test("a fingerprint as ssh-keygen prints it", () => {
    const key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIB4ssBOQ5OcfzY6p85UzJfFbmTZLq+wz6IVACQWFQtjl";
    expect(fingerprint(key)).toBe("ssh-ed25519 SHA256:3RCObv6OlogL7ql+Gqu+NVS1nNaKcHIDCrFkerycoUM");
  });

  test("what is known is asked for first, and SHA-1 never", () => {
    const algorithms = hostKeyAlgorithms([rsa.public]);
    expect(algorithms.slice(0, 3)).toEqual(["rsa-sha2-512", "rsa-sha2-256", "ssh-ed25519"]);
    expect(algorithms).not.toContain("ssh-rsa");
    expect(hostKeyAlgorithms([])).toHaveLength(algorithms.length);
  });

  test("the order does not depend on the file's", () => {
    const all = [rsa.public, ed25519.public, ecdsa.public];
    expect(byPreference(all)).toEqual(byPreference([...all].reverse()));
  });
});
