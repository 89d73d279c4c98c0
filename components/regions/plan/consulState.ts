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
  /** Members of gossip that are declared no more and gone. */
  readonly gone: readonly string[];
  readonly healthy: boolean | null;
}

export function consulOf(wish: DesiredRegion, servers: readonly HostView[]): Consul {
  const reports = servers.flatMap(({ facts }) => (facts.reach === "up" ? (facts.report.consul ?? []) : []));
  const led = reports.filter(({ leader }) => leader !== null);
  const access = led.flatMap((facts) => facts.access ?? [])[0];
  const peers = led.map((facts) => facts.peers).find((found) => found.length > 0) ?? [];
  const declared = new Set([...wish.servers, ...wish.members].map(({ name }) => name));
  const inRaft = new Set(peers.map(({ node }) => node));
  const gone = (led[0]?.members ?? []).filter(
    ({ node, status }) => status === "failed" && !declared.has(node) && !inRaft.has(node),
  );
  return {
    led: led.length > 0,
    ungranted: access === undefined ? null : accessChanges(wish.access, access),
    peers,
    gone: gone.map(({ node }) => node),
    healthy: led.map((facts) => facts.healthy).find((healthy) => healthy !== null) ?? null,
  };
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
