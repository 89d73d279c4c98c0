/** A switchover that fails: before the promotion the old primary leads again, after it there is only forward. */
import { describe, expect, test } from "vitest";
import { apply } from "../../../components/roles/converge.ts";
import type { Desired } from "../../../components/roles/desired.ts";
import { plan } from "../../../components/roles/plan/plan.ts";
import { desired, nodeIn, observed } from "../../support/facts.ts";
import { SimFleet } from "../../support/fleet.ts";

const now = () => new Date("2026-01-01T00:00:00Z");
const toB: Desired = { ...desired("strict"), active: "b" };
const toA: Desired = desired("strict");

function healthy(): SimFleet {
  const nodes = {
    a: nodeIn("primary", "a", ["b"], "primary"),
    b: nodeIn("standby-streaming", "b", ["a"], "standby"),
  };
  const fleet = SimFleet.from(observed(nodes), toA);
  for (let n = 0; n < 3; n += 1) fleet.write();
  return fleet;
}

async function fail(fleet: SimFleet, call: string): Promise<string> {
  fleet.refuses.set(call, "no");
  const error = await run(fleet);
  fleet.refuses.clear();
  return error ?? "it did not fail";
}

async function run(fleet: SimFleet, wish = toB, lines: string[] = []): Promise<string | undefined> {
  try {
    const report = (line: string) => lines.push(line);
    await apply({ desired: wish, access: fleet.access(), generation: "g2", now, report });
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

function expectNothingLost(fleet: SimFleet, leader: string): void {
  expect(fleet.splits).toEqual([]);
  expect(fleet.acknowledged.filter((record) => !fleet.node(leader).wal.includes(record))).toEqual([]);
}

describe("before the promotion", () => {
  test.each([
    ["a checkpoint", "the roles are as they were", []],
    ["b checkpoint", "the roles are as they were", []],
    ["b slots", "the roles are as they were", []],
    ["b gate", "a leads again", ["a lead", "a stop", "a lead", "a start", "b slots"]],
    [
      "b promote",
      "a leads again",
      ["a start", "a stop", "b stop", "b start", "a lead", "a stop", "a lead", "a start", "b slots"],
    ],
  ] as const)("%s fails", async (call, end, undone) => {
    const fleet = healthy();
    const message = await fail(fleet, call);
    expect(message).toContain(`The switchover from a to b failed; ${end}, nothing was lost.`);
    const at = fleet.calls.indexOf(call);
    if (call !== "b slots") expect(fleet.calls.slice(at + 1)).toEqual(undone);
    expect(fleet.takers()).toEqual(["a"]);
    expect(fleet.node("b").slots).toEqual([]);
    expectNothingLost(fleet, "a");
  });

  test("and afterwards either wish is reached", async () => {
    for (const wish of [toA, toB]) {
      const fleet = healthy();
      await fail(fleet, "b gate");
      // B has to be in sync again before the next attempt.
      expect(await run(fleet, toA)).toBeUndefined();
      expect(await run(fleet, wish)).toBeUndefined();
      expect(plan(fleet.observed(), wish)).toMatchObject({ steps: [], refusals: [] });
      expectNothingLost(fleet, wish.active);
    }
  });

  test("a stop that is too slow is not forced, and A leads again when it has ended", async () => {
    const fleet = healthy();
    let refused = false;
    const access = fleet.access();
    const a = access.get("a");
    const session = await a?.open();
    if (!a || !session) throw new Error("no a");
    const slow: typeof session = {
      ...session,
      call: async (verb, args, limits) => {
        const result = await session.call(verb, args, limits);
        if (verb === "stop" && !refused) {
          refused = true;
          throw new Error("still stopping after 60 s");
        }
        return result;
      },
    };
    access.set("a", { ...a, open: async () => slow });
    const made = apply({ desired: toB, access, generation: "g2", now, report: () => undefined });
    await expect(made).rejects.toThrow("still stopping after 60 s");
    expect(fleet.takers()).toEqual(["a"]);
    expectNothingLost(fleet, "a");
  });

  test("a standby that is gone at the gate does not keep A from leading again, nor from saying so", async () => {
    const fleet = healthy();
    const beforeStep = async ({ kind }: { readonly kind: string }) => {
      if (kind === "gate") fleet.kill("b", "unreachable");
    };
    const access = fleet.access();
    const b = access.get("b");
    if (!b) throw new Error("no b");
    const open = async () => {
      if (fleet.node("b").unit === "unreachable") throw new Error("b does not answer");
      return await b.open();
    };
    access.set("b", { ...b, open });
    const made = apply({
      desired: toB,
      access,
      generation: "g2",
      now,
      report: () => undefined,
      beforeStep,
    });
    await expect(made).rejects.toThrow("The switchover from a to b failed; a leads again, nothing was lost.");
    expect(fleet.node("a")).toMatchObject({ unit: "up", server: "running", standby: false });
    expectNothingLost(fleet, "a");
  });

  test("a run that completes an earlier one gives the role back just the same", async () => {
    const fleet = healthy();
    const session = await fleet.access().get("a")?.open();
    await session?.call("stop", { timeoutSeconds: 1, follow: "b" });
    expect(await fail(fleet, "b gate")).toContain("a leads again");
    expect(fleet.takers()).toEqual(["a"]);
  });

  test("a standby that has more than the old primary stops everything", async () => {
    const fleet = healthy();
    const session = await fleet.access().get("a")?.open();
    await session?.call("stop", { timeoutSeconds: 1, follow: "b" });
    fleet.node("b").wal.push("from nowhere");
    expect(await run(fleet)).toMatch(/b has WAL that a has not.*a stays down/);
    expect(fleet.takers()).toEqual([]);
  });
});

describe("when B was promoted after all", () => {
  test("although its answer was lost, nobody starts A", async () => {
    const fleet = healthy();
    const access = fleet.access();
    const b = access.get("b");
    const session = await b?.open();
    if (!b || !session) throw new Error("no b");
    const lost: typeof session = {
      ...session,
      call: async (verb, args, limits) => {
        const result = await session.call(verb, args, limits);
        if (verb === "promote") throw new Error("the connection ended");
        return result;
      },
    };
    access.set("b", { ...b, open: async () => lost });
    const made = apply({ desired: toB, access, generation: "g2", now, report: () => undefined });
    await expect(made).rejects.toThrow(/b was promoted.*Switched, degraded: b leads/s);
    expect(fleet.takers()).toEqual(["b"]);
    expect(await run(fleet)).toBeUndefined();
    expectNothingLost(fleet, "b");
  });
});

describe("after the promotion", () => {
  test.each(["a start", "b awaitStandby", "b verify", "a slots"])("%s fails: forward only", async (call) => {
    const fleet = healthy();
    expect(await fail(fleet, call)).toMatch(/Switched, degraded: b leads/);
    expect(fleet.takers()).toEqual(["b"]);
    expect(fleet.calls).not.toContain("a lead");
    expect(await run(fleet)).toBeUndefined();
    expect(plan(fleet.observed(), toB)).toMatchObject({ steps: [], refusals: [] });
    expectNothingLost(fleet, "b");
  });
});

describe("the evidence", () => {
  test("is for people and one line of JSON", async () => {
    const lines: string[] = [];
    expect(await run(healthy(), toB, lines)).toBeUndefined();
    expect(lines).toContain("Switchover from a to b:");
    const line = lines.find((candidate) => candidate.startsWith("evidence: "));
    const evidence = JSON.parse(line?.slice("evidence: ".length) ?? "null");
    expect(evidence).toMatchObject({
      mode: "switchover",
      from: "a",
      to: "b",
      timelines: { old: 1, new: 2 },
      gapMs: 200,
      verified: { server: "b", timeline: 2 },
    });
    expect(evidence.control.old.redoLsn).toBe(evidence.control.new.redoLsn);
    expect(evidence.steps.map(({ step }: { step: string }) => step)).toHaveLength(9);
  });

  test("a probe that fails costs the number and nothing else", async () => {
    const fleet = healthy();
    fleet.refuses.set("b probeStart", "no");
    const lines: string[] = [];
    expect(await run(fleet, toB, lines)).toBeUndefined();
    expect(lines.join("\n")).toContain("the write gap is not measured: b: no");
  });
});
