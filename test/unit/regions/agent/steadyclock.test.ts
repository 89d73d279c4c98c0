/** How Patroni is started: with the Python that it is written for, and a clock that only counts on. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { agentModules, inAgent } from "../../../support/agentPython.ts";

const interpreter = execFileSync("python3", ["-c", "import sys; print(sys.executable)"], {
  encoding: "utf8",
}).trim();
let folder = "";

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "understudy-steady-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

function program(name: string, text: string): string {
  writeFileSync(join(folder, name), text, { mode: 0o755 });
  return join(folder, name);
}

function commandOf(...command: string[]): string[] {
  const script = "from process import steadily\ntell(steadily(tuple(given)))";
  return inAgent(script, command, { PATH: `${folder}:${process.env["PATH"]}` });
}

test("Patroni is run by its own Python, without the agent's modules", () => {
  const path = program("patroni", "#!/opt/patroni/bin/python3\nprint('x')\n");
  expect(commandOf("patroni", "/run/understudy/patroni")).toEqual([
    "/opt/patroni/bin/python3",
    "-P",
    join(agentModules[0] ?? "", "steadyclock.py"),
    path,
    "/run/understudy/patroni",
  ]);
});

test("what is no Python is run as it is, and what is not there is for the system to say", () => {
  program("patroni", "#!/bin/sh\n");
  expect(commandOf("patroni", "x")).toEqual(["patroni", "x"]);
  expect(commandOf("nowhere", "x")).toEqual(["nowhere", "x"]);
});

test("its clock is right at first, and does not follow the time of day when that is set", () => {
  // The time of day cannot be set here, so its source is replaced before the program is started.
  const path = program(
    "patroni",
    `#!${interpreter}
import json, sys, time
import real
first = time.time()
real.ahead = -300
time.sleep(0.05)
then = time.time()
print(json.dumps([__name__, sys.argv[1:], open("/proc/self/comm").read().strip(), first, then - first]))
`,
  );
  program(
    "real.py",
    `import time
of_day, ahead = time.time, 0
time.time = lambda: of_day() + ahead
`,
  );
  const script = `import sys
sys.dont_write_bytecode = True
sys.path[:0] = [sys.argv[2], sys.argv[3]]
import real, steadyclock
sys.argv = ["steadyclock.py", sys.argv[1], "argument"]
steadyclock.main()`;
  const argv = ["-c", script, path, folder, agentModules[0] ?? ""];
  const [name, args, comm, first, passed] = JSON.parse(
    execFileSync("python3", argv, { encoding: "utf8" }),
  ) as [string, string[], string, number, number];
  expect([name, args, comm]).toEqual(["__main__", ["argument"], "patroni"]);
  expect(Math.abs(first - Date.now() / 1000)).toBeLessThan(30);
  expect(passed).toBeGreaterThan(0);
  expect(passed).toBeLessThan(30);
});
