/** Holding pooled clients back, carried out: never a reason for a change to fail, and never left behind. */
import { expect, test } from "vitest";
import { act } from "../../../components/regions/act/act.ts";
import type { RegionStep } from "../../../components/regions/steps.ts";
import { NodeError } from "../../../components/roles/conversation.ts";
import { UnitFakes } from "../../support/unitFakes.ts";
import { regionsWish } from "../../support/unitWish.ts";

const steps: readonly RegionStep[] = [
  { kind: "pauseClients", host: "a-proxy", ttlSeconds: 30 },
  { kind: "switchover", host: "a-1", leader: "a-1", candidate: "a-2", because: "" },
  { kind: "resumeClients", host: "a-proxy", member: "a-2" },
];

async function run(fakes: UnitFakes, what = steps): Promise<{ lines: string; error?: string }> {
  const lines: string[] = [];
  const report = (line: string) => lines.push(line);
  try {
    await act(what, { access: fakes.access(), desired: fakes.desired, report, clock: () => 0 });
    return { lines: lines.join("\n") };
  } catch (error) {
    return { lines: lines.join("\n"), error: (error as Error).message };
  }
}

test("they go on when their proxy leads to whoever took over, and it is told how long they waited", async () => {
  const fakes = new UnitFakes();
  const { lines, error } = await run(fakes);
  expect(error).toBeUndefined();
  expect(fakes.calls).toEqual([
    "a-proxy pauseClients",
    "a-1 switchover",
    "a-proxy awaitBackend",
    "a-proxy resumeClients",
  ]);
  expect(fakes.args[0]).toEqual({ ttlSeconds: 30, drainSeconds: 5 });
  expect(fakes.args[2]).toMatchObject({ member: "a-2" });
  expect(lines).toMatch(/2 clients wait after 1 ms[\s\S]*they waited for 7 ms/);
});

test("a transaction that does not end: nobody is held back, the switchover goes on, and it is said", async () => {
  const fakes = new UnitFakes();
  fakes.refuses.set("a-proxy pauseClients", new NodeError("a-proxy", "E_CLIENTS_BUSY", "1 is open"));
  const { lines, error } = await run(fakes);
  expect(error).toBeUndefined();
  expect(fakes.calls).toEqual(["a-proxy pauseClients", "a-1 switchover"]);
  expect(lines).toMatch(/clients see the change as without a pool: .*1 is open/);
});

test("a proxy that was lost in the middle of it is asked to let them go on all the same", async () => {
  const fakes = new UnitFakes();
  fakes.refuses.set("a-proxy pauseClients", new NodeError("a-proxy", "E_CHANNEL", "cut off"));
  expect((await run(fakes)).error).toBeUndefined();
  expect(fakes.calls).toContain("a-proxy resumeClients");
});

test("they go on when the change fails", async () => {
  const fakes = new UnitFakes();
  fakes.refuses.set("a-1 switchover", new NodeError("a-1", "E_SWITCHOVER", "no"));
  const { lines, error } = await run(fakes);
  expect(error).toMatch(/^switch over from a-1 to a-2/);
  expect(fakes.calls).toEqual(["a-proxy pauseClients", "a-1 switchover", "a-proxy resumeClients"]);
  expect(lines).toContain("pooled clients of a-proxy: they waited for 7 ms");
});

test("they go on after the old region has its role back, not before", async () => {
  const fakes = new UnitFakes(regionsWish("b"));
  fakes.refuses.set("b-1 gate", new NodeError("b-1", "E_GATE_BEHIND", "it misses something"));
  const { error } = await run(fakes, [
    { kind: "pauseClients", host: "a-proxy", ttlSeconds: 30 },
    { kind: "demoteCluster", host: "a-1", region: "a", to: "b" },
    { kind: "gate", host: "b-1", of: "a-1" },
    {
      ...{ kind: "promoteCluster", host: "b-1", region: "b", from: "a" },
      ...{ mode: "switchover", statementAt: null },
    },
    { kind: "resumeClients", host: "a-proxy", member: "b-1" },
  ]);
  expect(error).toContain("a leads again");
  expect(fakes.takers()).toEqual(["a"]);
  const order = ["a-proxy pauseClients", "a-1 promoteCluster", "a-proxy resumeClients"];
  expect(fakes.calls.filter((call) => order.includes(call))).toEqual(order);
});

test("one that cannot be told goes on by itself, and that is said", async () => {
  const fakes = new UnitFakes();
  fakes.refuses.set("a-proxy resumeClients", new NodeError("a-proxy", "E_CHANNEL", "cut off"));
  const { lines, error } = await run(fakes);
  expect(error).toBeUndefined();
  expect(lines).toMatch(/they go on by themselves when their time is over, because .*cut off/);
});

test("a time that was over before is told", async () => {
  const fakes = new UnitFakes();
  fakes.answers.resumeClients = () => ({ heldMs: null });
  expect((await run(fakes)).lines).toContain("they had gone on by themselves");
});
