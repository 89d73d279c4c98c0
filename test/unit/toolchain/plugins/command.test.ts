import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { command } from "../../../../scripts/toolchain/plugins/command/provider.ts";
import { secret } from "../../../../scripts/toolchain/plugins/wire.ts";
import { Engine, urn } from "./engine.ts";
import { eventually, isRunning } from "./processes.ts";

const local = "command:local:Command";
let engine: Engine;
let folder: string;

beforeAll(async () => {
  engine = await Engine.of(command);
  folder = mkdtempSync(join(tmpdir(), "understudy-command-"));
});
afterAll(() => {
  engine.stop();
  rmSync(folder, { recursive: true });
});
beforeEach(() => {
  engine.logged.length = 0;
});

describe("command:local:Command", () => {
  test("create runs `create` and records what it printed, less one newline", async () => {
    const { id, state } = await engine.create(local, { create: "printf 'a\\nb\\n\\n'; printf 'c\\n' >&2" });
    expect(id).toMatch(/^thing[0-9a-f]{8}$/);
    expect(state).toMatchObject({ stdout: "a\nb\n", stderr: "c" });
  });

  test("without `create` it runs nothing", async () => {
    expect((await engine.create(local, { delete: "false" })).state).toMatchObject({ stdout: "", stderr: "" });
  });

  test("stdin, environment, directory and interpreter reach the command", async () => {
    const { state } = await engine.create(local, {
      create: 'echo "$(cat) $GREETING $(pwd) $0"',
      stdin: "typed",
      environment: { GREETING: "hello" },
      dir: folder,
      interpreter: ["/bin/bash", "-c"],
    });
    expect(state.stdout).toBe(`typed hello ${folder} /bin/bash`);
  });

  test("a command that does not read its stdin does not fail for it", async () => {
    const { state } = await engine.create(local, { create: "echo done", stdin: "x".repeat(1_000_000) });
    expect(state.stdout).toBe("done");
  });

  test("update runs `update`, or else `create` again", async () => {
    const { state } = await engine.create(local, { create: "echo made" });
    const updated = await engine.update(local, state, { create: "echo made", update: "echo changed" });
    expect(updated.stdout).toBe("changed");
    expect((await engine.update(local, state, { create: "echo again" })).stdout).toBe("again");
    expect((await engine.update(local, updated, { delete: "true" })).stdout).toBe("changed");
  });

  test("the previous output is in the environment of update and delete, unless told not to be", async () => {
    const script = `echo "[$PULUMI_COMMAND_STDOUT][$PULUMI_COMMAND_STDERR]"`;
    const { state } = await engine.create(local, { create: "echo out; echo err >&2" });
    expect((await engine.update(local, state, { create: script })).stdout).toBe("[out][err]");
    const without = { create: script, addPreviousOutputInEnv: false };
    expect((await engine.update(local, state, without)).stdout).toBe("[][]");
    const witness = join(folder, "deleted");
    await engine.delete(local, { ...state, delete: `echo "$PULUMI_COMMAND_STDOUT" > ${witness}` });
    expect(readFileSync(witness, "utf8")).toBe("out\n");
  });

  test("an output too long for an environment is left out, with a warning", async () => {
    const state = { create: "true", stdout: "x".repeat(200_000), stderr: "" };
    const updated = await engine.update(local, state, { create: 'echo "[$PULUMI_COMMAND_STDOUT]"' });
    expect(updated.stdout).toBe("[]");
    expect(engine.logged[0]).toMatchObject({ severity: 2, ephemeral: false });
  });

  test("at preview nothing runs; what the command will print is unknown", async () => {
    const witness = join(folder, "previewed");
    const inputs = { create: `touch ${witness}` };
    const created = await engine.create(local, inputs, true);
    expect(Object.keys(created.state).sort()).toEqual(["create", "stderr", "stdout"]);
    const updated = await engine.update(local, { ...inputs, stdout: "old", stderr: "" }, inputs, true);
    expect(updated.stdout).toBe(created.state.stdout);
    expect(existsSync(witness)).toBe(false);
  });

  test("a failure names how it ended, the command and all it printed; never what is secret", async () => {
    const failing = engine.create(local, {
      create: "cat; echo wrong >&2; exit 3",
      stdin: secret("hunter-2-hunter\n"),
    });
    await expect(failing).rejects.toMatchObject({
      details: 'exit status 3: running "cat; echo wrong >&2; exit 3":\n[secret]wrong\n',
    });
    await expect(engine.create(local, { create: "kill -9 $$" })).rejects.toThrow(/signal: SIGKILL/);
    await expect(engine.create(local, { create: "true", dir: "/no/such/folder" })).rejects.toThrow(/ENOENT/);
    await expect(engine.create(local, { create: "x", interpreter: ["/no/shell"] })).rejects.toThrow(/ENOENT/);
  });

  test("a secret input makes what is printed a secret", async () => {
    const { state } = await engine.create(local, { create: "cat", stdin: secret("hunter-2") });
    expect(state).toEqual({
      create: "cat",
      stdin: secret("hunter-2"),
      stdout: secret("hunter-2"),
      stderr: secret(""),
    });
  });

  test.each([
    [undefined, ["out", "err"]],
    ["stdoutAndStderr", ["out", "err"]],
    ["stdout", ["out"]],
    ["stderr", ["err"]],
    ["none", []],
  ])("with logging %s it shows %j, as it is printed", async (logging, lines) => {
    const create = "echo out; sleep 0.1; printf err >&2";
    await engine.create(local, logging === undefined ? { create } : { create, logging });
    expect(engine.logged.map(({ message }) => message)).toEqual(lines);
    expect(engine.logged.every((entry) => entry.urn === urn(local) && entry.ephemeral)).toBe(true);
  });

  test("long lines arrive whole", async () => {
    await engine.create(local, { create: "head -c 300000 /dev/zero | tr '\\0' x; echo; echo end" });
    expect(engine.logged.map(({ message }) => message.length)).toEqual([300_000, 3]);
  });

  test("refuses a kind of logging that does not exist, and assets by name", async () => {
    const { failures } = await engine.check(local, { logging: "some" });
    expect(failures).toEqual({ logging: "logging must be one of stdout, stderr, stdoutAndStderr, none" });
    expect(Object.keys((await engine.check(local, { assetPaths: ["*"] })).failures)).toEqual(["assetPaths"]);
  });

  test("triggers replace, anything else updates", async () => {
    const olds = { create: "a", delete: "b", triggers: [1, { x: 2 }] };
    expect((await engine.diff(local, olds, { ...olds, delete: "c" })).replaces).toEqual([]);
    expect((await engine.diff(local, olds, { ...olds, triggers: [1, { x: 3 }] })).replaces).toEqual([
      "triggers",
    ]);
  });
});

test("command:local:run runs and returns its arguments and what was printed", async () => {
  const { result } = await engine.invoke("command:local:run", { command: "cat; echo y >&2", stdin: "x" });
  expect(result).toEqual({ command: "cat; echo y >&2", stdin: "x", stdout: "x", stderr: "y" });
  await expect(engine.invoke("command:local:run", { command: "exit 4" })).rejects.toThrow(/exit status 4/);
});

test("cancelling stops what the command started", async () => {
  const own = await Engine.of(command);
  const witness = join(folder, "child");
  const running = own.create(local, { create: `sh -c 'echo $$ > ${witness}; exec sleep 60' & wait` });
  const failed = expect(running).rejects.toThrow(/^2 UNKNOWN: cancelled: running/);
  const child = await eventually(() => Number(readFileSync(witness, "utf8")) || undefined);
  await own.cancel();
  await failed;
  await eventually(() => (isRunning(child) ? undefined : true));
  own.stop();
});
