import { describe, expect, test } from "vitest";
import { assume } from "../../../components/roles/plan/assume.ts";
import { fleetOf } from "../../../components/roles/plan/fleet.ts";
import { plan } from "../../../components/roles/plan/plan.ts";
import { control, desired, emptyCatalog, nodeIn, observed, slot } from "../../support/facts.ts";
import { withFiles, withReport, withSql } from "../../support/modify.ts";

const primary = nodeIn("primary", "a", ["b"], "primary");
const standby = nodeIn("standby-streaming", "b", ["a"], "standby");

function refused(a: typeof primary, b: typeof standby, policy: "strict" | "available" = "strict") {
  return plan(observed({ a, b }), desired(policy)).refusals;
}

test("two primaries: both are named, with what tells them apart", () => {
  const [refusal, ...others] = refused(primary, nodeIn("primary", "b", ["a"], "primary"));
  expect(others).toEqual([]);
  expect(refusal).toMatchObject({
    code: "E_SPLIT_BRAIN",
    message: expect.stringMatching(/a \(primary, timeline 1.*and b/),
  });
});

test("a stopped primary beside the primary is one too many", () => {
  expect(refused(primary, nodeIn("stopped-clean", "b", ["a"], "primary"))).toMatchObject([
    { code: "E_SPLIT_BRAIN" },
  ]);
});

test("a standby on a later timeline than its primary", () => {
  expect(refused(primary, withSql(standby, { timeline: 2 }))).toMatchObject([
    { code: "E_SPLIT_BRAIN", message: expect.stringContaining("timeline 2, the primary a on 1") },
  ]);
});

test("a standby on an earlier timeline is only behind", () => {
  expect(refused(withSql(primary, { timeline: 2 }), standby)).toEqual([]);
});

test("another system", () => {
  expect(refused(primary, withSql(standby, { systemIdentifier: "7300000000000000002" }))).toMatchObject([
    { code: "E_SYSID_MISMATCH", message: expect.stringMatching(/a has 73.*1, b has 73.*2/) },
  ]);
});

test("another major version, also of a stopped node", () => {
  const old = withReport(nodeIn("stopped-clean", "a", ["b"], "primary"), ({ data }) => ({
    data: { ...data, control: control("shut down", { majorVersion: 16 }) },
  }));
  expect(refused(old, standby)).toMatchObject([
    { code: "E_PG_VERSION", message: expect.stringContaining("set it back to 16") },
  ]);
});

test("everything that is wrong is told together", () => {
  const codes = refused(
    withSql(primary, { systemIdentifier: "1" }),
    nodeIn("primary", "b", ["a"], "primary"),
  ).map(({ code }) => code);
  expect(codes).toEqual(["E_SPLIT_BRAIN", "E_SYSID_MISMATCH"]);
});

describe("a lost primary", () => {
  test("says where the data is", () => {
    const [refusal] = refused(nodeIn("empty", "a", ["b"], "primary"), standby);
    expect(refusal).toMatchObject({
      code: "E_NO_PRIMARY",
      message: expect.stringContaining("The data is on b"),
    });
  });
});

describe("durability", () => {
  const batch = {
    login: true,
    superuser: false,
    replication: false,
    createDb: false,
    createRole: false,
    connectionLimit: -1,
    memberOf: [],
    passwordMatches: null,
  };
  const a = withSql(primary, {
    catalog: { ...emptyCatalog, roles: { batch: { ...batch, settings: { synchronous_commit: "local" } } } },
  });

  test("a role that lowers it breaks strict", () => {
    expect(refused(a, standby)).toMatchObject([
      {
        code: "E_DURABILITY_LOWERED",
        message: expect.stringContaining('role "batch" sets synchronous_commit = local'),
      },
    ]);
  });

  test("it may under other policies", () => {
    expect(refused(a, standby, "available")).toEqual([]);
  });
});

test("files that are not those of this update are refused at apply and expected at preview", () => {
  const edited = withFiles(standby, { installed: { "postgresql.conf": "work_mem = '1GB'\n" } });
  const found = observed({ a: primary, b: edited });
  expect(plan(found, desired("strict"), "apply").refusals).toMatchObject([{ code: "E_FILES_STALE" }]);
  expect(plan(found, desired("strict"), "preview").refusals).toEqual([]);
});

describe("slots", () => {
  const kinds = (a: typeof primary, b: typeof standby) => plan(observed({ a, b }), desired("strict"));

  test("a missing one is made", () => {
    expect(kinds(withSql(primary, { slots: [] }), standby).steps).toEqual([
      { kind: "slots", node: "a", ensure: ["b"], drop: [] },
    ]);
  });

  test("a lost one costs its standby the data directory, in this order", () => {
    const lost = withSql(primary, { slots: [slot("b", { active: false, walStatus: "lost" })], senders: [] });
    expect(kinds(lost, nodeIn("standby-lagging", "b", ["a"], "standby")).steps).toEqual([
      { kind: "slots", node: "a", ensure: [], drop: ["b"] },
      { kind: "slots", node: "a", ensure: ["b"], drop: [] },
      { kind: "stop", node: "b" },
      { kind: "clone", node: "b", from: "a", reason: "its WAL is gone", discard: "7300000000000000001" },
      { kind: "start", node: "b", as: "standby" },
      { kind: "awaitStandby", node: "a", standby: "b" },
    ]);
  });

  test("a standby that says that its WAL is gone is made anew", () => {
    const behind = withSql(nodeIn("standby-lagging", "b", ["a"], "standby"), { walGone: true });
    expect(kinds(primary, behind).steps.map(({ kind }) => kind)).toEqual([
      "stop",
      "clone",
      "start",
      "awaitStandby",
    ]);
  });

  test("a standby that merely lags keeps its data", () => {
    const steps = kinds(primary, nodeIn("standby-lagging", "b", ["a"], "standby")).steps;
    expect(steps.map(({ kind }) => kind)).toEqual(["awaitStandby"]);
  });

  test("a standby without standby.signal is never copied over, whatever became of its slot", () => {
    const a = withSql(primary, { slots: [slot("b", { active: false, walStatus: "lost" })], senders: [] });
    const b = withReport(nodeIn("stopped-clean-standby", "b", ["a"], "standby"), ({ data }) => ({
      data: { ...data, standbySignal: false },
    }));
    expect(kinds(a, b).steps.map(({ kind }) => kind)).not.toContain("clone");
  });

  test("a slot of our own that somebody reads stays", () => {
    expect(kinds(withSql(primary, { slots: [slot("b"), slot("a")] }), standby).steps).toEqual([]);
  });

  test("leftovers that are ours go, others are named and stay, and nothing active is touched", () => {
    const a = withSql(primary, {
      slots: [slot("b"), slot("a", { active: false }), slot("archive", { active: false })],
    });
    const b = withSql(standby, { slots: [slot("a", { active: false }), slot("mine", { active: true })] });
    const made = kinds(a, b);
    expect(made.steps).toEqual([
      { kind: "slots", node: "a", ensure: [], drop: ["a"] },
      { kind: "slots", node: "b", ensure: [], drop: ["a"] },
    ]);
    expect(made.notices).toMatchObject([
      { code: "N_SLOT_FOREIGN", message: expect.stringContaining('"archive"') },
    ]);
  });
});

test("a running standby of somebody else is stopped before it is turned", () => {
  const elsewhere = withReport(standby, ({ data }) => ({ data: { ...data, follows: "c" } }));
  expect(
    plan(observed({ a: primary, b: elsewhere }), desired("strict")).steps.map(({ kind }) => kind),
  ).toEqual(["stop", "follow", "start", "awaitStandby"]);
});

test("a streaming standby that is not synchronous yet is waited for, under the policies that need it", () => {
  const sender = { ...(primary.reach === "up" && primary.report.server.sql?.senders[0]), syncState: "async" };
  const a = withSql(primary, { senders: [sender as never] });
  const kinds = (policy: "strict" | "off") => plan(observed({ a, b: standby }), desired(policy)).steps.length;
  expect([kinds("strict"), kinds("off")]).toEqual([1, 0]);
});

test("a restarted primary is expected to have lost its standbys until they are waited for", () => {
  const found = fleetOf(observed({ a: primary, b: standby }), desired("strict"), "apply");
  const restarted = assume(found, { kind: "restart", node: "a", as: "primary", changed: [] });
  expect([found, restarted].map(({ standbys }) => standbys[0]?.inSync)).toEqual([true, false]);
  const waited = assume(restarted, { kind: "awaitStandby", node: "a", standby: "b" });
  expect(waited.standbys[0]).toMatchObject({ state: "standby-streaming", inSync: true });
});
