import { describe, expect, test } from "vitest";
import { assess } from "../../../components/roles/assess.ts";
import type { NameAnswer } from "../../../components/roles/findings.ts";
import { renderStatus } from "../../../components/roles/renderStatus.ts";
import { desired, nodeIn, observed, slot } from "../../support/facts.ts";
import { withReport, withSql } from "../../support/modify.ts";

const a = nodeIn("primary", "a", ["b"], "primary");
const b = nodeIn("standby-streaming", "b", ["a"], "standby");
const wish = desired("strict");
const right: NameAnswer = { name: "db.test", addresses: ["10.0.0.97"], error: null };

function judge(nodes: Partial<Record<"a" | "b", typeof a>>, names = [right]) {
  const { verdict, findings } = assess(observed({ a, b, ...nodes }), wish, names);
  return [verdict, ...findings.map(({ code }) => code)];
}

test("a healthy pair is fine", () => {
  expect(judge({})).toEqual(["fine"]);
});

describe("something is wrong", () => {
  const ending = (notAfter: string) => withReport(b, () => ({ certificate: { notAfter, sans: [] } }));
  const sender = a.reach === "up" ? a.report.server.sql?.senders[0] : undefined;
  test.each([
    ["the standby is away", { b: nodeIn("failed", "b", ["a"], "standby") }, ["W_UPDATE_DUE", "W_STANDBY"]],
    ["two primaries", { b: nodeIn("primary", "b", ["a"], "primary") }, ["E_SPLIT_BRAIN"]],
    ["a certificate that ended", { b: ending("2025-12-31T00:00:00Z") }, ["W_CERTIFICATE"]],
    ["a certificate that ends soon", { b: ending("2026-01-01T12:00:00Z") }, ["W_CERTIFICATE"]],
    ["no certificate", { b: withReport(b, () => ({ certificate: null })) }, ["W_CERTIFICATE"]],
    ["clients are held", { a: withSql(a, { clientsAdmitted: false }) }, ["W_CLIENTS_HELD"]],
    ["replay is paused", { b: withSql(b, { replayPaused: true }) }, ["W_REPLAY_PAUSED"]],
    ["lag", { a: withSql(a, { senders: [{ ...sender, lagBytes: 2 ** 30 } as never] }) }, ["W_LAG"]],
    [
      "a slot about to be lost",
      { a: withSql(a, { slots: [slot("b", { walStatus: "unreserved" })] }) },
      ["W_SLOT"],
    ],
    ["the archiver is behind", { a: withSql(a, { archiveBacklog: 99 }) }, ["W_ARCHIVE_BACKLOG"]],
    [
      "a full disk",
      { a: withReport(a, ({ data }) => ({ data: { ...data, freeBytes: 1e6 } })) },
      ["W_DISK_SPACE"],
    ],
    [
      "commits without the standby",
      { a: withReport(a, () => ({ degraded: { since: "2026-01-01T00:00:00Z", lsn: "0/1" } })) },
      ["W_STANDBY", "W_DEGRADED"],
    ],
  ] as const)("%s", (_what, nodes, codes) => {
    expect(judge(nodes)).toEqual(["wrong", ...codes]);
  });

  test("the name leads elsewhere", () => {
    expect(judge({}, [{ ...right, addresses: ["10.0.0.98"] }])).toEqual(["wrong", "W_NAME"]);
    expect(judge({}, [{ ...right, addresses: [] }])).toEqual(["wrong", "W_NAME"]);
  });
});

describe("it cannot be told", () => {
  test("a node that does not answer", () => {
    expect(judge({ b: nodeIn("unreachable", "b", ["a"], "standby") })).toEqual([
      "unknown",
      "E_NODE_UNREACHABLE",
    ]);
  });

  test("a name server that does not", () => {
    expect(judge({}, [{ ...right, addresses: [], error: "ETIMEOUT" }])).toEqual(["unknown", "W_NAME"]);
  });

  test("what is wrong beside it counts more", () => {
    expect(
      judge({ a: withSql(a, { clientsAdmitted: false }), b: nodeIn("unreachable", "b", [], "standby") })[0],
    ).toBe("wrong");
  });
});

test("a failover that was stated leaves a known state, and not a good one", () => {
  const failover = {
    from: "b",
    to: "a",
    fenceConfirmed: "off",
    at: "2026-01-01T00:00:00Z",
    validForMinutes: 15,
    acceptDataLoss: false,
  };
  const degraded = { since: "2026-01-01T00:00:01Z", lsn: "0/3000180" };
  const promotion = {
    ...({ mode: "failover", from: "b", to: "a", at: degraded.since } as const),
    ...{ timeline: 1, switchLsn: degraded.lsn, statementAt: failover.at },
  };
  const alone = withReport(withSql(a, { senders: [], slots: [] }), () => ({ degraded, promotion }));
  const found = observed({ a: alone, b: { reach: "stopped", reason: "exit 137" } });
  const { verdict, findings } = assess(found, { ...wish, failover }, [right]);
  expect([verdict, ...findings.map(({ code }) => code)]).toEqual(["wrong", "N_ALONE", "W_DEGRADED"]);
});

test("notes do not make it wrong", () => {
  expect(judge({ a: withSql(a, { alterSystem: { work_mem: "1GB" } }) })).toEqual(["fine", "N_ALTER_SYSTEM"]);
});

test("the table", () => {
  const found = observed({ a, b: nodeIn("standby-lagging", "b", ["a"], "standby") });
  expect(renderStatus(assess(found, wish, [right]))).toMatchInlineSnapshot(`
    "SITE  NODE  ROLE             TIMELINE  SYNC  LAG         SLOTS       WAL HELD  CERTIFICATE UNTIL
    a     a     primary *        1         -     -           b (active)  0 B       2027-01-01 00:00
    b     b     standby-lagging  1         sync  0 B, 0.0 s  -           0 B       2027-01-01 00:00
    * is to take writes

    db.test → 10.0.0.97

    WRONG   W_STANDBY  b does not follow a as it should

    Something is wrong."
  `);
});
