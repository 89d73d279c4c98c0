/** What is planned from the record has to be what would be planned from the facts that it was made of. */
import { describe, expect, test } from "vitest";
import { recordedAt, recordedNodes, seenAgain, seenEmpty } from "../../../components/record/facts.ts";
import type { Desired } from "../../../components/roles/desired.ts";
import type { Observed, PromotionFacts } from "../../../components/roles/facts.ts";
import { plan } from "../../../components/roles/plan/plan.ts";
import { nodeStates } from "../../../components/roles/plan/state.ts";
import { desired, desiredNode, files, nodeIn, observed, slot } from "../../support/facts.ts";
import { withFiles, withReport, withSql } from "../../support/modify.ts";

const now = new Date("2026-01-02T00:00:00Z");
const wish = desired();

const healthy = () =>
  observed({
    a: nodeIn("primary", "a", ["b"], "primary"),
    b: nodeIn("standby-streaming", "b", ["a"], "standby"),
  });

/** Written and read, as the stack's output is. */
function again(found: Observed, recordedWish: Desired = wish, wanted: Desired = recordedWish): Observed {
  const written = JSON.stringify(recordedNodes(found, recordedWish));
  return seenAgain(JSON.parse(written), recordedWish, wanted, now);
}

function outcome(found: Observed, wanted: Desired): unknown {
  const { steps, lookAgainAfter, refusals } = plan(found, wanted, "preview");
  return { steps, lookAgainAfter, refusals: refusals.map(({ code }) => code) };
}

describe("the plan from the record is the plan from the facts", () => {
  const withSetting = (settings: Record<string, string | number>): Desired => ({
    ...wish,
    nodes: wish.nodes.map((node) => ({ ...node, files: files(settings) })),
  });
  const wishes: Record<string, Desired> = {
    "nothing new": wish,
    "the other leads": { ...wish, active: "b" },
    "a setting that is reloaded": withSetting({ work_mem: "8MB" }),
    "a setting that needs a restart": withSetting({ max_connections: 200 }),
    "commits that do not wait": { ...wish, policy: { ...wish.policy, synchronous: "off" } },
  };
  for (const [name, wanted] of Object.entries(wishes)) {
    test(`${name}, whatever the nodes are`, () => {
      for (const a of nodeStates) {
        for (const b of nodeStates) {
          const found = observed({
            a: nodeIn(a, "a", ["b"], "primary"),
            b: nodeIn(b, "b", ["a"], "standby"),
          });
          expect([a, b, outcome(again(found, wish, wanted), wanted)]).toEqual([a, b, outcome(found, wanted)]);
        }
      }
    });
  }

  test("files that differ from the wish, or from what runs, are known", () => {
    const old = { ...files({ work_mem: "1MB" }), "by-hand.conf": "x\n" };
    const found = healthy();
    const { b } = found.nodes;
    if (!b) throw new Error("no b");
    const half = { ...found.nodes, b: withFiles(b, { installed: old, loaded: files(), started: {} }) };
    const facts = again({ ...found, nodes: half }).nodes["b"];
    expect(facts).toMatchObject({ report: { files: { installed: old, loaded: files(), started: {} } } });
  });
});

describe("the record", () => {
  test("is not changed by what changes by itself", () => {
    const before = healthy();
    const after = healthy();
    const { a, b } = after.nodes;
    if (!a || !b) throw new Error("no nodes");
    const later = withReport(
      withSql(a, {
        currentLsn: "1/0",
        startedAt: "later",
        slots: [slot("b", { heldBytes: 77, walStatus: "extended" })],
        backupRunning: true,
        archiveBacklog: 3,
      }),
      ({ data }) => ({
        clock: "2027-01-01T00:00:00Z",
        data: { ...data, freeBytes: 1, sizeBytes: 2 },
        lock: { owner: "o", since: "s", alive: true },
        problems: ["none of today's"],
      }),
    );
    const moved = withSql(b, { receiveLsn: "1/0", replayLsn: "1/0" });
    const found = { ...after, at: "2027-01-01T00:00:00Z", nodes: { a: later, b: moved } };
    expect(recordedNodes(found, wish)).toEqual(recordedNodes(before, wish));
    expect(recordedAt(found, wish)).toBe(recordedAt(before, wish));
  });

  test("of what is read from it is itself, in every state", () => {
    for (const state of nodeStates) {
      const found = observed({ a: nodeIn(state, "a", ["b"], "primary") });
      const first = JSON.stringify(recordedNodes(found, wish));
      const second = JSON.stringify(recordedNodes(again(found), { ...wish, nodes: wish.nodes.slice(0, 1) }));
      expect([state, second]).toEqual([state, first]);
    }
  });

  test("has no value that somebody set by hand: one may be a password", () => {
    const { a } = healthy().nodes;
    if (!a) throw new Error("no a");
    const found = observed({ a: withSql(a, { alterSystem: { primary_conninfo: "password=canary" } }) });
    const text = JSON.stringify(recordedNodes(found, wish));
    expect(text).not.toContain("canary");
    expect(text).toContain("primary_conninfo");
  });

  test("holds no file that is as the wish has it", () => {
    const text = JSON.stringify(recordedNodes(healthy(), wish));
    expect(text).not.toContain("work_mem");
  });

  test("is of the moment of the last update with work, or of now where none has come to its end", () => {
    expect(recordedAt(healthy(), wish)).toBe("g1");
    const empty = observed({ a: nodeIn("absent", "a", ["b"], "primary") });
    expect(recordedAt(empty, wish)).toBe(empty.at);
  });
});

describe("what is seen again", () => {
  test("is as of now, so that no clock is wrong and no certificate older than it is", () => {
    const found = again(healthy());
    expect(found.at).toBe(now.toISOString());
    expect(found.nodes["a"]).toMatchObject({ report: { clock: now.toISOString() } });
  });

  test("has a new site as one where nothing is, and a removed one not at all", () => {
    const more: Desired = { ...wish, nodes: [...wish.nodes, desiredNode("c")] };
    expect(again(healthy(), wish, more).nodes["c"]).toEqual({ reach: "absent", data: "none" });
    const less: Desired = { ...wish, nodes: wish.nodes.slice(0, 1) };
    expect(Object.keys(again(healthy(), wish, less).nodes)).toEqual(["a"]);
  });

  test("has nothing anywhere where there is no record: a first deployment is planned", () => {
    const { steps, refusals } = plan(seenEmpty(wish, now), wish, "preview");
    expect(refusals).toEqual([]);
    expect(steps[0]).toEqual({ kind: "initdb", node: "a" });
  });
});

describe("a failover statement is newer than the record", () => {
  const failover = {
    ...{ from: "a", to: "b", fenceConfirmed: "it has no power", at: "2026-01-01T23:59:00Z" },
    ...{ validForMinutes: 15, acceptDataLoss: true },
  };
  const wanted: Desired = { ...wish, active: "b", failover };

  test("so its site is taken for gone, and the failover is planned", () => {
    const { steps, refusals } = plan(again(healthy(), wish, wanted), wanted, "preview");
    expect(refusals).toEqual([]);
    expect(steps.map(({ kind }) => kind)).toContain("promote");
    expect(steps.some(({ node }) => node === "a")).toBe(false);
  });

  test("until its failover is in the record", () => {
    const { b } = healthy().nodes;
    if (!b) throw new Error("no b");
    const promotion: PromotionFacts = {
      mode: "failover",
      ...{ from: "a", to: "b", at: failover.at, timeline: 2, switchLsn: "0/4000000" },
      statementAt: failover.at,
    };
    const found = observed({ ...healthy().nodes, b: withReport(b, () => ({ promotion })) });
    expect(again(found, wish, wanted).nodes["a"]?.reach).toBe("up");
  });
});
