/**
 * I4 for regions: what must hold of every host when a fault is over, read off the facts. Nothing here is taken from the
 * plan: it is the oracle for it.
 */
import type { DesiredRegion, RegionsDesired } from "../../components/regions/desired.ts";
import type { PatroniFacts, RegionsObserved, UnitReport } from "../../components/regions/facts.ts";
import { allHosts } from "../../components/regions/wish.ts";

/** Names of the replication slots, by member. */
export type Slots = Readonly<Record<string, readonly string[]>>;

interface Up {
  readonly name: string;
  readonly region: string;
  readonly report: UnitReport;
}

/** `former`: members that left; Patroni keeps the slot of one for as long as `member_slots_ttl` says, half an hour. */
export function regionComplaints(
  observed: RegionsObserved,
  desired: RegionsDesired,
  slots: Slots,
  former: readonly string[] = [],
): string[] {
  const up = allHosts(desired).flatMap(({ name, region }): Up[] => {
    const facts = observed.hosts[name];
    return facts?.reach === "up" ? [{ name, region, report: facts.report }] : [];
  });
  const silent = Object.entries(observed.hosts).flatMap(([name, { reach }]) =>
    when(reach !== "up", `${name} is ${reach}`),
  );
  return [
    ...silent,
    ...up.flatMap(ofHost),
    ...desired.regions.flatMap((region) => ofRegion(region, up, desired)),
    ...timelines(up),
    ...desired.regions.flatMap((region) => foreignSlots(region, desired, slots, former)),
  ];
}

function ofHost({ name, report }: Up): string[] {
  const programs = Object.entries(report.programs).flatMap(([program, { state, reason }]) =>
    when(state !== "running", `${name}: ${program} is ${state} (${reason})`),
  );
  return [
    ...programs,
    ...report.problems.map((problem) => `${name}: ${problem}`),
    ...when(report.lock?.alive === true, `${name} is locked by ${report.lock?.owner}`),
    ...when(report.consul !== null && report.consul.leader === null, `${name}: its Consul has no leader`),
    ...when(report.consul?.healthy === false, `${name}: Consul's Autopilot calls its servers unhealthy`),
    ...when(report.consul?.tokenValid === false, `${name}: its token is not known`),
    ...when(report.patroni?.paused === true, `${name}: Patroni is paused`),
    ...when(
      (report.patroni?.pendingRestart.length ?? 0) > 0,
      `${name} waits for a restart: ${report.patroni?.pendingRestart}`,
    ),
  ];
}

function ofRegion(region: DesiredRegion, up: readonly Up[], { active, policy }: RegionsDesired): string[] {
  const members = region.members.flatMap(({ name }) => {
    const patroni = up.find((host) => host.name === name)?.report.patroni;
    return patroni ? [{ name, patroni }] : [];
  });
  const leads = region.name === active ? "primary" : "standby_leader";
  const leaders = members.filter(({ patroni }) => patroni.role === leads);
  const [leader, ...more] = leaders;
  const wrong = members.filter(({ patroni }) => patroni.role !== leads && patroni.role !== "replica");
  if (leader === undefined || more.length > 0) {
    return [`${region.name} has ${leaders.length} of ${leads}: ${leaders.map(({ name }) => name)}`];
  }
  const { config, cluster, source } = leader.patroni;
  const standbys = cluster.members.filter(({ name }) => name !== leader.name);
  const sync = standbys.filter(({ syncStandby }) => syncStandby);
  const wantsSync = region.name === active && policy.synchronous !== "off";
  return [
    ...wrong.map(({ name, patroni }) => `${name} is ${patroni.role} in ${region.name}`),
    ...when(members.length !== region.members.length, `${region.name}: some Patroni does not answer`),
    ...when(wantsSync && sync.length === 0, `${region.name} has no synchronous standby`),
    ...standbys.flatMap(({ name, state }) => when(state !== "streaming", `${name} is ${state}`)),
    ...when(
      (region.name === active) !== (config?.["standby_cluster"] === undefined),
      `${region.name}: standby_cluster is ${JSON.stringify(config?.["standby_cluster"])}`,
    ),
    ...when(region.name !== active && !source?.streaming, `${leader.name} does not stream from ${active}`),
  ];
}

function timelines(up: readonly Up[]): string[] {
  const facts = up.flatMap(({ report }) => report.patroni ?? []);
  const different = (of: (facts: PatroniFacts) => unknown) => [
    ...new Set(facts.map(of).filter((value) => value !== null)),
  ];
  const systems = different(({ systemIdentifier }) => systemIdentifier);
  const now = different(({ timeline }) => timeline);
  return [
    ...when(systems.length > 1, `the members are of ${systems.length} database systems`),
    ...when(now.length > 1, `the members are on timelines ${now.join(" and ")}`),
  ];
}

/** A slot that nobody advances keeps WAL until the disk is full. */
function foreignSlots(
  region: DesiredRegion,
  { regions }: RegionsDesired,
  slots: Slots,
  former: readonly string[],
): string[] {
  const others = regions.filter(({ name }) => name !== region.name).map(({ name }) => name);
  const known = new Set([...region.members.map(({ name }) => name), ...others, ...former].map(slotName));
  return region.members.flatMap(({ name }) => {
    const foreign = (slots[name] ?? []).filter((slot) => !known.has(slot));
    return when(foreign.length > 0, `${name} has foreign slots: ${foreign.join(", ")}`);
  });
}

function slotName(name: string): string {
  return name.replaceAll("-", "_");
}

function when(condition: boolean, message: string): string[] {
  return condition ? [message] : [];
}
