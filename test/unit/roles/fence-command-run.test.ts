/** The fence command as a process: its end, its limit, what it leaves running, and what may be shown of it. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { runCommand, succeeded } from "../../../components/roles/act/fenceCommand.ts";
import { lastLines, OutputTail, withoutSecrets } from "../../../components/roles/act/printed.ts";

let directory: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), "understudy-fence-"));
});
afterAll(() => {
  rmSync(directory, { recursive: true });
});

const run = (...command: string[]) => runCommand({ command, timeoutSeconds: 10 });
const late = (...command: string[]) => runCommand({ command, timeoutSeconds: 0.3, graceMs: 300 });
const shell = (script: string) => ["sh", "-c", script];

function alive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    // One that is dead and that nobody has waited for yet.
    return !readFileSync(`/proc/${pid}/stat`, "utf8").includes(") Z ");
  } catch {
    return false;
  }
}

describe("it ends", () => {
  test("with 0: that is the proof", async () => {
    const ended = await run("true");
    expect(ended).toMatchObject({ exitCode: 0, timedOut: false, ending: "exit code 0", printed: [] });
    expect(succeeded(ended)).toBe(true);
    expect(Date.parse(ended.at)).toBeLessThanOrEqual(Date.now());
  });

  test("with another code", async () => {
    expect(succeeded(await run("false"))).toBe(false);
    expect(await run(...shell("echo out; echo err >&2; exit 3"))).toMatchObject({
      exitCode: 3,
      ending: "exit code 3",
      printed: ["out", "err"],
    });
  });

  test("by a signal", async () => {
    const ended = await run(...shell("kill -9 $$"));
    expect(ended).toMatchObject({ exitCode: null, ending: "ended by SIGKILL" });
    expect(succeeded(ended)).toBe(false);
  });

  test.each([
    ["/nowhere/ipmitool", 'there is no program "/nowhere/ipmitool" on this machine (ENOENT)'],
    ["/etc/passwd", '"/etc/passwd" may not be executed (EACCES)'],
    ["", "it did not begin:"],
    ["nul\0byte", "it did not begin:"],
  ])("before it begins: %j", async (program, why) => {
    const ended = await run(program);
    expect(ended).toMatchObject({ exitCode: null, ending: expect.stringContaining(why) });
    expect(succeeded(ended)).toBe(false);
  });
});

describe("it is run", () => {
  test("without a shell", async () => {
    expect((await run("echo", "$HOME; exit 1", "*")).printed).toEqual(["$HOME; exit 1 *"]);
  });

  test("with nothing on its stdin, so that a question ends it", async () => {
    expect(await run(...shell("read answer || exit 4"))).toMatchObject({ exitCode: 4 });
  });

  test("without waiting for what it leaves in the background", async () => {
    const ended = await run(...shell("sleep 5 & exit 0"));
    expect(ended).toMatchObject({ exitCode: 0 });
    expect(ended.ms).toBeLessThan(2000);
  });
});

describe("at its limit it is ended", () => {
  test("and counts as failed", async () => {
    const ended = await late("sleep", "60");
    expect(ended).toMatchObject({ timedOut: true, ending: "not done after 0.3 s, and ended" });
    expect(succeeded(ended)).toBe(false);
    expect(ended.ms).toBeLessThan(2000);
  });

  test("also where it says 0 when it is told to end", async () => {
    const ended = await late(...shell("trap 'exit 0' TERM; while :; do sleep 0.05; done"));
    expect(ended).toMatchObject({ exitCode: 0, timedOut: true });
    expect(succeeded(ended)).toBe(false);
  });

  test("with its children, also those that do not obey", async () => {
    const file = join(directory, "pid");
    writeFileSync(
      join(directory, "child"),
      `trap '' TERM; echo $$ > ${file}; while :; do sleep 0.05; done\n`,
    );
    const ended = await late(...shell(`sh ${directory}/child & echo begun; wait`));
    expect(ended).toMatchObject({ timedOut: true, printed: expect.arrayContaining(["begun"]) });
    expect(alive(Number(readFileSync(file, "utf8")))).toBe(false);
    expect(ended.ms).toBeLessThan(3000);
  });
});

test("it ends with whoever runs it: a Ctrl-C leaves nothing behind without a limit", async () => {
  const file = join(directory, "orphan");
  const command = shell(`echo $$ > ${file}; sleep 60`);
  const module = JSON.stringify(new URL("../../../components/roles/act/fenceCommand.ts", import.meta.url));
  const program = `import { runCommand } from ${module}; await runCommand(${JSON.stringify({ command, timeoutSeconds: 60 })});`;
  const parent = spawn(process.execPath, ["--input-type=module", "-e", program], { stdio: "ignore" });
  await expect
    .poll(() => existsSync(file) && readFileSync(file, "utf8") !== "", { timeout: 4000 })
    .toBe(true);
  parent.kill("SIGINT");
  expect(await once(parent, "exit")).toEqual([null, "SIGINT"]);
  await expect.poll(() => alive(Number(readFileSync(file, "utf8")))).toBe(false);
});

describe("of what it prints", () => {
  const shown = (text: string, environment = {}) => {
    const tail = new OutputTail();
    tail.add(Buffer.from(text));
    return lastLines(tail, environment);
  };

  test("the end is shown, and no more", async () => {
    const { printed } = await run(...shell("seq 1 100000; echo; echo the reason"));
    const last = Array.from({ length: 9 }, (_, index) => String(99_992 + index));
    expect(printed).toEqual([...last, "the reason"]);
    expect(shown("x ".repeat(1000))[0]?.length).toBe(301);
  });

  test("a line whose beginning is gone is left out, because half a secret is not recognised", () => {
    expect(shown(`password=${"s".repeat(20_000)}\nlast`)).toEqual(["last"]);
    expect(shown(`password=${"s".repeat(20_000)}`)).toEqual([]);
  });

  test("control characters are not", () => {
    expect(shown("\u001b[31mred\u001b[0m\u0007\rafter\u0000")).toEqual(["red", "after"]);
  });

  test("a secret of the environment is not, wherever it stands", async () => {
    process.env["FEN_TEST_PASSPHRASE"] = "canary-5d1e";
    try {
      expect((await run(...shell('echo "tried $FEN_TEST_PASSPHRASE twice"; exit 1'))).printed).toEqual([
        "tried [hidden] twice",
      ]);
    } finally {
      delete process.env["FEN_TEST_PASSPHRASE"];
    }
  });

  test.each([
    ["password: canary", "password: [hidden]"],
    ["IPMI_PASSWORD=canary more", "IPMI_PASSWORD=[hidden]"],
    ['{"token": "canary", "error": "no such host"}', '{"token": [hidden], "error": "no such host"}'],
    ["ipmitool -U admin --password canary chassis", "ipmitool -U admin --password [hidden] chassis"],
    ["Authorization: Bearer canary.canary", "Authorization: Bearer [hidden]"],
    ["GET https://admin:canary@bmc.example.test/power", "GET https://admin:[hidden]@bmc.example.test/power"],
    ["-----BEGIN OPENSSH PRIVATE KEY-----\ncanary\n-----END OPENSSH PRIVATE KEY-----\nend", "[hidden]\nend"],
    ["-----BEGIN OPENSSH PRIVATE KEY-----\ncanary", "[hidden]"],
    [`session ${"canary".repeat(8)}`, "session [hidden]"],
    ["Chassis Power Control: Down/Off", "Chassis Power Control: Down/Off"],
    [
      "Error: Unable to establish IPMI v2 / RMCP+ session",
      "Error: Unable to establish IPMI v2 / RMCP+ session",
    ],
  ])("%j", (printed, seen) => {
    expect(withoutSecrets(printed, {})).toBe(seen);
  });
});
