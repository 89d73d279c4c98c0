/**
 * What a region is, by what its members say: a cluster that takes writes, a standby cluster, nothing yet. Where no
 * Patroni answers, by the control files: only who led a primary cluster last has one that says so.
 */
import type { DesiredRegion, RegionsDesired } from "../desired.ts";
import type { MemberView } from "./fleet.ts";

export type RegionRole =
  /** Not a standby cluster: whoever leads it takes writes. */
  | "primary"
  | "standby"
  /** Every member was looked into, and none holds anything. */
  | "none"
  | "unknown";

export function roleOf(
  members: readonly MemberView[],
  config: Readonly<Record<string, unknown>> | null,
): RegionRole {
  if (config !== null) return isStandby(config) ? "standby" : "primary";
  if (members.every(holdsNothing)) return "none";
  const states = members.flatMap(({ report }) => report?.data?.control?.state ?? []);
  if (states.length === 0) return "unknown";
  return states.some((state) => !state.includes("recovery") || state === "in crash recovery")
    ? "primary"
    : "standby";
}

export function holdsNothing({ facts }: MemberView): boolean {
  if (facts.reach === "absent") return facts.data === "none";
  if (facts.reach === "unreachable") return false;
  return facts.report?.data?.state === "empty";
}

/** Patroni's own rule for what a standby cluster is. */
export function isStandby(config: Readonly<Record<string, unknown>>): boolean {
  const section = config.standby_cluster;
  if (typeof section !== "object" || section === null) return false;
  const { host, port, restore_command } = section as Record<string, unknown>;
  return [host, port, restore_command].some(Boolean);
}

/** All members read the same Consul; the leader's answer is the freshest. */
export function configOf(members: readonly MemberView[]): Readonly<Record<string, unknown>> | null {
  const leader = leaderOf(members);
  const leading = members.find(({ name }) => name === leader)?.patroni?.config;
  const all = members.flatMap(({ patroni }) => (patroni?.config ? [patroni.config] : []));
  const found: Readonly<Record<string, unknown>> | null = leading ?? all[0] ?? null;
  // Before its first member has made the cluster there is a folder in Consul and nothing in it.
  return found !== null && Object.keys(found).length === 0 ? null : found;
}

/** Who holds the lock, by the word of the member that does, or else of any other. */
export function leaderOf(members: readonly MemberView[]): string | null {
  const leading = members.find(
    ({ patroni }) => patroni?.role === "primary" || patroni?.role === "standby_leader",
  );
  const said = members.flatMap(({ patroni }) => patroni?.cluster.leader ?? [])[0] ?? null;
  return leading?.patroni?.cluster.leader ?? said;
}

export function timelineOf(members: readonly MemberView[], leader: string | null): number | null {
  const leading = members.find(({ name }) => name === leader)?.patroni?.timeline;
  const all = members.flatMap(
    ({ patroni, report }) => patroni?.timeline ?? report?.data?.control?.timeline ?? [],
  );
  return leading ?? (all.length === 0 ? null : Math.max(...all));
}

/** The region that `standby_cluster.host` leads to: as we would write it today, or where those addresses are. */
export function followsOf(
  config: Readonly<Record<string, unknown>> | null,
  wish: DesiredRegion,
  desired: RegionsDesired,
): string | null {
  if (config === null || !isStandby(config)) return null;
  const found = hostsIn(config.standby_cluster);
  const source = desired.regions.find(({ name, members }) => {
    const ours = [...hostsIn(wish.standbyClusterOf[name]), ...members.map(({ address }) => address)];
    return ours.some((host) => found.includes(host));
  });
  return source?.name ?? null;
}

function hostsIn(section: unknown): string[] {
  const host = (section as Readonly<Record<string, unknown>> | undefined)?.host;
  return typeof host === "string" ? host.split(",").map((each) => each.trim()) : [];
}
