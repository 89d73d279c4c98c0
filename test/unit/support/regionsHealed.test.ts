import { expect, test } from "vitest";
import type { PatroniFacts, RegionsObserved, UnitReport } from "../../../components/regions/facts.ts";
import { regionComplaints } from "../../support/regionsHealed.ts";
import { observe } from "../regions/plan/observed.ts";
import { wish } from "../regions/plan/sample.ts";
import { World } from "../regions/plan/world.ts";

const healthy = observe(World.healthy(wish()));

function reportOf(observed: RegionsObserved, host: string): UnitReport {
  const facts = observed.hosts[host];
  if (facts?.reach !== "up") throw new Error(`${host} is not up`);
  return facts.report;
}

function withReport(host: string, change: (report: UnitReport) => Partial<UnitReport>): RegionsObserved {
  const report = reportOf(healthy, host);
  const changed = { reach: "up", report: { ...report, ...change(report) } } as const;
  return { ...healthy, hosts: { ...healthy.hosts, [host]: changed } };
}

function withPatroni(host: string, change: Partial<PatroniFacts>): RegionsObserved {
  return withReport(host, ({ patroni }) => ({ patroni: patroni && { ...patroni, ...change } }));
}

const complaints = (observed: RegionsObserved) => regionComplaints(observed, wish(), {}).join("\n");
const slots = (found: Record<string, string[]>) => regionComplaints(healthy, wish(), found);

test("whole regions give no reason to complain", () => {
  expect(complaints(healthy)).toBe("");
  expect(slots({ "a-1": ["a_2", "a_3", "b"], "b-1": ["b_2", "a"] })).toEqual([]);
  expect(regionComplaints(healthy, wish(), { "a-1": ["a_4"] }, ["a-4"])).toEqual([]);
});

test.each([
  [
    "a host that is gone",
    { ...healthy, hosts: { ...healthy.hosts, "b-consul-2": { reach: "stopped", reason: "", report: null } } },
    "b-consul-2 is stopped",
  ],
  ["two primaries", withPatroni("a-2", { role: "primary" }), "a has 2 of primary"],
  ["a primary in the region that follows", withPatroni("b-2", { role: "primary" }), "b-2 is primary in b"],
  ["no standby leader", withPatroni("b-1", { role: "replica" }), "b has 0 of standby_leader"],
  ["a standby cluster no more", withPatroni("b-1", { config: {} }), "b: standby_cluster is undefined"],
  [
    "a source that is lost",
    withPatroni("b-1", { source: { host: null, streaming: false } }),
    "b-1 does not stream",
  ],
  ["two timelines", withPatroni("a-3", { timeline: 9 }), "on timelines"],
  ["two systems", withPatroni("a-3", { systemIdentifier: "1" }), "of 2 database systems"],
  ["Patroni that is paused", withPatroni("a-1", { paused: true }), "Patroni is paused"],
  [
    "a restart that is due",
    withPatroni("a-3", { pendingRestart: ["max_connections"] }),
    "waits for a restart",
  ],
  [
    "a program that ended",
    withReport("a-proxy", ({ programs }) => ({
      programs: { haproxy: { ...programs.haproxy, state: "backoff" } } as UnitReport["programs"],
    })),
    "haproxy is backoff",
  ],
  [
    "a lock that somebody holds",
    withReport("a-1", () => ({ lock: { owner: "x", since: "", alive: true } as UnitReport["lock"] })),
    "is locked by x",
  ],
] as const)("%s", (_, observed, words) => {
  expect(complaints(observed as RegionsObserved)).toContain(words);
});

test("a slot of nobody", () => {
  expect(slots({ "a-1": ["a_2", "left_over"] })).toEqual(["a-1 has foreign slots: left_over"]);
  expect(slots({ "b-1": ["b"] })).toEqual(["b-1 has foreign slots: b"]);
});

test("nobody synchronous", () => {
  const { patroni } = reportOf(healthy, "a-1");
  const members = patroni?.cluster.members.map((each) => ({ ...each, syncStandby: false })) ?? [];
  const observed = withPatroni("a-1", { cluster: { leader: "a-1", members } });
  expect(complaints(observed)).toContain("a has no synchronous standby");
});
