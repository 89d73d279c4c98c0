/** How long Consul stays down when it ends again and again. */
import { expect, test } from "vitest";
import { inAgent } from "../../../support/agentPython.ts";

test("it is started again before gossip gives it up, however often it ends", () => {
  const program = `import time
from consulprogram import ConsulProgram
from unit import ProgramSpec
consul, pauses = ConsulProgram(ProgramSpec("consul", ("consul",), None, 15, 1.0, (), ()), b""), []
for _ in range(6):
    consul.launched_at = time.monotonic()
    consul.failed("it was killed")
    pauses.append(round(consul.retry_at - time.monotonic()))
tell(pauses)`;
  expect(inAgent(program)).toEqual([1, 2, 2, 2, 2, 2]);
});
