/** A region's Consul as its servers show it, and what of it differs from the wish. */
import type { DesiredRegion } from "../desired.ts";
import type { ConsulFacts } from "../facts.ts";
import type { HostView } from "./fleet.ts";

export interface Consul {
  /** There is a leader, so a majority of the servers works together. */
  readonly led: boolean;
  /** What of policies and tokens is not as wished; null: they cannot be seen yet. */
  readonly ungranted: readonly string[] | null;
  /** Raft's members, as the leader has them. */
  readonly peers: ConsulFacts["peers"];
  /** Members of gossip that are declared no more and gone, and that some server still has. */
  readonly gone: readonly string[];
  readonly healthy: boolean | null;
}

export function consulOf(wish: DesiredRegion, servers: readonly HostView[]): Consul {
  const reports = servers.flatMap(({ facts }) => (facts.reach === "up" ? (facts.report.consul ?? []) : []));
  const led = reports.filter(({ leader }) => leader !== null);
  const access = led.flatMap((facts) => facts.access ?? [])[0];
  const peers = led.map((facts) => facts.peers).find((found) => found.length > 0) ?? [];
  const declared = [...wish.servers, ...wish.members].map(({ name }) => name);
  const known = [...declared, ...peers.map(({ node }) => node)];
  return {
    led: led.length > 0,
    ungranted: access === undefined ? null : accessChanges(wish.access, access),
    peers,
    gone: goneFrom(led, new Set(known)),
    healthy: led.map((facts) => facts.healthy).find((healthy) => healthy !== null) ?? null,
  };
}

/**
 * Every server has a list of its own, and the word that somebody is to be forgotten can miss one, which would have him for
 * three days. Nobody is gone who is alive for another: to forget him would be refused.
 */
function goneFrom(servers: readonly ConsulFacts[], known: ReadonlySet<string>): readonly string[] {
  const listed = servers.flatMap(({ members }) => members);
  const alive = new Set(listed.filter(({ status }) => status === "alive").map(({ node }) => node));
  const gone = new Set(listed.filter(({ status }) => isGone(status)).map(({ node }) => node));
  return [...gone].filter((node) => !known.has(node) && !alive.has(node)).sort();
}

/** A status of gossip. */
export function isGone(status: string): boolean {
  return status === "failed" || status === "left";
}

function accessChanges(wish: DesiredRegion["access"], found: NonNullable<ConsulFacts["access"]>): string[] {
  const policies = Object.fromEntries(wish.policies.map(({ name, rules }) => [name, rules.trim()]));
  const rules = mapValues(found.policies, (text) => text.trim());
  const names = (list: readonly string[]) => [...list].sort().join(" ");
  return [
    ...differences("policy", policies, rules),
    ...differences("token", mapValues(wish.tokens, names), mapValues(found.tokens, names)),
  ];
}

function differences(
  what: string,
  wish: Readonly<Record<string, string>>,
  found: Readonly<Record<string, string>>,
): string[] {
  const names = [...new Set([...Object.keys(wish), ...Object.keys(found)])].sort();
  return names
    .filter((name) => wish[name] !== found[name])
    .map((name) => {
      const how = wish[name] === undefined ? " is no more" : found[name] === undefined ? " is new" : "";
      return `${what} ${name}${how}`;
    });
}

function mapValues<A, B>(record: Readonly<Record<string, A>>, change: (value: A) => B): Record<string, B> {
  return Object.fromEntries(Object.entries(record).map(([name, value]) => [name, change(value)]));
}

/** Of the wish's servers, those that have a vote. */
export function votersOf({
  servers,
  consul,
}: {
  servers: readonly HostView[];
  consul: Consul;
}): readonly HostView[] {
  const voting = new Set(consul.peers.filter(({ voter }) => voter).map(({ node }) => node));
  return servers.filter(({ name }) => voting.has(name));
}
