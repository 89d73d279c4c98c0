/** When a member's Patroni is woken, by what is seen of the leader's key: without a Consul and a Patroni. */
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { expect, test } from "vitest";

const components = join(import.meta.dirname, "../../../../components");

/** Each look at the key finds the next of these; `X!`: the key is X's anew, by another session. */
function watched(holders: readonly (string | null)[], mayLead: boolean) {
  const script = `import json, sys
sys.dont_write_bytecode = True
sys.path[:0] = sys.argv[3:]
import leaderwatch as it
holders, done, index = json.loads(sys.argv[1]), [], []
def read(config, asked):
    index.append(asked)
    holder = holders[len(index) - 1]
    return holder and {"Session": holder, "Value": holder.strip("!"), "ModifyIndex": len(index)}
it.read, it.may_lead, it.wake = read, lambda config: json.loads(sys.argv[2]), lambda config: done.append(len(index))
watch = it.LeaderWatch()
pauses = [watch.look({}) for _ in holders]
print(json.dumps([done, index, pauses]))`;
  const modules = [join(components, "regions/agent"), join(components, "postgres/node")];
  const argv = [JSON.stringify(holders), JSON.stringify(mayLead), ...modules];
  const { stdout, stderr } = spawnSync("python3", ["-c", script, ...argv], { encoding: "utf8" });
  expect(stderr).toBe("");
  const [woken, asked, pauses] = JSON.parse(stdout) as [number[], number[], number[]];
  return { woken, asked, pauses };
}

test("what is found first, and what stays, wakes nobody; the next question waits for a change", () => {
  expect(watched(["a-1", "a-1", "a-1"], true)).toEqual({ woken: [], asked: [0, 1, 2], pauses: [0, 0, 0] });
});

test("whoever may lead is woken when the key is given up, and again when somebody has it", () => {
  expect(watched(["a-1", null, null, "a-2"], true).woken).toEqual([2, 4]);
});

test("whoever may not is woken when somebody has it", () => {
  expect(watched(["a-1", null, null, "a-2"], false).woken).toEqual([4]);
});

test("a key that changed hands between two looks, and one that its holder took anew, are changes", () => {
  expect(watched(["a-1", "a-2", "a-2!"], false).woken).toEqual([2, 3]);
});

test("a key that nobody has is looked at again after a pause, without waiting for a change", () => {
  const { asked, pauses } = watched(["a-1", null, null], true);
  expect(asked).toEqual([0, 1, 0]);
  expect(pauses).toEqual([0, 0.05, 0.05]);
});
