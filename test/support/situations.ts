/** The states that a site can be found in, each as its facts, seen from a pair `name` and `peer`. */
import type { NodeFacts, NodeReport } from "../../components/roles/facts.ts";
import { control, nodeIn, sender, slot } from "./facts.ts";
import { withReport, withSql } from "./modify.ts";

export type Situation = (name: string, peer: string) => NodeFacts;

const healthyPrimary: Situation = (name, peer) =>
  withSql(nodeIn("primary", name, [peer], "primary"), { senders: [sender(peer)], slots: [slot(peer)] });

const down =
  (state: Parameters<typeof nodeIn>[0], role: "primary" | "standby"): Situation =>
  (name, peer) =>
    nodeIn(state, name, [peer], role);

export const situations = {
  primary: healthyPrimary,
  "standby, streaming": down("standby-streaming", "standby"),
  "standby, lagging": down("standby-lagging", "standby"),
  "stopped cleanly": down("stopped-clean", "primary"),
  "stopped cleanly, fenced": (name, peer) =>
    withReport(nodeIn("stopped-clean", name, [peer], "primary"), ({ data }) => ({
      data: { ...data, standbySignal: true, follows: peer },
    })),
  stopping: (name, peer) =>
    withReport(nodeIn("stopped-dirty", name, [peer], "primary"), () => ({
      server: { state: "stopping", reason: null, sql: null },
    })),
  "stopped dirty": down("stopped-dirty", "primary"),
  crashed: down("failed", "primary"),
  starting: down("starting", "primary"),
  "standby, stopped": down("stopped-clean-standby", "standby"),
  "standby, crashed": down("failed", "standby"),
  "promoted (timeline 2)": (name, peer) => promoted(healthyPrimary(name, peer), name, peer),
  "primary, with own writes": (name, peer) =>
    withSql(healthyPrimary(name, peer), { currentLsn: "0/30009F0", senders: [], slots: [] }),
  "other system": (name, peer) =>
    withSql(nodeIn("standby-streaming", name, [peer], "standby"), {
      systemIdentifier: "7300000000000000002",
    }),
  empty: down("empty", "standby"),
  "half-built": down("half-built", "standby"),
  rewinding: down("rewinding", "standby"),
  "unit stopped": down("unit-stopped", "primary"),
  "unit stopped, was primary": (name, peer) => onDisk(nodeIn("stopped-dirty", name, [peer], "primary")),
  "unit stopped, was standby": (name, peer) => onDisk(nodeIn("stopped-dirty", name, [peer], "standby")),
  absent: down("absent", "primary"),
  unreachable: down("unreachable", "primary"),
} satisfies Record<string, Situation>;

/** It leads on timeline 2, by the record that its peer was given up. */
function promoted(facts: NodeFacts, name: string, peer: string): NodeFacts {
  const switchLsn = "0/3000180";
  const change = (report: NodeReport): Partial<NodeReport> => ({
    data: { ...report.data, control: control("in production", { timeline: 2, checkpointLsn: "0/30001F8" }) },
    history: [{ timeline: 1, switchLsn }],
    promotion: {
      mode: "failover",
      from: peer,
      to: name,
      at: "2025-12-31T23:00:00.000Z",
      timeline: 2,
      switchLsn,
      statementAt: "2025-12-31T22:59:00.000Z",
    },
  });
  return withReport(withSql(facts, { timeline: 2, currentLsn: "0/3000300" }), change);
}

function onDisk(facts: NodeFacts): NodeFacts {
  if (facts.reach !== "up") throw new Error("the node is not up");
  return { reach: "stopped", reason: "exit 137", report: facts.report };
}
