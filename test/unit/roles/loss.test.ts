import { describe, expect, test } from "vitest";
import type { NodeFacts, NodeReport, ReceivedFacts } from "../../../components/roles/facts.ts";
import { assessLoss, inWords } from "../../../components/roles/plan/loss.ts";
import { bytesBetween, furthest } from "../../../components/roles/plan/lsn.ts";
import { control, nodeIn, observed } from "../../support/facts.ts";
import { withReport } from "../../support/modify.ts";

const gone: NodeFacts = { reach: "unreachable", reason: "no answer" };
const marker = { since: "2026-01-01T00:00:00Z", lsn: "0/3000000" };
const contact = "2026-01-01T01:00:00Z";

const standby = (received: Partial<ReceivedFacts> | null): NodeFacts =>
  withReport(nodeIn("standby-lagging", "b", ["a"], "standby"), () => ({
    received: received && {
      policy: "strict",
      degraded: null,
      lastContactAt: contact,
      primaryEndLsn: "0/3000248",
      receivedLsn: "0/3000148",
      ...received,
    },
  }));

const disk = (
  change: Partial<NodeReport>,
  state = "in production",
  endLsn: string | null = null,
): NodeFacts => {
  const facts = withReport(nodeIn("stopped-dirty", "a", ["b"], "primary"), ({ data }) => ({
    data: { ...data, control: control(state), endLsn },
    ...change,
  }));
  return facts.reach === "up" ? { reach: "stopped", reason: "exit 137", report: facts.report } : facts;
};

const loss = (a: NodeFacts, b: NodeFacts) => assessLoss(observed({ a, b }), "a", "b");

describe("what a failover may lose", () => {
  test.each([
    ["strict, never degraded", gone, standby({}), "none", 0x100, null],
    ["strict, degraded", gone, standby({ degraded: marker }), "possible", 0x100, marker.since],
    ["available, nothing known of A", gone, standby({ policy: "available" }), "possible", 0x100, contact],
    ["available, A's disk has no marker", disk({}), standby({ policy: "available" }), "none", 0x100, null],
    [
      "available, A's disk has one",
      disk({ degraded: marker }),
      standby({ policy: "available" }),
      "possible",
      0x100,
      marker.since,
    ],
    [
      "strict, A's disk has a marker",
      disk({ degraded: marker }),
      standby({ policy: "available", degraded: null }),
      "possible",
      0x100,
      marker.since,
    ],
    ["off", gone, standby({ policy: "off" }), "possible", 0x100, contact],
    ["off, A's disk has no marker", disk({}), standby({ policy: "off" }), "possible", 0x100, contact],
    ["off, A shut down and B has it all", disk({}, "shut down"), standby({ policy: "off" }), "none", 0, null],
    [
      "off, A's WAL ends where B's does",
      disk({}, "in production", "0/3000148"),
      standby({ policy: "off" }),
      "none",
      0,
      null,
    ],
    [
      "off, A's WAL goes on",
      disk({}, "in production", "0/3000548"),
      standby({ policy: "off" }),
      "possible",
      0x400,
      contact,
    ],
    ["no record at all", gone, standby(null), "unknown", null, null],
    ["a record without a policy", gone, standby({ policy: null }), "unknown", 0x100, contact],
    ["a standby that cannot be seen", gone, gone, "unknown", null, null],
  ] as const)("%s", (_name, a, b, acked, bytes, since) => {
    expect(loss(a, b)).toMatchObject({ acked, bytes, since });
  });

  test("a bound is only called one where A's WAL was read to its end", () => {
    expect(inWords(loss(gone, standby({ policy: "off" })))).toContain(
      "256 bytes of WAL when they last spoke, and whatever came after",
    );
    expect(inWords(loss(disk({}, "in production", "0/3000548"), standby({ policy: "off" })))).toContain(
      "(1024 bytes of WAL)",
    );
  });
});

describe("positions", () => {
  test("are numbers in two halves", () => {
    expect(bytesBetween("0/FFFFFFF0", "1/10")).toBe(0x20);
    expect(furthest([null, "0/10", undefined, "0/9"])).toBe("0/10");
    expect(furthest([])).toBeNull();
  });
});
