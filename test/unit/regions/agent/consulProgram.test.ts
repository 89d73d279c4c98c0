/** How long Consul stays down when it ends again and again. */
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { expect, test } from "vitest";

const components = join(import.meta.dirname, "../../../../components");
const modules = [join(components, "regions/agent"), join(components, "postgres/node")];

test("it is started again before gossip gives it up, however often it ends", () => {
  const program = `import json, sys, time
sys.dont_write_bytecode = True
sys.path[:0] = sys.argv[1:]
from consulprogram import ConsulProgram
from unit import ProgramSpec
consul, pauses = ConsulProgram(ProgramSpec("consul", ("consul",), None, 15, 1.0, (), ()), b""), []
for _ in range(6):
    consul.launched_at = time.monotonic()
    consul.failed("it was killed")
    pauses.append(round(consul.retry_at - time.monotonic()))
print(json.dumps(pauses))`;
  const said = execFileSync("python3", ["-c", program, ...modules], { encoding: "utf8" });
  expect(JSON.parse(said.trim().split("\n").at(-1) ?? "")).toEqual([1, 2, 2, 2, 2, 2]);
});
