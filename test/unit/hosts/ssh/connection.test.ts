import { generateKeyPairSync } from "node:crypto";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { asRoot, quoted } from "../../../../components/hosts/machines/ssh/connection.ts";
import { fingerprint } from "../../../../components/hosts/machines/ssh/hostKeys.ts";
import { openTcp } from "../../../../components/hosts/machines/ssh/tcp.ts";
import type { ServerOptions } from "../../toolchain/plugins/sshServer.ts";
import { keys } from "../../toolchain/plugins/sshServer.ts";
import { Bench, crowded, hostKey, Wire } from "./machine.ts";

let bench: Bench;

beforeEach(() => {
  bench = new Bench();
});

afterEach(async () => {
  await bench.end();
  vi.unstubAllEnvs();
});

async function failing(promise: Promise<unknown>): Promise<{ code: string; message: string }> {
  return await promise.then(
    () => Promise.reject(new Error("it went well")),
    (error) => error,
  );
}

/** Ends when it is told to; counts how many run at once. */
function held(): ServerOptions & { most: () => number; endAll: () => void } {
  const running = new Set<() => void>();
  let most = 0;
  return {
    onExec: (channel) => {
      running.add(() => {
        channel.exit(0);
        channel.end();
      });
      most = Math.max(most, running.size);
    },
    most: () => most,
    endAll: () => {
      for (const end of running) {
        running.delete(end);
        end();
      }
    },
  };
}

describe("a command", () => {
  test("its output, its exit, and what it was given", async () => {
    const server = await bench.server();
    const connection = await bench.pool().connection(bench.stop(server.port));
    const result = await connection.exec("cat; echo no >&2; exit 3", { stdin: "ä".repeat(100_000) });
    expect(result).toEqual({ stdout: "ä".repeat(100_000), stderr: "no\n", code: 3, signal: null });
    expect(await connection.exec("kill -9 $$")).toMatchObject({ code: null, signal: "SIGKILL" });
  });

  test("one that takes too long is given up, and its channel is free again", async () => {
    const server = await bench.server();
    const connection = await bench.pool().connection(bench.stop(server.port));
    const late = Array.from({ length: 8 }, () => failing(connection.exec("sleep 60", { timeoutMs: 200 })));
    for (const { code, message } of await Promise.all(late)) {
      expect(code).toBe("E_SSH_TIMEOUT");
      expect(message).toContain("`sleep 60` did not end within 0.2 s");
    }
    expect(await connection.exec("echo on")).toMatchObject({ stdout: "on\n" });
  });

  test("many at once are one TCP connection, and never more channels than sshd allows", async () => {
    const options = held();
    const server = await bench.server(options);
    const pool = bench.pool();
    const route = bench.stop(server.port);
    const done = Promise.all(
      Array.from({ length: 40 }, async () => (await pool.connection(route)).exec("true")),
    );
    const timer = setInterval(options.endAll, 5);
    await done;
    clearInterval(timer);
    expect(server.made).toBe(1);
    expect(server.attempts).toEqual(["publickey", "publickey"]);
    // How many were open at once is the machine's speed; that it was never more than these is ours.
    expect(options.most()).toBeGreaterThan(1);
    expect(options.most()).toBeLessThanOrEqual(8);
  });

  test("a channel stays open, and says how its program ended", async () => {
    const server = await bench.server();
    const connection = await bench.pool().connection(bench.stop(server.port));
    const program = await connection.channel("read line; echo got $line; exit 7");
    const answer = new Promise((resolve) => program.stdout.once("data", (data) => resolve(String(data))));
    program.stdin.write("it\n");
    expect(await answer).toBe("got it\n");
    expect(await program.ended).toBe("the connection ended (exit 7)");
  });
});

describe("the host's key", () => {
  test("one that is not known is shown, and nothing is sent", async () => {
    const server = await bench.server();
    const stop = bench.stop(server.port, { hostKeys: [], whyUnknown: "known_hosts has no key of it" });
    const { code, message } = await failing(bench.pool().connection(stop));
    expect(code).toBe("E_HOST_KEY");
    expect(message).toContain(`root@127.0.0.1:${server.port}: its host key is not known`);
    expect(message).toContain("(known_hosts has no key of it)");
    expect(message).toContain(fingerprint(hostKey.public));
    expect(message).toContain(`ssh-keyscan -p ${server.port} 127.0.0.1`);
    expect(server.attempts).toEqual([]);
  });

  test.each(["ed25519", "rsa"] as const)("a wrong one of type %s names both", async (type) => {
    const server = await bench.server({ hostKeys: [keys.ecdsa] });
    const stop = bench.stop(server.port, { hostKeys: [keys[type].public] });
    const { code, message } = await failing(bench.pool().connection(stop));
    expect(code).toBe("E_HOST_KEY");
    expect(message).toContain(`expected ${fingerprint(keys[type].public)}`);
    expect(message).toContain(`shown ${fingerprint(keys.ecdsa.public)}`);
    expect(server.attempts).toEqual([]);
  });

  test.each(["ed25519", "rsa", "ecdsa384"] as const)("of a host with several, %s is known", async (type) => {
    const server = await bench.server({ hostKeys: [keys.ed25519, keys.rsa, keys.ecdsa, keys.ecdsa384] });
    const stop = bench.stop(server.port, { hostKeys: [keys[type].public] });
    const connection = await bench.pool().connection(stop);
    expect(await connection.exec("true")).toMatchObject({ code: 0 });
  });
});

describe("our key", () => {
  test("one that is not accepted: whose, where from, and nothing of what is in it", async () => {
    const server = await bench.server({ authorized: keys.rsa });
    const stop = bench.stop(server.port);
    const { code, message } = await failing(bench.pool().connection(stop));
    expect(code).toBe("E_SSH_AUTH");
    expect(message).toContain(`does not accept the key in ${stop.keyFile} for the user root`);
    expect(message).not.toContain("PRIVATE");
  });

  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const locked = { format: "pem", cipher: "aes-128-cbc", passphrase: "hunter2" } as const;
  test.each<[what: string, content: string, words: string]>([
    ["encrypted PEM", String(privateKey.export({ type: "pkcs1", ...locked })), "is encrypted"],
    ["encrypted PKCS#8", String(privateKey.export({ type: "pkcs8", ...locked })), "is encrypted"],
    ["a public key", keys.ed25519.public, "holds a public key"],
    ["something else", "hunter2", "holds no private key"],
    ["nothing", "", "holds no private key"],
  ])("a key file with %s", async (_, content, words) => {
    const server = await bench.server();
    const keyFile = bench.keyFile("other", content);
    const { code, message } = await failing(bench.pool().connection(bench.stop(server.port, { keyFile })));
    expect(code).toBe("E_SSH_AUTH");
    expect(message).toContain(`the key file ${keyFile} ${words}`);
    expect(message).not.toContain("hunter2");
    expect(server.made).toBe(0);
  });

  test("a key file that is not there", async () => {
    const stop = bench.stop(22, { keyFile: "/nowhere/id" });
    const { message } = await failing(bench.pool().connection(stop));
    expect(message).toContain("the key file /nowhere/id is not there");
  });

  test.each([
    ["", "no agent at SSH_AUTH_SOCK"],
    ["/nowhere/agent", "the agent at SSH_AUTH_SOCK cannot be used"],
  ])("without a key file and with the agent %j", async (socket, words) => {
    vi.stubEnv("SSH_AUTH_SOCK", socket);
    const server = await bench.server();
    const { keyFile: _, ...stop } = bench.stop(server.port);
    const { code, message } = await failing(bench.pool().connection(stop));
    expect(code).toBe("E_SSH_AUTH");
    expect(message).toContain(words);
  });
});

describe("a host that cannot be reached", () => {
  test("nothing listens", async () => {
    const port = await bench.port(() => undefined);
    await bench.end();
    bench = new Bench();
    const { code, message } = await failing(bench.pool().connection(bench.stop(port)));
    expect(code).toBe("E_SSH_UNREACHABLE");
    expect(message).toContain(`nothing listens on port ${port}`);
  });

  test("what listens says nothing", async () => {
    const port = await bench.port(() => undefined);
    const { message } = await failing(bench.pool({ connectMs: 200 }).connection(bench.stop(port)));
    expect(message).toContain("no SSH server answered within 0.2 s");
  });

  test("whoever closes the pool does not wait for it", async () => {
    const port = await bench.port(() => undefined);
    const pool = bench.pool();
    const dialled = failing(pool.connection(bench.stop(port)));
    await new Promise((resolve) => setTimeout(resolve, 100));
    const began = performance.now();
    await pool.close();
    expect(performance.now() - began).toBeLessThan(1_000);
    expect(await dialled).toMatchObject({ code: "E_SSH_UNREACHABLE" });
  });

  test("a first packet that is lost is not waited for until it is sent again", async () => {
    // A queue of one that is full: the kernel drops who comes, until it is emptied.
    const crowd = await crowded(300);
    const began = performance.now();
    const socket = await openTcp("127.0.0.1", crowd.port, 5_000);
    expect(performance.now() - began).toBeGreaterThan(250);
    expect(performance.now() - began).toBeLessThan(950);
    socket.destroy();
    await crowd.end();
  });

  test("a host that never answers is given up at the limit", async () => {
    const crowd = await crowded(60_000);
    const began = performance.now();
    const { message } = await failing(bench.pool({ tcpMs: 700 }).connection(bench.stop(crowd.port)));
    expect(message).toContain("no SSH server answered within 0.7 s");
    expect(performance.now() - began).toBeLessThan(2_000);
    await crowd.end();
  });

  test("a server that drops some of those who come is asked again", async () => {
    const server = await bench.server();
    const wire = new Wire();
    const port = await bench.port((socket, count) => {
      if (count < 3) socket.end();
      else wire.join(socket, server.port);
    });
    const connection = await bench.pool().connection(bench.stop(port));
    expect(await connection.exec("true")).toMatchObject({ code: 0 });
  });

  test("one that drops everybody is given up", async () => {
    const port = await bench.port((socket) => socket.end());
    const { code, message } = await failing(bench.pool().connection(bench.stop(port)));
    expect(code).toBe("E_SSH_UNREACHABLE");
    expect(message).toContain("MaxStartups");
  });
});

describe("a connection that is cut", () => {
  test("by the host: all that goes on ends at once, and the next who asks gets a new one", async () => {
    const server = await bench.server();
    const pool = bench.pool();
    const route = bench.stop(server.port);
    const connection = await pool.connection(route);
    const program = await connection.channel("cat");
    program.stdout.resume();
    const running = failing(connection.exec("echo begun; sleep 60"));
    await vi.waitFor(() => expect(server.running.size).toBe(2));
    for (const open of server.open) open.end();
    expect(await running).toMatchObject({ code: "E_SSH_CUT" });
    expect(await program.ended).toContain("the SSH connection was cut");
    expect(await failing(connection.exec("true"))).toMatchObject({ code: "E_SSH_CUT" });
    expect(await (await pool.connection(route)).exec("true")).toMatchObject({ code: 0 });
    expect(server.made).toBe(2);
  });

  test("by silence", async () => {
    const server = await bench.server();
    const wire = new Wire();
    const port = await bench.port((socket) => wire.join(socket, server.port));
    const connection = await bench.pool({ keepaliveMs: 100 }).connection(bench.stop(port));
    const program = await connection.channel("cat");
    program.stdout.resume();
    const began = performance.now();
    wire.goes();
    const { code, message } = await failing(connection.exec("true"));
    expect(code).toBe("E_SSH_CUT");
    expect(message).toContain("the SSH connection was cut: the host does not answer");
    expect(await program.ended).toContain("does not answer any more");
    expect(performance.now() - began).toBeLessThan(2_000);
  });

  test("a session that somebody closes while the network is gone does not hold him up", async () => {
    const server = await bench.server();
    const wire = new Wire();
    const port = await bench.port((socket) => wire.join(socket, server.port));
    const pool = bench.pool();
    const program = await (await pool.connection(bench.stop(port))).channel("cat");
    wire.goes();
    const began = performance.now();
    program.stop();
    await program.ended;
    await pool.close();
    expect(performance.now() - began).toBeLessThan(4_000);
  });
});

describe("through another host", () => {
  test("one connection to it, however many are behind it", async () => {
    const [gate, one, two] = [await bench.server(), await bench.server(), await bench.server()];
    const pool = bench.pool();
    const jump = bench.stop(gate.port);
    const results = [one, two, one].map(async ({ port }) => {
      const connection = await pool.connection({ ...bench.stop(port), jump });
      return (await connection.exec("echo here")).stdout;
    });
    expect(await Promise.all(results)).toEqual(["here\n", "here\n", "here\n"]);
    expect([gate.made, one.made, two.made]).toEqual([1, 1, 1]);
    expect(gate.forwards.toSorted()).toEqual([`127.0.0.1:${one.port}`, `127.0.0.1:${two.port}`].toSorted());
  });

  test("the host behind it proves itself, too", async () => {
    const [gate, behind] = [await bench.server(), await bench.server({ hostKeys: [keys.rsa] })];
    const jump = bench.stop(gate.port);
    const { code, message } = await failing(bench.pool().connection({ ...bench.stop(behind.port), jump }));
    expect(code).toBe("E_HOST_KEY");
    expect(message).toContain(`127.0.0.1:${behind.port}`);
    expect(behind.attempts).toEqual([]);
  });

  test("it cannot get there", async () => {
    const gate = await bench.server();
    const nothing = await bench.port(() => undefined);
    const jump = bench.stop(gate.port);
    const pool = bench.pool({ connectMs: 300 });
    const silent = await failing(pool.connection({ ...bench.stop(nothing), jump }));
    expect(silent).toMatchObject({ code: "E_SSH_UNREACHABLE" });
    expect(silent.message).toContain("within 0.3 s");
    const refused = await failing(pool.connection({ ...bench.stop(1), jump }));
    expect(refused.message).toMatch(
      new RegExp(`^root@127.0.0.1:${gate.port}: it cannot get to 127.0.0.1:1 `),
    );
    expect(gate.made).toBe(1);
  });

  test("it is cut off", async () => {
    const [gate, behind] = [await bench.server(), await bench.server()];
    const pool = bench.pool();
    const jump = bench.stop(gate.port);
    const connection = await pool.connection({ ...bench.stop(behind.port), jump });
    const running = failing(connection.exec("sleep 60"));
    await vi.waitFor(() => expect(behind.running.size).toBe(1));
    for (const open of gate.open) open.end();
    const { code, message } = await running;
    expect(code).toBe("E_SSH_CUT");
    expect(message).toContain(`through root@127.0.0.1:${gate.port}`);
  });
});

describe("a command for root", () => {
  const op = { host: "h", port: 22, user: "op", hostKeys: [] };
  test.each([
    ["root", "a; b", "a; b"],
    [
      "op",
      "systemctl show -p A,B x.service",
      "env LC_ALL=C.UTF-8 sudo -n -- systemctl show -p A,B x.service",
    ],
    ["op", "a; b", "env LC_ALL=C.UTF-8 sudo -n -- sh -c 'a; b'"],
    ["op", "echo 'x'", "env LC_ALL=C.UTF-8 sudo -n -- sh -c 'echo '\\''x'\\'''"],
    ["op", "A=b c", "env LC_ALL=C.UTF-8 sudo -n -- sh -c 'A=b c'"],
  ])("as %s: %s", (user, command, expected) => {
    expect(asRoot({ ...op, user }, command)).toBe(expected);
  });

  test("a word is a word", async () => {
    const server = await bench.server();
    const connection = await bench.pool().connection(bench.stop(server.port));
    const word = "it's $HOME `ls` \\ \"\n!*";
    expect(await connection.exec(`printf %s ${quoted(word)}`)).toMatchObject({ stdout: word });
  });
});
