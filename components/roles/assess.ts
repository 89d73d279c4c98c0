/**
 * Whether a deployment is as it should be, judged from facts alone: the plan says what an update would do, the
 * rest is what no plan repairs (an expiring certificate, a lagging standby, a name that points elsewhere).
 */
import type { Desired, DesiredNode } from "./desired.ts";
import type { NodeFacts, NodeReport, Observed, SenderFacts } from "./facts.ts";
import {
  bytes,
  type Finding,
  finding,
  type NameAnswer,
  ofCertificate,
  ofPlan,
  type Verdict,
  verdictOf,
  when,
} from "./findings.ts";
import { describe } from "./plan/consequences.ts";
import { plan } from "./plan/plan.ts";
import { stateOf } from "./plan/state.ts";
import { wordsOf } from "./words.ts";

export interface NodeRow {
  readonly site: string;
  readonly node: string;
  readonly role: string;
  readonly timeline: number | null;
  /** `sync`, `async`, …, as its primary sees it. */
  readonly sync: string | null;
  readonly lagBytes: number | null;
  readonly lagSeconds: number | null;
  readonly slots: readonly string[];
  readonly walHeldBytes: number | null;
  readonly certificateUntil: string | null;
}

export interface Assessment {
  readonly verdict: Verdict;
  readonly active: string;
  readonly nodes: readonly NodeRow[];
  readonly names: readonly NameAnswer[];
  readonly findings: readonly Finding[];
}

const lagLimitBytes = 64 * 2 ** 20;
const lagLimitSeconds = 30;
const freeLimitBytes = 512 * 2 ** 20;
const archiveLimit = 16;

/** `more`: found by others, e.g. by the survey of the machines. */
export function assess(
  observed: Observed,
  desired: Desired,
  names: readonly NameAnswer[],
  more: readonly Finding[] = [],
): Assessment {
  const facts = desired.nodes.map((node) => [node, observed.nodes[node.name] ?? unobserved] as const);
  const findings = [
    ...planned(observed, desired),
    ...facts.flatMap(([node, found]) =>
      found.reach === "up" ? ofNode(node, found.report, observed.at) : [],
    ),
    ...ofPrimary(desired.active, observed.nodes[desired.active]),
    ...names.flatMap((answer) => ofName(answer, desired)),
    ...more,
  ];
  return {
    verdict: verdictOf(findings),
    active: desired.active,
    nodes: desired.nodes.map((node) => row(node.name, node.site, observed)),
    names,
    findings,
  };
}

const unobserved: NodeFacts = { reach: "unreachable", reason: "it was not observed" };

function planned(observed: Observed, desired: Desired): Finding[] {
  return ofPlan(plan(observed, desired), (step) =>
    step.kind === "awaitStandby"
      ? finding("wrong", "W_STANDBY", `${step.standby} does not follow ${step.node} as it should`)
      : finding("wrong", "W_UPDATE_DUE", `pulumi up would ${describe(step)}`),
  );
}

function ofNode(node: DesiredNode, report: NodeReport, at: string): Finding[] {
  const { name } = node;
  const { certificate, data, server, degraded } = report;
  const sql = server.sql;
  return [
    ...ofCertificate(name, certificate, at),
    ...when(
      degraded !== null,
      "W_DEGRADED",
      `${name} has acknowledged commits without its standby since ${degraded?.since} (${degraded?.lsn}): a failover now could lose them`,
    ),
    ...when(
      data.freeBytes < freeLimitBytes,
      "W_DISK_SPACE",
      `${name}: ${bytes(data.freeBytes)} are free ${wordsOf(node).onData}`,
    ),
    ...when(
      sql?.replayPaused ?? false,
      "W_REPLAY_PAUSED",
      `${name}: replay is paused; SELECT pg_wal_replay_resume()`,
    ),
    ...when(
      (sql?.archiveBacklog ?? 0) > archiveLimit,
      "W_ARCHIVE_BACKLOG",
      `${name}: ${sql?.archiveBacklog} WAL files wait to be archived`,
    ),
    ...(sql?.slots ?? [])
      .filter((slot) => slot.walStatus === "lost" || slot.walStatus === "unreserved")
      .map((slot) => finding("wrong", "W_SLOT", `${name}: slot ${slot.name} is ${slot.walStatus}`)),
    ...(sql?.pendingRestart.length
      ? [
          finding(
            "note",
            "N_RESTART_PENDING",
            `${name}: ${sql.pendingRestart.join(", ")} waits for a restart`,
          ),
        ]
      : []),
  ];
}

function ofPrimary(name: string, facts: NodeFacts | undefined): Finding[] {
  const sql = facts?.reach === "up" ? facts.report.server.sql : null;
  if (!sql || sql.inRecovery) return [];
  return [
    ...when(!sql.clientsAdmitted, "W_CLIENTS_HELD", `${name} lets no client in until its standby is in sync`),
    ...sql.senders.flatMap((sender) =>
      when(
        sender.lagBytes > lagLimitBytes || sender.lagSeconds > lagLimitSeconds,
        "W_LAG",
        `${sender.applicationName} is ${bytes(sender.lagBytes)} and ${sender.lagSeconds.toFixed(1)} s behind ${name}`,
      ),
    ),
  ];
}

function ofName({ name, addresses, error }: NameAnswer, desired: Desired): Finding[] {
  const active = desired.nodes.find((node) => node.name === desired.active);
  if (error !== null) return [finding("unknown", "W_NAME", `${name}: ${error}`)];
  const right = addresses.length === 1 && addresses[0] === active?.address;
  const said = addresses.join(", ") || "nothing";
  return when(!right, "W_NAME", `${name} answers ${said}, and ${desired.active} is at ${active?.address}`);
}

function row(node: string, site: string, observed: Observed): NodeRow {
  const facts = observed.nodes[node] ?? unobserved;
  const report = facts.reach === "up" ? facts.report : null;
  const sql = report?.server.sql ?? null;
  const seen = senderOf(node, observed);
  const held = sql?.slots.map((slot) => slot.heldBytes) ?? [];
  return {
    site,
    node,
    role: stateOf(facts),
    timeline: sql?.timeline ?? report?.data.control?.timeline ?? null,
    sync: seen?.syncState ?? null,
    lagBytes: seen?.lagBytes ?? null,
    lagSeconds: seen?.lagSeconds ?? null,
    slots: sql?.slots.map((slot) => `${slot.name} (${slot.active ? "active" : "inactive"})`) ?? [],
    walHeldBytes: sql === null ? null : Math.max(0, ...held),
    certificateUntil: report?.certificate?.notAfter ?? null,
  };
}

/** The standby as the node that sends to it sees it. */
function senderOf(node: string, observed: Observed): SenderFacts | undefined {
  return Object.values(observed.nodes)
    .flatMap((facts) => (facts.reach === "up" ? (facts.report.server.sql?.senders ?? []) : []))
    .find((sender) => sender.applicationName === node);
}
