/**
 * I4: what must hold of the servers when a fault is over, read off the facts. Nothing here is taken from the plan: it
 * is the oracle for it.
 */
import type { Desired } from "../../components/roles/desired.ts";
import type { NodeReport, Observed, SqlFacts } from "../../components/roles/facts.ts";

interface Up {
  readonly name: string;
  readonly report: NodeReport;
  readonly sql: SqlFacts;
}

export function complaints(observed: Observed, desired: Desired): string[] {
  const found = desired.nodes.map(({ name }) => ({ name, up: upOf(name, observed) }));
  const silent = found.filter(({ up }) => !up).map(({ name }) => `${name} does not answer queries`);
  const up = found.flatMap((each) => each.up ?? []);
  return [...silent, ...roles(up, desired), ...timelines(up), ...up.flatMap((node) => ofNode(node, desired))];
}

function upOf(name: string, observed: Observed): Up | undefined {
  const facts = observed.nodes[name];
  if (facts?.reach !== "up") return undefined;
  const { sql } = facts.report.server;
  return sql ? { name, report: facts.report, sql } : undefined;
}

function roles(up: readonly Up[], { active, policy, nodes }: Desired): string[] {
  const primaries = up.filter((node) => !node.sql.inRecovery).map((node) => node.name);
  const senders = up.find((node) => node.name === active)?.sql.senders ?? [];
  const wanted = policy.synchronous === "off" ? "async" : "sync";
  const standbys = nodes.map((node) => node.name).filter((name) => name !== active);
  return [
    ...when(
      primaries.join() !== active,
      `${active} is to be the only primary, and it is ${primaries.join(", ") || "nobody"}`,
    ),
    ...standbys.flatMap((standby) => {
      const sender = senders.find((each) => each.applicationName === standby);
      const is = sender ? `${sender.state}, ${sender.syncState}` : "not there";
      return when(is !== `streaming, ${wanted}`, `${standby} is ${is}, as ${active} sees it`);
    }),
  ];
}

/** One line: nobody left it, and each knows the same way to where it is. */
function timelines(up: readonly Up[]): string[] {
  const now = new Set(up.map((node) => node.sql.timeline));
  const ways = new Set(up.map((node) => JSON.stringify(node.report.history ?? [])));
  const systems = new Set(up.map((node) => node.sql.systemIdentifier));
  return [
    ...when(systems.size > 1, `the nodes are of ${systems.size} database systems`),
    ...when(now.size > 1, `the nodes are on timelines ${[...now].join(" and ")}`),
    ...when(ways.size > 1, `the nodes came by different timelines: ${[...ways].join(" and ")}`),
  ];
}

function ofNode({ name, report, sql }: Up, { active, nodes }: Desired): string[] {
  const others = new Set(nodes.filter((node) => node.name !== name).map((node) => node.slot));
  const foreign = sql.slots.filter((slot) => !others.has(slot.name)).map((slot) => slot.name);
  const left = sql.slots.map((slot) => slot.name);
  return [
    ...when(foreign.length > 0, `${name} has foreign slots: ${foreign.join(", ")}`),
    // A slot that nobody advances keeps WAL until the disk is full.
    ...when(name !== active && left.length > 0, `${name} is a standby and keeps slots: ${left.join(", ")}`),
    ...when(report.degraded !== null, `${name} is marked as degraded`),
    ...when(report.data.state !== "ready", `${name}: its data directory is ${report.data.state}`),
    ...when(report.data.standbySignal !== (name !== active), `${name}: standby.signal is wrong`),
    ...when(name === active && !sql.clientsAdmitted, `${name} lets no client in`),
    ...when(report.lock?.alive === true, `${name} is locked by ${report.lock?.owner}`),
  ];
}

function when(condition: boolean, message: string): string[] {
  return condition ? [message] : [];
}
