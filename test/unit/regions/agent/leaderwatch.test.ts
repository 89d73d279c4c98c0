/** When a member's Patroni is woken, by what is seen of the leader's key: without a Consul and a Patroni. */
import { expect, test } from "vitest";
import { inAgent } from "../../../support/agentPython.ts";

/**
 * Each look at the key, which takes a second, finds the next of these; `X!`: the key is X's anew, by another session.
 * From look `settledAt` on the member follows.
 */
function watched(holders: readonly (string | null)[], mayLead: boolean, settledAt = 0) {
  const script = `import leaderwatch as it
(holders, leads, settled_at), done, index, waits = given, [], [], []
now = 0.0
it.time.monotonic = lambda: now
def read(config, asked, seconds):
    global now
    index.append(asked)
    waits.append(seconds)
    now += 1.0
    holder = holders[len(index) - 1]
    return holder and {"Session": holder, "Value": holder.strip("!"), "ModifyIndex": len(index)}
it.is_settled = lambda config: len(index) >= settled_at
it.read, it.may_lead, it.wake = read, lambda config: leads, lambda config: done.append(len(index))
watch = it.LeaderWatch()
pauses = [watch.look({}) for _ in holders]
tell([done, index, pauses, waits])`;
  const told = inAgent<number[][]>(script, [holders, mayLead, settledAt]);
  const [woken = [], asked = [], pauses = [], waits = []] = told;
  return { woken, asked, pauses, waits };
}

test("what is found first, and what stays, wakes nobody; the next question waits for a change", () => {
  expect(watched(["a-1", "a-1", "a-1"], true)).toEqual({
    woken: [],
    asked: [0, 1, 2],
    pauses: [0, 0, 0],
    waits: [30, 30, 30],
  });
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

test("whoever does not follow is woken again and again until it does, and everybody until the role is published", () => {
  const same = (times: number) => Array.from({ length: times }, () => "a-2");
  const late = watched(["a-1", ...same(8)], false, 6);
  expect(late.woken).toEqual([2, 3, 4, 5]);
  expect(late.waits).toEqual([30, 30, 0.3, 0.3, 0.3, 0.3, 30, 30, 30]);
  expect(watched(["a-1", ...same(4)], false).woken).toEqual([2, 3]);
  // Whoever never does is left to Patroni's own time.
  expect(watched(["a-1", ...same(30)], false, 99).woken.at(-1)).toBe(21);
});
