import { afterEach, describe, expect, test, vi } from "vitest";
import { connection, hostOf } from "../../../scripts/toolchain/plugins/docker/client.ts";
import { failure, redact } from "../../../scripts/toolchain/plugins/docker/failure.ts";
import { sshArguments } from "../../../scripts/toolchain/plugins/docker/sshDial.ts";

afterEach(() => vi.unstubAllEnvs());

describe("which engine", () => {
  test("the configured one, else that of DOCKER_HOST, else the usual socket", () => {
    vi.stubEnv("DOCKER_HOST", "");
    expect(hostOf({})).toBe("unix:///var/run/docker.sock");
    vi.stubEnv("DOCKER_HOST", "192.0.2.1:2375");
    expect(hostOf({})).toBe("tcp://192.0.2.1:2375");
    expect(hostOf({ host: "unix:///x" })).toBe("unix:///x");
  });

  test.each([
    ["unix:///x.sock", { socketPath: "/x.sock", host: undefined }],
    ["tcp://192.0.2.1", { protocol: "http", host: "192.0.2.1", port: "2375" }],
    ["https://192.0.2.1", { protocol: "https", port: "2376" }],
    ["ssh://me@192.0.2.1", { protocol: "http", host: "docker", socketPath: undefined }],
  ])("%s", async (host, expected) => {
    vi.stubEnv("DOCKER_CERT_PATH", "");
    expect(await connection({ host })).toMatchObject(expected);
  });

  test("with certificates it is TLS", async () => {
    const tls = { caMaterial: "a", certMaterial: "b", keyMaterial: "c" };
    const expected = { protocol: "https", ca: "a", cert: "b", key: "c", port: "2376" };
    expect(await connection({ host: "tcp://192.0.2.1", ...tls })).toMatchObject(expected);
  });

  test("another is refused", async () => {
    await expect(connection({ host: "npipe://x" })).rejects.toThrow(/is not one of/);
  });

  test("ssh is told the user, the port and the options, and nothing can pass for an option", () => {
    expect(sshArguments("ssh://me@192.0.2.1:2222", ["-i", "key"])).toEqual(
      "-T -o BatchMode=yes -i key -l me -p 2222 -- 192.0.2.1 docker system dial-stdio".split(" "),
    );
  });
});

describe("what went wrong", () => {
  const host = "unix:///x";
  const engineSays = (statusCode: number, message: string) =>
    Object.assign(new Error(`(HTTP code ${statusCode}) x - ${message}`), { statusCode, json: { message } });
  test.each<[unknown, RegExp]>([
    [Object.assign(new Error("x"), { code: "ENOENT" }), /no Docker engine answers at unix:\/\/\/x/],
    [Object.assign(new Error("x"), { code: "ECONNREFUSED" }), /connection refused/],
    [Object.assign(new Error("x"), { code: "EACCES" }), /group "docker"/],
    [
      Object.assign(new Error("spawn ssh ENOENT"), { code: "ENOENT", syscall: "spawn ssh" }),
      /needs the program "ssh"/,
    ],
    [
      engineSays(500, "driver failed: Bind for 127.0.0.1:5432 failed: port is already allocated"),
      /port 5432 on 127.0.0.1 is already in use/,
    ],
    [
      engineSays(500, "userland proxy: listen tcp4 0.0.0.0:80: bind: address already in use"),
      /port 80 on 0.0.0.0 is already in use/,
    ],
    [engineSays(403, "Address already in use"), /the address asked for is already in use on its network/],
    [engineSays(400, "no such thing"), /^Cannot do it: no such thing\.$/],
  ])("%s", (error, expected) => expect(failure(error, host, "do it").message).toMatch(expected));

  test("no value of the environment is quoted, longer ones first", () => {
    expect(redact("a s3cret-long, a s3cret", ["s3cret", "s3cret-long"])).toBe("a [hidden], a [hidden]");
    expect(failure(engineSays(400, "bad env P=s3cret"), host, "x", ["s3cret"]).message).not.toContain(
      "s3cret",
    );
  });
});
