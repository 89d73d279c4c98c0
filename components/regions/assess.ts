/**
 * Whether regions are as they should be, judged from facts alone: the plan says what an update would do, the rest is
 * what no plan repairs (a lagging standby, a member of gossip that failed, a name that points elsewhere).
 */
import {
  type Finding,
  finding,
  type NameAnswer,
  ofPlan,
  type Verdict,
  verdictOf,
  when,
} from "../roles/findings.ts";
import type { DesiredHost, DesiredRegion, RegionsDesired } from "./desired.ts";
import type { HostFacts, RegionsObserved, UnitReport } from "./facts.ts";
import { type Found, ofHost, ofRegion } from "./findings.ts";
import { describe } from "./plan/consequences.ts";
import { planRegions } from "./plan/plan.ts";
import { ofSnapshots, snapshotWords } from "./snapshotFindings.ts";
import { regionNamed } from "./wish.ts";

export interface HostRow {
  readonly region: string;
  readonly host: string;
  /** What it is in its region, as it says itself: `primary`, `replica`, `Consul leader`, `proxy`, `unreachable`, … */
  readonly role: string;
  readonly state: string;
  readonly timeline: number | null;
  /** `sync`, where its leader waits for it; of a standby leader `async`. */
  readonly sync: string | null;
  readonly lagBytes: number | null;
  /** Who leads its Consul, as it sees it. */
  readonly consul: string | null;
  /** ISO 8601. */
  readonly certificateUntil: string | null;
}

export interface RegionsAssessment {
  readonly verdict: Verdict;
  readonly active: string;
  readonly hosts: readonly HostRow[];
  readonly names: readonly NameAnswer[];
  readonly findings: readonly Finding[];
}

/** `more`: found by others, e.g. by the survey of the machines. */
export function assessRegions(
  observed: RegionsObserved,
  desired: RegionsDesired,
  names: readonly NameAnswer[],
  more: readonly Finding[] = [],
): RegionsAssessment {
  const regions = desired.regions.map((region) => [region, factsOf(region, observed)] as const);
  const due = planned(observed, desired);
  // A refusal says of a host that it is away, and what to do.
  const isTold = (host: string) => due.some(({ message }) => message.startsWith(`${host} `));
  const findings = [
    ...due,
    ...regions.flatMap(([region, facts]) => [
      ...ofRegion(region, facts, desired, observed),
      ...facts.flatMap(([{ name }, found]) =>
        found.reach !== "up" && isTold(name) ? [] : ofHost(name, found, observed.at),
      ),
      ...facts.flatMap(([{ name }, found]) =>
        found.reach === "up" ? ofSnapshots(name, found.report.snapshots, observed.at) : [],
      ),
    ]),
    ...names.flatMap((answer) => ofName(answer, desired)),
    ...more,
  ];
  return {
    verdict: verdictOf(findings),
    active: desired.active,
    hosts: regions.flatMap(([region, facts]) =>
      facts.map(([host, found]) => row(region, host, found, observed.at)),
    ),
    names,
    findings,
  };
}

function factsOf({ servers, members, proxies }: DesiredRegion, observed: RegionsObserved): Found {
  const unobserved: HostFacts = { reach: "unreachable", reason: "it was not observed" };
  return [...servers, ...members, ...proxies].map((host) => [host, observed.hosts[host.name] ?? unobserved]);
}

function planned(observed: RegionsObserved, desired: RegionsDesired): Finding[] {
  return ofPlan(planRegions(observed, desired), (step) =>
    finding("wrong", "W_UPDATE_DUE", `pulumi up would ${describe(step)}`),
  );
}

function ofName({ name, addresses, error }: NameAnswer, desired: RegionsDesired): Finding[] {
  if (error !== null) return [finding("unknown", "W_NAME", `${name}: ${error}`)];
  const proxies = regionNamed(desired, desired.active).proxies.map(({ address }) => address);
  const right = addresses.length === 1 && proxies.includes(addresses[0] ?? "");
  const said = addresses.join(", ") || "nothing";
  return when(
    !right,
    "W_NAME",
    `${name} answers ${said}, and the active region ${desired.active} is reached at ${proxies.join(" or ")}`,
  );
}

function row(
  { name: region }: DesiredRegion,
  { name: host }: DesiredHost,
  facts: HostFacts,
  at: string,
): HostRow {
  const unknown = { timeline: null, sync: null, lagBytes: null, consul: null, certificateUntil: null };
  if (facts.reach !== "up") {
    const state = facts.reach === "absent" ? `data ${facts.data}` : facts.reason;
    return { region, host, role: facts.reach, state, ...unknown };
  }
  const { report } = facts;
  const entry = report.patroni?.cluster.members.find(({ name }) => name === host);
  const leads = report.patroni?.cluster.leader === host;
  return {
    ...{ region, host, role: roleOf(report), state: stateOf(report, at) },
    timeline: report.patroni?.timeline ?? report.data?.control?.timeline ?? null,
    sync: entry === undefined || leads ? null : entry.syncStandby ? "sync" : "async",
    lagBytes: leads ? null : (entry?.lagBytes ?? null),
    consul: report.consul?.leader ?? null,
    certificateUntil: report.certificate?.notAfter ?? null,
  };
}

function roleOf({ name, programs, patroni, consul, data }: UnitReport): string {
  if (programs.haproxy) return "proxy";
  if (programs.patroni || data) return patroni?.role ?? "member";
  const peer = consul?.peers.find(({ node }) => node === name);
  if (peer?.leader || consul?.leader === name) return "Consul leader";
  return peer && !peer.voter ? "Consul server, no vote" : "Consul server";
}

/** Of the program that the host is there for; of others only what is not as it should be. */
function stateOf({ programs, patroni, snapshots }: UnitReport, at: string): string {
  const unwell = Object.entries(programs)
    .filter(([, facts]) => facts.state !== "running")
    .map(([name, facts]) => `${name} ${facts.state}`);
  if (unwell.length > 0) return unwell.join(", ");
  return (
    patroni?.state ?? ["running", snapshotWords(snapshots, at)].filter((words) => words !== "").join(", ")
  );
}
