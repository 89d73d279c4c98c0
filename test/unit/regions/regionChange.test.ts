/** A change of the active region: whole, failing at each step, cut off between two, and what it leaves as proof. */
import { describe, expect, test } from "vitest";
import { act } from "../../../components/regions/act/act.ts";
import type { RegionEvidence } from "../../../components/regions/act/evidence.ts";
import type { RegionStep } from "../../../components/regions/steps.ts";
import { NodeError } from "../../../components/roles/conversation.ts";
import { readEvidence } from "../../../components/roles/roleChange.ts";
import { control, UnitFakes } from "../../support/unitFakes.ts";
import { regionsWish } from "../../support/unitWish.ts";

const demote: RegionStep = { kind: "demoteCluster", host: "a-1", region: "a", to: "b" };
const gate: RegionStep = { kind: "gate", host: "b-1", of: "a-1" };
const promote: RegionStep = {
  ...{ kind: "promoteCluster", host: "b-1", region: "b", from: "a" },
  ...{ mode: "switchover", statementAt: null },
};
const steps: readonly RegionStep[] = [
  { kind: "checkpoint", host: "a-1" },
  { kind: "checkpoint", host: "b-1" },
  demote,
  gate,
  promote,
  { kind: "awaitLeader", host: "a-1", as: "standby_leader" },
];

const no = (host: string, code = "E_TEST") => new NodeError(host, code, "no");

async function run(fakes: UnitFakes, plan = steps, more = {}): Promise<{ lines: string[]; error?: string }> {
  const lines: string[] = [];
  try {
    const report = (line: string) => lines.push(line);
    await act(plan, { access: fakes.access(), desired: fakes.desired, report, ...more });
    return { lines };
  } catch (error) {
    return { lines, error: (error as Error).message };
  }
}

const toB = () => new UnitFakes(regionsWish("b"));

describe("a switchover", () => {
  test("takes these calls, in this order", async () => {
    const fakes = toB();
    expect((await run(fakes)).error).toBeUndefined();
    expect(fakes.calls).toEqual([
      "b-1 probeStart",
      "a-1 checkpoint",
      "b-1 checkpoint",
      "a-1 demoteCluster",
      "b-1 gate",
      "b-1 promoteCluster",
      "a-proxy awaitBackend",
      "b-proxy awaitBackend",
      "b-1 probeStop",
      "a-1 awaitLeader",
      "b-1 verify",
    ]);
    expect([fakes.takers(), fakes.splits]).toEqual([["b"], []]);
  });

  test("hands the stopped primary's control file to the gate, and the change to who records it", async () => {
    const fakes = toB();
    await run(fakes);
    const argsOf = (call: string) => fakes.args[fakes.calls.indexOf(call)];
    expect(argsOf("b-1 gate")).toMatchObject({ control });
    expect(argsOf("b-1 promoteCluster")).toMatchObject({
      change: { mode: "switchover", from: "a", to: "b", statementAt: null },
    });
  });

  test("is measured through the proxies of both regions, by the name that moves", async () => {
    const fakes = toB();
    await run(fakes);
    expect(fakes.args[fakes.calls.indexOf("b-1 probeStart")]).toMatchObject({
      targets: [
        { name: "db.demo.test", address: "10.9.1.20", port: 5432 },
        { name: "db.demo.test", address: "10.9.2.20", port: 5432 },
      ],
    });
  });

  test("leaves its evidence for people and as one line of JSON", async () => {
    const { lines } = await run(toB());
    const evidence = readEvidence(lines.join("\n")) as RegionEvidence;
    expect(evidence).toMatchObject({
      ...{ mode: "switchover", from: "a", to: "b", leader: "b-1", gapMs: 1200 },
      timelines: { old: 1, new: 2 },
      control: { old: control, new: control },
      verified: { server: "b-1", timeline: 2 },
    });
    expect(evidence.steps).toHaveLength(steps.length);
    expect(lines).toContain("Switchover from a to b:");
  });

  test("a probe that fails costs the number and nothing else", async () => {
    const fakes = toB();
    fakes.refuses.set("b-1 probeStart", no("b-1"));
    const { lines, error } = await run(fakes);
    expect(error).toBeUndefined();
    expect(lines.join("\n")).toContain("the write gap is not measured");
    expect((readEvidence(lines.join("\n")) as RegionEvidence).gapMs).toBeNull();
  });

  test("a proxy of the old region that is slow is told, and holds up nobody", async () => {
    const fakes = toB();
    fakes.refuses.set("a-proxy awaitBackend", no("a-proxy"));
    const { lines, error } = await run(fakes);
    expect(error).toBeUndefined();
    expect(lines.join("\n")).toContain("a-proxy does not lead to b-1 yet");
  });
});

describe("before anything was demoted", () => {
  test.each(["a-1 checkpoint", "b-1 checkpoint"])("%s fails: the regions are as they were", async (call) => {
    const fakes = toB();
    fakes.refuses.set(call, no("x"));
    expect((await run(fakes)).error).toContain("The regions are as they were.");
    expect(fakes.calls).not.toContain("a-1 demoteCluster");
    expect(fakes.calls).not.toContain("a-1 promoteCluster");
    expect(fakes.takers()).toEqual(["a"]);
  });
});

describe("between the demotion and the promotion", () => {
  test.each(["E_GATE_BEHIND", "E_GATE_AHEAD", "E_GATE_OTHER", "E_CHANNEL", "E_TIMEOUT"])(
    "the gate says %s: the old region leads again",
    async (code) => {
      const fakes = toB();
      fakes.refuses.set("b-1 gate", no("b-1", code));
      const { error } = await run(fakes);
      expect(error).toContain("The switchover from a to b failed; a leads again, nothing was lost.");
      const at = fakes.calls.indexOf("b-1 gate");
      expect(fakes.calls.slice(at + 1)).toEqual([
        "a-1 promoteCluster",
        "b-proxy awaitBackend",
        "a-proxy awaitBackend",
      ]);
      // Nothing is recorded: there was no change.
      expect(fakes.args[fakes.calls.indexOf("a-1 promoteCluster")]).toEqual({ timeoutSeconds: 70 });
      expect([fakes.takers(), fakes.splits]).toEqual([["a"], []]);
    },
  );

  test("whoever leads the old region by then is asked", async () => {
    const fakes = toB();
    fakes.refuses.set("b-1 gate", no("b-1"));
    const demoted = fakes.answers;
    demoted.demoteCluster = () => {
      Object.assign(fakes.region("a"), { standbyCluster: { host: "b" }, leader: "a-2" });
      return { control, ms: 1 };
    };
    expect((await run(fakes)).error).toContain("a leads again");
    expect(fakes.calls).toContain("a-2 promoteCluster");
    expect(fakes.calls).not.toContain("a-1 promoteCluster");
  });

  test("a demotion that was refused before it began needs no way back", async () => {
    const fakes = toB();
    fakes.refuses.set("a-1 demoteCluster", no("a-1"));
    expect((await run(fakes)).error).toContain("the regions are as they were, nothing was lost");
    expect(fakes.calls).not.toContain("a-1 promoteCluster");
  });

  test("a demotion whose answer was lost is taken back", async () => {
    const fakes = toB();
    fakes.answers.demoteCluster = () => {
      fakes.region("a").standbyCluster = { host: "b" };
      throw no("a-1", "E_TIMEOUT");
    };
    expect((await run(fakes)).error).toContain("a leads again");
    expect(fakes.takers()).toEqual(["a"]);
  });

  test("a run that goes on where another was cut off gives the role back just the same", async () => {
    const fakes = new UnitFakes(regionsWish("b"), "nobody");
    fakes.region("a").standbyCluster = { host: "b" };
    fakes.refuses.set("b-1 gate", no("b-1"));
    const { error } = await run(fakes, [gate, promote]);
    expect(error).toContain("a leads again");
    expect(fakes.calls[0]).toBe("a-1 control");
    expect(fakes.takers()).toEqual(["a"]);
  });

  test("a way back that fails says what to do", async () => {
    const fakes = toB();
    fakes.refuses.set("b-1 gate", no("b-1"));
    fakes.refuses.set("a-1 promoteCluster", no("a-1"));
    expect((await run(fakes)).error).toMatch(
      /it was not taken back: a-1: no\. Nothing was lost\. Run `pulumi up` again: with active as it is it goes on, with active at a that leads again/,
    );
    expect(fakes.takers()).toEqual([]);
  });
});

describe("the promotion", () => {
  test("that is refused without an effect is taken back", async () => {
    const fakes = toB();
    fakes.refuses.set("b-1 promoteCluster", no("b-1"));
    expect((await run(fakes)).error).toContain("a leads again");
    expect([fakes.takers(), fakes.splits]).toEqual([["a"], []]);
  });

  test("that is refused although it took effect is never undone", async () => {
    const fakes = toB();
    fakes.answers.promoteCluster = () => {
      fakes.region("b").standbyCluster = null;
      throw no("b-1");
    };
    expect((await run(fakes)).error).toMatch(/b was promoted\. Switched, degraded: b is active/);
    expect([fakes.takers(), fakes.splits]).toEqual([["b"], []]);
  });

  test.each(["E_CHANNEL", "E_TIMEOUT"])("whose answer was lost (%s) is never undone", async (code) => {
    const fakes = toB();
    fakes.refuses.set("b-1 promoteCluster", no("b-1", code));
    expect((await run(fakes)).error).toContain("It is not known whether b was promoted.");
    expect(fakes.calls).not.toContain("a-1 promoteCluster");
  });

  test("of a region that cannot be seen any more is never undone", async () => {
    const fakes = toB();
    fakes.answers.promoteCluster = () => {
      for (const host of ["b-1", "b-2"]) fakes.away.set(host, { reach: "unreachable", reason: "cut off" });
      throw no("b-1");
    };
    expect((await run(fakes)).error).toContain("no member of b says whether it was promoted");
    expect(fakes.calls).not.toContain("a-1 promoteCluster");
  });
});

describe("after the promotion", () => {
  test.each(["b-proxy awaitBackend", "a-1 awaitLeader", "b-1 verify"])(
    "%s fails: forward only",
    async (call) => {
      const fakes = toB();
      fakes.refuses.set(call, no("x"));
      expect((await run(fakes)).error).toContain("Switched, degraded: b is active");
      expect(fakes.calls).not.toContain("a-1 promoteCluster");
      expect(fakes.takers()).toEqual(["b"]);
    },
  );
});

describe("a failover", () => {
  const failover: RegionStep[] = [
    { kind: "hold", host: "a-1", program: "patroni" },
    { ...promote, mode: "failover", statementAt: "2026-01-01T00:00:00Z" },
  ];

  test("asks nobody for the last position, measures nothing, and says which statement it used", async () => {
    const fakes = new UnitFakes(regionsWish("b"), "nobody");
    fakes.region("a").standbyCluster = { held: true };
    const { lines, error } = await run(fakes, failover);
    expect(error).toBeUndefined();
    expect(fakes.calls).not.toContain("b-1 probeStart");
    expect(fakes.args[fakes.calls.indexOf("b-1 promoteCluster")]).toMatchObject({
      change: { mode: "failover", statementAt: "2026-01-01T00:00:00Z" },
    });
    expect(readEvidence(lines.join("\n"))).toMatchObject({
      mode: "failover",
      gapMs: null,
      control: { old: null },
    });
  });

  test("that fails gives nobody a role back", async () => {
    const fakes = new UnitFakes(regionsWish("b"), "nobody");
    fakes.region("a").standbyCluster = { held: true };
    fakes.refuses.set("b-1 promoteCluster", no("b-1"));
    expect((await run(fakes, failover)).error).toContain("The steps before it are done and stay.");
    expect(fakes.calls).not.toContain("a-1 promoteCluster");
  });
});

describe("a region that was demoted for nothing", () => {
  test("gets its role back, and no change is recorded", async () => {
    const fakes = new UnitFakes(regionsWish("a"), "nobody");
    fakes.region("a").standbyCluster = { host: "b" };
    expect((await run(fakes, [{ kind: "resumeCluster", host: "a-1", region: "a" }])).error).toBeUndefined();
    expect(fakes.args[0]).toEqual({ timeoutSeconds: 70 });
    expect(fakes.takers()).toEqual(["a"]);
  });
});
