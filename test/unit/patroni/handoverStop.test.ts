/** The command with real processes: what it stops, what it leaves alone, and how long it waits. */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { handoverStop } from "../../../components/patroni/handoverStop.ts";

let folder: string;
let server: ChildProcess;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "understudy-stop-"));
});

afterEach(() => {
  server?.kill("SIGKILL");
  rmSync(folder, { recursive: true });
});

/** Ends at SIGINT, as a server that is told to stop with `fast`. */
async function serve(atInterrupt = "exit 0"): Promise<void> {
  server = spawn("sh", ["-c", `trap '${atInterrupt}' INT; echo up; while :; do sleep 0.02; done`]);
  await new Promise((resolve) => server.stdout?.once("data", resolve));
  writeFileSync(join(folder, "postmaster.pid"), `${server.pid}\n/var/lib/understudy/pgdata\n`);
}

/** Its end is awaited here, as the supervisor does: a process that nobody awaits is still there. */
async function stop(secondsLeft?: number): Promise<{ status: number | null; said: string; ms: number }> {
  const handoverFile = join(folder, "handover");
  const uptime = Number(readFileSync("/proc/uptime", "utf8").split(" ")[0]);
  if (secondsLeft !== undefined) writeFileSync(handoverFile, `${Math.trunc(uptime + secondsLeft)}\n`);
  const begun = performance.now();
  const words = spawnSync(
    "python3",
    [
      "-c",
      "import shlex, sys; print('\\0'.join(shlex.split(sys.argv[1])))",
      handoverStop({ dataDirectory: folder, handoverFile }),
    ],
    { encoding: "utf8" },
  )
    .stdout.trim()
    .split("\0");
  const [command = "", ...args] = words;
  const child = spawn(command, args);
  let said = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (text) => (said += text));
  const status = await new Promise<number | null>((resolve) => child.on("close", resolve));
  return { status, said, ms: performance.now() - begun };
}

test("during a handover the server is stopped, and has ended when it returns", async () => {
  await serve();
  expect(await stop(60)).toMatchObject({ status: 0, said: "" });
  expect(server.exitCode).toBe(0);
});

test("at any other time, and when a handover was given up, it does nothing", async () => {
  await serve();
  expect(await stop()).toMatchObject({ status: 0, said: "" });
  expect(await stop(-5)).toMatchObject({ status: 0, said: "" });
  expect(server.exitCode).toBeNull();
});

test("a server that does not stop is left to Patroni after two seconds", async () => {
  await serve(":");
  const { status, ms } = await stop(60);
  expect(status).toBe(0);
  expect(ms).toBeGreaterThan(1_900);
  expect(server.exitCode).toBeNull();
});

test("without a server there is nothing to do", async () => {
  expect(await stop(60)).toMatchObject({ status: 0 });
});

test("a path that would end the script is refused", () => {
  expect(() => handoverStop({ dataDirectory: "/a'b", handoverFile: "/run/h" })).toThrow("quote");
});
