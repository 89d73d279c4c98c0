import { generateKeyPairSync } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { type AddressInfo, createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import ssh2 from "ssh2";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { command } from "../../../../scripts/toolchain/plugins/command/provider.ts";
import type { Values } from "../../../../scripts/toolchain/plugins/resourceType.ts";
import { secret } from "../../../../scripts/toolchain/plugins/wire.ts";
import { Engine } from "./engine.ts";
import { eventually } from "./processes.ts";
import { keyPair, keys, type ServerOptions, SshServer } from "./sshServer.ts";

const remote = "command:remote:Command";
const servers: SshServer[] = [];
let engine: Engine;

async function server(options: ServerOptions = {}): Promise<SshServer> {
  const started = await SshServer.of({ authorized: keys.rsa, ...options });
  servers.push(started);
  return started;
}

function login({ port }: { readonly port: number }, more: Values = {}): Values {
  const limits = { dialErrorLimit: 0, perDialTimeout: 5 };
  return { host: "127.0.0.1", port, privateKey: keys.rsa.private, ...limits, ...more };
}

async function hello(connection: Values): Promise<unknown> {
  return (await engine.create(remote, { connection: secret(connection), create: "echo hello" })).state.stdout;
}

beforeAll(async () => {
  engine = await Engine.of(command);
});
afterAll(() => engine.stop());
beforeEach(() => {
  engine.logged.length = 0;
});
afterEach(() => {
  for (const started of servers.splice(0)) started.stop();
});

describe("the host key", () => {
  const hostKeys = [keys.rsa, keys.ecdsa, keys.ecdsa384, keys.ed25519];

  test.each(["rsa", "ecdsa", "ecdsa384", "ed25519"] as const)(
    "a given %s key is found among the server's several",
    async (kind) => {
      const target = await server({ hostKeys });
      expect(await hello(login(target, { hostKey: `${keys[kind].public} a comment\n` }))).toBe("hello");
      expect(await hello(login(target, { hostKey: `[127.0.0.1]:22 ${keys[kind].public}` }))).toBe("hello");
    },
  );

  test("a wrong one is refused before any login, told with both fingerprints, and not tried again", async () => {
    const target = await server({ hostKeys });
    const wrong = keyPair(generateKeyPairSync("ed25519").privateKey);
    await expect(hello(login(target, { hostKey: wrong.public, dialErrorLimit: 10 }))).rejects.toThrow(
      /ssh: handshake failed: ssh: host key mismatch: expected ssh-ed25519 SHA256:\S+, the server has ssh-ed25519 SHA256:/,
    );
    expect([target.made, target.attempts]).toEqual([1, []]);
  });

  test("a server without a key of that type is refused likewise", async () => {
    const target = await server({ hostKeys: [keys.ecdsa] });
    await expect(hello(login(target, { hostKey: keys.ed25519.public, dialErrorLimit: 10 }))).rejects.toThrow(
      /host key mismatch: .*the server has no key of that type/,
    );
    expect([target.made, target.attempts]).toEqual([1, []]);
  });

  test("none given: any is accepted", async () => {
    expect(await hello(login(await server()))).toBe("hello");
  });

  test.each([
    ["nonsense", /no key found/],
    ["ssh-rsa AAAAC3NzaC1lZDI1NTE5AAAAIA==", /says ssh-rsa and is something else/],
    ["ssh-dss AAAAB3NzaC1kc3MAAAAA", /ssh-dss are not implemented/],
  ])("%s is refused by Check", async (hostKey, why) => {
    const { failures } = await engine.check(remote, { connection: secret({ host: "a", hostKey }) });
    expect(failures.connection).toMatch(why);
  });
});

describe("logging in", () => {
  test("with a password, also where it is asked for by keyboard", async () => {
    const password = "pa55word";
    const without = { privateKey: null, password };
    expect(await hello(login(await server({ password }), without))).toBe("hello");
    expect(await hello(login(await server({ password, keyboard: true }), without))).toBe("hello");
  });

  test("the key comes before the password", async () => {
    const target = await server({ password: "pa55word" });
    expect(await hello(login(target, { password: "pa55word" }))).toBe("hello");
    expect(target.attempts).not.toContain("password");
  });

  test.each(["ed25519", "ecdsa", "rsa"] as const)(
    "with a %s key in PKCS#8, encrypted or not",
    async (kind) => {
      const target = await server({ authorized: keys[kind] });
      const { key } = keys[kind];
      const open = String(key.export({ type: "pkcs8", format: "pem" }));
      expect(await hello(login(target, { privateKey: open }))).toBe("hello");
      const passphrase = "open sesame";
      const closed = String(key.export({ type: "pkcs8", format: "pem", cipher: "aes-256-cbc", passphrase }));
      expect(await hello(login(target, { privateKey: closed, privateKeyPassword: passphrase }))).toBe(
        "hello",
      );
      await expect(hello(login(target, { privateKey: closed, privateKeyPassword: "wrong" }))).rejects.toThrow(
        /privateKey: ssh: cannot parse the PKCS#8 key/,
      );
    },
  );

  test("with a key that an agent has; one that is not there is named", async () => {
    const target = await server({ authorized: keys.ecdsa });
    const folder = mkdtempSync(join(tmpdir(), "understudy-agent-"));
    const agentSocketPath = join(folder, "agent");
    const agent = await agentWith(keys.ecdsa.private, agentSocketPath);
    expect(await hello(login(target, { privateKey: null, agentSocketPath }))).toBe("hello");
    agent.close();
    rmSync(folder, { recursive: true });
    await expect(hello(login(target, { privateKey: null, agentSocketPath }))).rejects.toThrow(
      /unable to authenticate, attempted methods \[none agent\].*\(Failed to connect to agent\)/,
    );
  });

  test("a key that cannot be read is told without its content, and nothing is dialled", async () => {
    const target = await server();
    const broken = keys.rsa.private.replace("RIVATE", "UBLIC").slice(0, 200);
    const failed = (await hello(login(target, { privateKey: broken })).catch((error) => error)) as Error;
    expect(failed.message).toMatch(/privateKey: ssh: /);
    expect(failed.message).not.toContain(broken.split("\n")[1]);
    expect(target.made).toBe(0);
  });

  test("one that is refused is tried again, as the official provider does", async () => {
    const target = await server();
    const refused = hello(login(target, { privateKey: keys.ecdsa.private, dialErrorLimit: 2 }));
    await expect(refused).rejects.toThrow(
      /after 2 failed attempts: ssh: handshake failed: ssh: unable to authenticate, attempted methods \[none publickey\]/,
    );
    expect(target.made).toBe(3);
    expect(engine.logged[0]?.message).toMatch(/^Dial 1\/2 failed: retrying/);
  });

  test("a server that starts late is reached", async () => {
    const { port } = await free();
    const reached = hello(login({ port }, { dialErrorLimit: 10 }));
    await eventually(() => engine.logged[0]);
    const late = createServer();
    const target = await server();
    // Stands in for the server at the port that was refused until now.
    late.on("connection", (socket) => {
      const behind = new (socket.constructor as typeof import("node:net").Socket)();
      behind.connect(target.port, "127.0.0.1");
      socket.pipe(behind).pipe(socket);
    });
    late.listen(port, "127.0.0.1");
    expect(await reached).toBe("hello");
    late.close();
  });

  test("a port that refuses is given up after dialErrorLimit", async () => {
    const started = Date.now();
    const { port } = await free();
    await expect(hello(login({ port }, { dialErrorLimit: 3 }))).rejects.toThrow(
      new RegExp(`after 3 failed attempts: dial tcp \\S+:${port}: connect ECONNREFUSED`),
    );
    expect(Date.now() - started).toBeGreaterThanOrEqual(450);
    expect(Date.now() - started).toBeLessThan(5000);
    expect(engine.logged).toHaveLength(3);
  });

  test("a server that never answers is given up after perDialTimeout", async () => {
    const silent = createServer(() => {}).listen(0, "127.0.0.1");
    await once(silent, "listening");
    const started = Date.now();
    const { port } = silent.address() as AddressInfo;
    await expect(hello(login({ port }, { dialErrorLimit: 1, perDialTimeout: 1 }))).rejects.toThrow(
      /after 1 failed attempts: ssh: handshake failed: i\/o timeout/,
    );
    expect(Date.now() - started).toBeLessThan(5000);
    silent.close();
  });

  test("cancelling ends the waiting for a server", async () => {
    const own = await Engine.of(command);
    const connection = secret(login(await free(), { dialErrorLimit: -1 }));
    const failed = expect(own.create(remote, { connection, create: "x" })).rejects.toThrow(
      /UNKNOWN: cancelled/,
    );
    await eventually(() => own.logged[2]);
    await own.cancel();
    await failed;
    own.stop();
  });
});

describe("a proxy", () => {
  test("forwards; each of the two has its own login and host key", async () => {
    const bastion = await server({ user: "jump", authorized: keys.ecdsa, hostKeys: [keys.ecdsa] });
    const target = await server();
    const proxy = login(bastion, {
      user: "jump",
      privateKey: keys.ecdsa.private,
      hostKey: keys.ecdsa.public,
    });
    expect(await hello(login(target, { hostKey: keys.ed25519.public, proxy }))).toBe("hello");
    expect(bastion.forwards).toEqual([`127.0.0.1:${target.port}`]);
    await eventually(() => (bastion.open.size + target.open.size === 0 ? true : undefined));
  });

  test("a wrong host key of either is refused", async () => {
    const [bastion, target] = [await server(), await server()];
    const wrong = { hostKey: keyPair(generateKeyPairSync("ed25519").privateKey).public };
    const direct = hello(login(target, { proxy: login(bastion, wrong) }));
    await expect(direct).rejects.toThrow(/proxy: ssh: handshake failed: ssh: host key mismatch/);
    expect([bastion.attempts, target.made]).toEqual([[], 0]);
    const behind = hello(login(target, { ...wrong, dialErrorLimit: 5, proxy: login(bastion) }));
    await expect(behind).rejects.toThrow(/proxy: ssh: handshake failed: ssh: host key mismatch/);
    expect([target.made, target.attempts]).toEqual([1, []]);
    await eventually(() => (bastion.open.size === 0 ? true : undefined));
  });

  test("a target that refuses is given up after dialErrorLimit, over one login at the proxy", async () => {
    const bastion = await server();
    const refused = hello(login(await free(), { dialErrorLimit: 2, proxy: login(bastion) }));
    await expect(refused).rejects.toThrow(/proxy: after 2 failed attempts: dial tcp /);
    expect([bastion.made, bastion.forwards.length]).toEqual([1, 3]);
  });
});

test("Check refuses what is not a connection, and properties that do not exist", async () => {
  const failures = async (connection: Values) =>
    (await engine.check(remote, { connection: secret(connection) })).failures;
  expect(await failures({})).toEqual({ connection: "host is required" });
  expect(await failures({ host: "a", dialErrorLimit: "many" })).toMatchObject({
    connection: "dialErrorLimit must be a number",
  });
  expect(Object.keys(await failures({ host: "a", proxyHost: "b" }))).toEqual(["connection.proxyHost"]);
  expect((await failures({ host: "a", proxy: { host: "b", proxy: {} } })).connection).toContain(
    "proxy.proxy",
  );
  expect(await failures({ host: "a", proxy: { host: "b", hostKey: keys.rsa.public } })).toEqual({});
  expect((await engine.check(remote, { create: "x" })).failures).toHaveProperty("connection");
});

/** A port at which nobody listens. */
async function free(): Promise<{ port: number }> {
  const probe = createServer().listen(0, "127.0.0.1");
  await once(probe, "listening");
  const { port } = probe.address() as AddressInfo;
  probe.close();
  return { port };
}

/** An agent with one key. */
async function agentWith(key: string, path: string): Promise<Server> {
  const parsed = [ssh2.utils.parseKey(key)].flat()[0];
  if (parsed === undefined || parsed instanceof Error) throw new Error("no key");
  const agent = createServer((socket) => {
    const protocol = new ssh2.AgentProtocol(false);
    protocol.on("identities", (request) => protocol.getIdentitiesReply(request, [parsed]));
    protocol.on("sign", (request, _key, data) => protocol.signReply(request, parsed.sign(data)));
    protocol.on("error", () => {});
    socket.on("error", () => {});
    socket.pipe(protocol).pipe(socket);
  }).listen(path);
  await once(agent, "listening");
  return agent;
}
