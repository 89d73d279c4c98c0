import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { command } from "../../../../scripts/toolchain/plugins/command/provider.ts";
import type { Value, Values } from "../../../../scripts/toolchain/plugins/resourceType.ts";
import { secret } from "../../../../scripts/toolchain/plugins/wire.ts";
import { Engine } from "./engine.ts";
import { eventually, isRunning } from "./processes.ts";
import { keys, type ServerOptions, SshServer } from "./sshServer.ts";

const remote = "command:remote:Command";
const servers: SshServer[] = [];
let engine: Engine;
let folder: string;

async function server(options: ServerOptions = {}): Promise<SshServer> {
  const started = await SshServer.of({ authorized: keys.rsa, ...options });
  servers.push(started);
  return started;
}

function connection({ port }: SshServer, more: Values = {}): Value {
  return secret({
    host: "127.0.0.1",
    port,
    user: "root",
    privateKey: keys.rsa.private,
    hostKey: keys.ed25519.public,
    dialErrorLimit: 0,
    perDialTimeout: 5,
    ...more,
  });
}

beforeAll(async () => {
  engine = await Engine.of(command);
  folder = mkdtempSync(join(tmpdir(), "understudy-remote-"));
});
afterAll(() => {
  engine.stop();
  rmSync(folder, { recursive: true });
});
beforeEach(() => {
  engine.logged.length = 0;
});
afterEach(() => {
  for (const started of servers.splice(0)) started.stop();
});

describe("command:remote:Command", () => {
  test("create runs `create` there, records what it printed, and leaves no connection", async () => {
    const target = await server();
    const inputs = { connection: connection(target), create: "printf 'a\\nb\\n\\n'; printf 'c\\n' >&2" };
    const { id, state } = await engine.create(remote, inputs);
    expect(id).toMatch(/^thing[0-9a-f]{8}$/);
    expect(state).toEqual({ ...inputs, stdout: "a\nb\n", stderr: "c" });
    expect(target.made).toBe(1);
    await eventually(() => (target.open.size === 0 ? true : undefined));
  });

  test("without `create` it connects to nothing", async () => {
    const inputs = { connection: secret({ host: "127.0.0.1", port: 1 }), delete: "false" };
    expect((await engine.create(remote, inputs)).state).toMatchObject({ stdout: "", stderr: "" });
  });

  test("a connection that is given in the open is recorded as a secret", async () => {
    const { state } = await engine.create(remote, { connection: { host: "127.0.0.1" } });
    expect(state.connection).toEqual(secret({ host: "127.0.0.1" }));
  });

  test("update runs `update`, or else `create` again; delete what was recorded", async () => {
    const shared = { connection: connection(await server()) };
    const { state } = await engine.create(remote, { ...shared, create: "echo made" });
    const updated = await engine.update(remote, state, { ...shared, create: "false", update: "echo new" });
    expect(updated.stdout).toBe("new");
    expect((await engine.update(remote, state, { ...shared, create: "echo again" })).stdout).toBe("again");
    expect((await engine.update(remote, updated, { ...shared, delete: "true" })).stdout).toBe("new");
    const witness = join(folder, "deleted");
    await engine.delete(remote, { ...updated, delete: `echo gone > ${witness}` });
    expect(readFileSync(witness, "utf8")).toBe("gone\n");
  });

  test("at preview nothing is dialled; what the command will print is unknown", async () => {
    const target = await server();
    const inputs = { connection: connection(target), create: "true" };
    const created = await engine.create(remote, inputs, true);
    expect(Object.keys(created.state).sort()).toEqual(["connection", "create", "stderr", "stdout"]);
    const updated = await engine.update(remote, { ...inputs, stdout: "old", stderr: "" }, inputs, true);
    expect(updated.stdout).toBe(created.state.stdout);
    expect(target.made).toBe(0);
  });

  test("triggers replace; anything else, a new key included, updates", async () => {
    const olds = { connection: connection(await server()), create: "a", triggers: [1] };
    const rotated = { ...olds, connection: secret({ host: "127.0.0.1", privateKey: "new" }) };
    expect((await engine.diff(remote, olds, rotated)).replaces).toEqual([]);
    expect((await engine.diff(remote, olds, rotated)).changes).not.toBe(1);
    expect((await engine.diff(remote, olds, { ...olds, triggers: [2] })).replaces).toEqual(["triggers"]);
  });

  test("stdin of some megabytes arrives whole; a command that does not read it does not fail", async () => {
    const shared = { connection: connection(await server()), stdin: `${"0123456789abcdef".repeat(200_000)}` };
    const counted = await engine.create(remote, { ...shared, create: "sleep 0.3; wc -c; echo end" });
    expect(counted.state.stdout).toBe(`${16 * 200_000}\nend`);
    expect((await engine.create(remote, { ...shared, create: "echo done" })).state.stdout).toBe("done");
  });

  test("output of some megabytes arrives whole and in order, on both streams", async () => {
    const lines = "i=0; while [ $i -lt 60000 ]; do echo line-$i-0123456789; i=$((i+1)); done";
    const { state } = await engine.create(remote, {
      connection: connection(await server()),
      create: `${lines}; (${lines}) >&2`,
      logging: "none",
    });
    const expected = Array.from({ length: 60_000 }, (_, index) => `line-${index}-0123456789`).join("\n");
    expect(state.stdout === expected).toBe(true);
    expect(state.stderr === expected).toBe(true);
    expect(engine.logged).toEqual([]);
  });

  test.each([
    ["exit 3", "Process exited with status 3"],
    ["kill -9 $$", "Process exited with status 137 from signal KILL"],
  ])("`%s` is reported as %s", async (how, said) => {
    const create = `echo wrong >&2; ${how}`;
    const failing = engine.create(remote, { connection: connection(await server()), create });
    await expect(failing).rejects.toMatchObject({
      details: `${said}: running ${JSON.stringify(create)}:\nwrong\n`,
    });
  });

  test("a failure never shows the private key, a password or stdin, even where the command prints them", async () => {
    const target = await server({ password: "pa55word-of-root" });
    const login = { privateKey: keys.rsa.private, password: "pa55word-of-root" };
    const failing = engine.create(remote, {
      connection: connection(target, login),
      create: "cat; exit 1",
      stdin: `stdin-in-the-open\npa55word-of-root\n${keys.rsa.private}`,
    });
    const { details } = (await failing.catch((error: unknown) => error)) as { details: string };
    expect(details).toMatch(/^Process exited with status 1: running "cat; exit 1":\n\[secret\]/);
    for (const hidden of ["pa55word", "stdin-in", ...keys.rsa.private.trim().split("\n")]) {
      expect(details).not.toContain(hidden);
    }
  });

  test("what is printed is a secret only if the program says so", async () => {
    const { state } = await engine.create(remote, { connection: connection(await server()), create: "pwd" });
    expect(typeof state.stdout).toBe("string");
  });

  test("it shows what is printed, as `logging` says", async () => {
    const inputs = {
      connection: connection(await server()),
      create: "echo out; echo err >&2",
      logging: "stderr",
    };
    await engine.create(remote, inputs);
    expect(engine.logged.map(({ message }) => message)).toEqual(["err"]);
  });

  test("a variable that the server refuses fails the command before it runs", async () => {
    const witness = join(folder, "refused");
    const inputs = {
      connection: connection(await server({ acceptEnv: ["GOOD"] })),
      create: `touch ${witness}`,
    };
    await expect(engine.create(remote, { ...inputs, environment: { GOOD: "1", BAD: "2" } })).rejects.toThrow(
      /could not set environment variable "BAD": ssh: setenv failed/,
    );
    expect(existsSync(witness)).toBe(false);
    const accepted = { ...inputs, create: 'echo "$GOOD"', environment: { GOOD: "1" } };
    expect((await engine.create(remote, accepted)).state.stdout).toBe("1");
  });

  test("the previous output is in the environment, where the server accepts it; else there is a warning", async () => {
    const create = 'echo "[$PULUMI_COMMAND_STDOUT]"';
    const olds = { create, stdout: "before", stderr: "" };
    const accepting = await server({ acceptEnv: ["PULUMI_COMMAND_STDOUT"] });
    const updated = await engine.update(remote, olds, { connection: connection(accepting), create });
    expect(updated.stdout).toBe("[before]");
    const refusing = { connection: connection(await server()), create };
    engine.logged.length = 0;
    expect((await engine.update(remote, olds, refusing)).stdout).toBe("[]");
    expect(engine.logged[0]).toMatchObject({ severity: 2, ephemeral: false });
    expect(engine.logged[0]?.message).toContain("Unable to set 'PULUMI_COMMAND_STDOUT'");
    engine.logged.length = 0;
    await engine.update(remote, olds, { ...refusing, addPreviousOutputInEnv: false });
    expect(engine.logged.filter(({ severity }) => severity === 2)).toEqual([]);
  });

  test("a connection that is cut in the middle is an error", async () => {
    const target = await server({
      onExec: (channel, client) => channel.write("half\n", () => client.end()),
    });
    const cut = engine.create(remote, { connection: connection(target), create: "x" });
    await expect(cut).rejects.toThrow(
      /wait: remote command exited without exit status or exit signal.*: running "x":\nhalf/,
    );
  });

  test("cancelling ends the command, the channel and the connection", async () => {
    const own = await Engine.of(command);
    const target = await server();
    const witness = join(folder, "child");
    const create = `echo $$ > ${witness}; exec sleep 60`;
    // More than the server takes: once it has had all of its stdin, this library's server hears no signal.
    const inputs = { connection: connection(target), create, stdin: "x".repeat(8_000_000) };
    const failed = expect(own.create(remote, inputs)).rejects.toThrow(/^2 UNKNOWN: cancelled: running/);
    const child = await eventually(() => Number(readFileSync(witness, "utf8")) || undefined);
    await own.cancel();
    await failed;
    await eventually(() => (isRunning(child) ? undefined : true));
    await eventually(() => (target.open.size === 0 ? true : undefined));
    own.stop();
  });
});
