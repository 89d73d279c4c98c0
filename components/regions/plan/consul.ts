/**
 * A region's Consul: a leader, its policies and tokens, every server with a vote, and nobody who is declared no more.
 * Servers come one by one and go one by one, and none goes before whoever takes its place has a vote.
 */
import type { RegionStep } from "../steps.ts";
import { votersOf } from "./consulState.ts";
import {
  type Concern,
  type Fleet,
  type HostView,
  programOf,
  type Refusal,
  type RegionView,
} from "./fleet.ts";
import { successionOf } from "./succession.ts";
import { refusal } from "./target.ts";
import { workable } from "./units.ts";

export const gossipFile = "secrets/consul.json";

export const consul: Concern = (fleet) => ({
  steps: workable(fleet).flatMap(ofRegion),
  refusals: stranded(fleet),
});

function ofRegion(region: RegionView): RegionStep[] {
  const host = speaker(region)?.name;
  if (host === undefined) return [];
  return [
    ...(region.consul.led ? [] : [{ kind: "awaitConsul", host } as const]),
    ...grant(region, host),
    ...newVoters(region, host),
    ...region.members.filter(isMute).map(({ name }): RegionStep => ({ kind: "awaitConsul", host: name })),
    ...gossipKey(region, host),
    ...departures(region, host),
    ...region.consul.gone.map((node): RegionStep => ({ kind: "forgetNode", host, node })),
  ];
}

/** The server that is asked: Raft's leader, else one that runs. */
function speaker({ servers, consul }: RegionView): HostView | undefined {
  const leader = consul.peers.find((peer) => peer.leader)?.node;
  const up = servers.filter((view) => view.up);
  return up.find(({ name }) => name === leader) ?? up[0];
}

function grant({ consul, wish }: RegionView, host: string): RegionStep[] {
  const { ungranted } = consul;
  if (ungranted?.length === 0) return [];
  const { policies, tokens } = wish.access;
  const changed = ungranted ?? [`${policies.length} policies`, `${Object.keys(tokens).length} tokens`];
  return [{ kind: "grant", host, changed }];
}

/** Before anything that costs a server: one without a vote counts for nothing. */
function newVoters(region: RegionView, host: string): RegionStep[] {
  const expected = region.servers.length;
  const voters = votersOf(region);
  // A new cluster: all of them come up together.
  if (voters.length === 0) return [{ kind: "awaitVoters", host, expected }];
  const voteless = region.servers.filter((view) => view.up && !voters.includes(view));
  const unwell = region.consul.healthy === false && leaving(region).length === 0;
  if (voteless.length === 0) return unwell ? [{ kind: "awaitVoters", host, expected }] : [];
  return voteless.map(({ name }) => ({ kind: "awaitVoters", host: name, expected }));
}

/** A member whose agent or token does not work is a member without Patroni. */
function isMute({ up, facts }: HostView): boolean {
  if (!up || facts.reach === "stopped") return false;
  return (
    facts.reach !== "up" || facts.report.consul?.tokenValid !== true || facts.report.consul.leader === null
  );
}

/** A key is brought into use by Consul's own keyring; its file is only read when a data directory is new. */
function gossipKey({ servers }: RegionView, host: string): RegionStep[] {
  const changed = servers.some(({ facts }) => {
    const program = facts.reach === "up" ? facts.report.programs.consul : undefined;
    if (program?.state !== "running" || program.loaded[gossipFile] === undefined) return false;
    return program.loaded[gossipFile] !== program.installed[gossipFile];
  });
  return changed ? [{ kind: "useGossipKey", host }] : [];
}

/**
 * Of Raft's members, those that are declared no more. Those that vote go last, so that the fewest votes move, and of them
 * the one that leads, so that one election is held.
 */
export function leaving({ servers, consul }: RegionView): readonly string[] {
  const declared = new Set(servers.map(({ name }) => name));
  const weight = ({ voter, leader }: { voter: boolean; leader: boolean }) => Number(voter) + Number(leader);
  return consul.peers
    .filter(({ node }) => !declared.has(node))
    .sort((a, b) => weight(a) - weight(b) || (a.node < b.node ? -1 : 1))
    .map(({ node }) => node);
}

function departures(region: RegionView, host: string): RegionStep[] {
  const gone = leaving(region);
  if (gone.length === 0 || missing(region).length > 0) return [];
  return [
    ...gone.map((node): RegionStep => ({ kind: "removeServer", host, node })),
    { kind: "awaitVoters", host, expected: region.servers.length },
  ];
}

/** In a failover nobody is removed either, and that is not the time to say so. */
function stranded(fleet: Fleet): Refusal[] {
  if (successionOf(fleet).kind === "failover") return [];
  return workable(fleet).flatMap((region) => {
    const [gone, ill] = [leaving(region), missing(region)];
    if (gone.length === 0 || ill.length === 0) return [];
    const seen = ill.map((view) => `${view.name} ${conditionOf(view)}`).join(", ");
    return [
      refusal(
        "E_CONSUL_QUORUM",
        `${gone.join(", ")} would be taken out of the Consul of ${region.name}, where ${seen}: those that stay must all be there, or the next failure leaves no majority. Bring that back first, or declare ${gone.join(", ")} again (consulServers) until it is.`,
      ),
    ];
  });
}

/**
 * Of the servers that stay, those that do not answer as observed: one that this plan starts has no vote yet. Whether each
 * votes, and knows a leader, is waited for when one is removed.
 */
function missing({ servers }: RegionView): readonly HostView[] {
  return servers.filter(({ up, facts }) => {
    // Before an update made it.
    if (facts.reach === "absent") return !up;
    return facts.reach !== "up" || facts.report.consul === null;
  });
}

function conditionOf(view: HostView): string {
  const { facts } = view;
  if (facts.reach === "unreachable") return `does not answer (${facts.reason})`;
  if (facts.reach !== "up") return `is ${facts.reach}`;
  const program = programOf(view, "consul");
  return `has a Consul that does not answer (${program?.reason ?? program?.state ?? "it is not there"})`;
}
