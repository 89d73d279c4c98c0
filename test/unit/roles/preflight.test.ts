/** Each reason not to begin a role change: the healthy pair with one thing wrong, and the message that names it. */
import { describe, expect, test } from "vitest";
import type { Desired, FailoverStatement } from "../../../components/roles/desired.ts";
import type { NodeFacts } from "../../../components/roles/facts.ts";
import { plan } from "../../../components/roles/plan/plan.ts";
import { renderPlan } from "../../../components/roles/plan/render.ts";
import { desired, files, nodeIn, observed, sender, slot } from "../../support/facts.ts";
import { withFiles, withReport, withSql } from "../../support/modify.ts";

const a = nodeIn("primary", "a", ["b"], "primary");
const b = nodeIn("standby-streaming", "b", ["a"], "standby");
const toB: Desired = { ...desired("strict"), active: "b" };

type Pair = { readonly a?: NodeFacts; readonly b?: NodeFacts };

function refusals(nodes: Pair, wish: Partial<Desired> = {}, moment: "preview" | "apply" = "apply") {
  return plan(observed({ a, b, ...nodes }), { ...toB, ...wish }, moment).refusals;
}

test("nothing is wrong with the healthy pair", () => {
  expect(refusals({})).toEqual([]);
});

const behind = { ...sender("b"), lagBytes: 17 * 2 ** 20 };
const clock = (at: string) => (report: NodeFacts) => withReport(report, () => ({ clock: at }));

describe("a switchover is not begun", () => {
  test.each<readonly [string, Pair, string, RegExp]>([
    [
      "the standby catches up",
      {
        a: withSql(a, { senders: [{ ...sender("b"), state: "catchup", syncState: "async", lagBytes: 99 }] }),
      },
      "E_STANDBY_NOT_SYNC",
      /state=catchup, sync_state=async, lag=99 bytes, slot=reserved/,
    ],
    [
      "its slot is lost",
      { a: withSql(a, { slots: [slot("b", { walStatus: "lost" })] }) },
      "E_STANDBY_NOT_SYNC",
      /slot=lost/,
    ],
    [
      "it lags",
      { a: withSql(a, { senders: [behind] }) },
      "E_STANDBY_LAG",
      /17825792 bytes behind a, more than 16777216/,
    ],
    [
      "its replay is paused",
      { b: withSql(b, { replayPaused: true }) },
      "E_REPLAY_PAUSED",
      /pg_wal_replay_resume/,
    ],
    ["a backup runs", { a: withSql(a, { backupRunning: true }) }, "E_BACKUP_RUNNING", /runs on a/],
    [
      "the archive is stuck",
      { a: withSql(a, { archiveBacklog: 17 }) },
      "E_ARCHIVE_BACKLOG",
      /More than 16 WAL files/,
    ],
    [
      "commits went without the standby",
      { a: withReport(a, () => ({ degraded: { since: "2025-12-31T00:00:00Z", lsn: "0/2000000" } })) },
      "E_DEGRADED_SINCE",
      /since 2025-12-31T00:00:00Z \(0\/2000000\)/,
    ],
    [
      "the new primary has no room",
      { b: withReport(b, ({ data }) => ({ data: { ...data, freeBytes: 511 * 2 ** 20 } })) },
      "E_DISK_SPACE",
      /511 MiB free.*less than 512 MiB/,
    ],
    ["a clock is off", { b: clock("2026-01-01T00:00:03Z")(b) }, "E_CLOCK", /b says 2026-01-01T00:00:03Z/],
    [
      "clocks are apart",
      { a: clock("2025-12-31T23:59:58.500Z")(a), b: clock("2026-01-01T00:00:01.500Z")(b) },
      "E_CLOCK",
      /a says .*b says/,
    ],
    [
      "its certificate ends soon",
      { b: withReport(b, () => ({ certificate: { notAfter: "2026-01-01T23:00:00Z", sans: [] } })) },
      "E_CERT_EXPIRY",
      /ends on 2026-01-01T23:00:00Z/,
    ],
    [
      "another image",
      { a: { ...a, image: "postgres-old" } as NodeFacts },
      "E_CHANGE_TOO_WIDE",
      /the image of a, which needs a new container/,
    ],
    ["another system", { b: withSql(b, { systemIdentifier: "1" }) }, "E_SYSID_MISMATCH", /b has 1/],
  ])("%s", (_name, nodes, code, message) => {
    expect(refusals(nodes)).toMatchObject([{ code, message: expect.stringMatching(message) }]);
  });

  test("with a change that needs a restart in the same update", () => {
    const changed = files({ max_connections: 200 });
    const nodes = desired("strict").nodes.map((node) => ({ ...node, files: changed }));
    const installed = { a: withFiles(a, { installed: changed }), b: withFiles(b, { installed: changed }) };
    expect(refusals(installed, { nodes })).toMatchObject([
      { code: "E_CHANGE_TOO_WIDE", message: expect.stringContaining("max_connections on b") },
    ]);
  });

  test("with a certificate that ends soon, unless this update renews it", () => {
    const old = withReport(b, () => ({ certificate: { notAfter: "2026-01-01T23:00:00Z", sans: [] } }));
    const nodes = toB.nodes.map((node) => ({ ...node, files: { ...node.files, "certificate.json": "new" } }));
    expect(refusals({ b: old }, { nodes }, "preview")).toEqual([]);
  });

  test("lag has the limit that the policy names, and asynchronous is fine where nobody waits", () => {
    const slow = { a: withSql(a, { senders: [behind] }) };
    expect(refusals(slow, { policy: { ...toB.policy, lagLimitBytes: 2 ** 30 } })).toEqual([]);
    const asynchronous = { a: withSql(a, { senders: [{ ...sender("b"), syncState: "async" }] }) };
    expect(refusals(asynchronous, { policy: { ...toB.policy, synchronous: "off" } })).toEqual([]);
  });

  test("the time that the observation took is not counted as a clock's error", () => {
    const late = clock("2026-01-01T00:00:09Z")(b);
    const found = { ...observed({ a, b: late }), until: "2026-01-01T00:00:09.500Z" };
    expect(plan(found, toB).refusals).toEqual([]);
  });

  test("everything that is wrong is told together", () => {
    const bad = withReport(withSql(b, { replayPaused: true }), ({ data }) => ({
      data: { ...data, freeBytes: 0 },
    }));
    expect(refusals({ b: bad }).map(({ code }) => code)).toEqual(["E_REPLAY_PAUSED", "E_DISK_SPACE"]);
  });
});

const statement: FailoverStatement = {
  from: "a",
  to: "b",
  fenceConfirmed: "powered off",
  at: "2025-12-31T23:50:00Z",
  validForMinutes: 15,
  acceptDataLoss: true,
};
const gone: NodeFacts = { reach: "unreachable", reason: "no answer within 20 s" };
const lagging = nodeIn("standby-lagging", "b", ["a"], "standby");

describe("a failover is not begun", () => {
  const failover = (change: Partial<FailoverStatement>, nodes: Pair = {}) =>
    refusals({ a: gone, b: lagging, ...nodes }, { failover: { ...statement, ...change } });

  test("without a statement; the message has the commands", () => {
    const [refusal, ...others] = refusals({ a: gone, b: lagging });
    expect(others).toEqual([]);
    expect(refusal).toMatchObject({ code: "E_FENCE_UNCONFIRMED" });
    expect(refusal?.message).toContain("a, which led last, does not answer (no answer within 20 s)");
    expect(refusal?.message.split("\n").slice(1)).toEqual([
      "      pulumi config set --path failover.from a",
      "      pulumi config set --path failover.to b",
      '      pulumi config set --path failover.fenceConfirmed "why a takes no writes"',
      "      pulumi config set --path failover.at 2026-01-01T00:00:00.000Z",
      "      pulumi config set --path failover.acceptDataLoss true",
    ]);
  });

  test.each<readonly [string, Partial<FailoverStatement>, string, RegExp]>([
    ["too old", { at: "2025-12-31T23:44:59Z" }, "E_FENCE_STALE", /was valid for 15 minutes/],
    ["in the future", { at: "2026-01-01T00:01:00Z" }, "E_FENCE_STALE", /in the future/],
    ["for another event", { from: "c" }, "E_FENCE_STALE", /from c to b, and this is one from a to b/],
    [
      "without consent to a loss",
      { acceptDataLoss: false },
      "E_DATA_LOSS",
      /not known.*failover\.acceptDataLoss true/,
    ],
  ])("%s", (_name, change, code, message) => {
    expect(failover(change)).toMatchObject([{ code, message: expect.stringMatching(message) }]);
  });

  test("by a statement from before the last role change", () => {
    const moved = withReport(lagging, () => ({
      promotion: {
        mode: "switchover" as const,
        from: "b",
        to: "a",
        at: "2025-12-31T23:55:00Z",
        timeline: 1,
        switchLsn: "0/1000000",
        statementAt: null,
      },
    }));
    expect(failover({}, { b: moved })).toMatchObject([
      { code: "E_FENCE_STALE", message: expect.stringContaining("roles have changed after that (b to a") },
    ]);
  });

  test("to a standby that has less than another one", () => {
    const wish: Desired = { ...desired("strict", ["a", "b", "c"]), active: "b", failover: statement };
    const more = withSql(nodeIn("standby-lagging", "c", ["a"], "standby"), { receiveLsn: "0/3000248" });
    expect(plan(observed({ a: gone, b: lagging, c: more }), wish).refusals).toMatchObject([
      { code: "E_STANDBY_BEHIND", message: expect.stringContaining("Make c the active site") },
    ]);
  });

  test("while the old primary answers", () => {
    expect(refusals({}, { failover: statement })).toMatchObject([{ code: "E_PRIMARY_ALIVE" }]);
  });
});

describe("the preview", () => {
  const text = (nodes: Pair, wish: Partial<Desired> = {}) => {
    const found = observed({ a, b, ...nodes });
    const wanted = { ...toB, ...wish };
    return renderPlan(plan(found, wanted, "preview"), found, wanted);
  };

  test("of a switchover", () => {
    expect(text({})).toMatchInlineSnapshot(`
      "9 steps, b leads:
         1  checkpoint on a
         2  checkpoint on b
         3  slots on b: make a
         4  stop PostgreSQL on a
            clients are disconnected; writes stop here
         5  fence a: whoever starts it gets a standby of b
         6  prove that b has everything that a had
            same system, same timeline, same REDO location; otherwise the old primary leads again
         7  promote b, and start a as its standby
            the point of no return; writes begin here as soon as a standby is in sync
         8  wait until a follows b
         9  slots on a: drop b

      To know:
        N_WRITE_GAP  a hands over to b: clients are disconnected, and writes are expected to stop for 0.2 to 0.3 s.
        N_DATA_AT_RISK  None: b is promoted only with the same system identifier, timeline and REDO location as the stopped a. If any differs, or a step before it fails, a leads again.
        N_WAY_BACK  Afterwards, the same way back: pulumi config set active a && pulumi up"
    `);
  });

  test("of a failover", () => {
    expect(text({ a: gone, b: lagging }, { failover: statement })).toMatchInlineSnapshot(`
      "1 step, b leads:
         1  promote b
            the point of no return; writes begin here, acknowledged by this site alone until a standby has caught up

      To know:
        N_DATA_AT_RISK  Whether acknowledged writes are lost is not known (how much is not known): b has no record of how a treated commits.
        N_OLD_SITE  a is left alone while the statement names it. When it is to come back: pulumi config rm failover && pulumi up. What only it has is kept aside first, then it is rewound or copied anew.
        N_DEGRADED_AFTERWARDS  b acknowledges commits alone until a standby has caught up; until then another failover could lose them."
    `);
  });

  test("names who is at work", () => {
    const locked = withReport(a, () => ({ lock: { owner: "eve@laptop pid 7", since: "2026", alive: true } }));
    expect(text({ a: locked })).toContain("N_LOCKED  a is locked by eve@laptop pid 7 since 2026");
  });
});
