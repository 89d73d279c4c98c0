/**
 * A region's Consul: a leader, its policies and tokens, every server with a vote, and nobody who is declared no more.
 * Servers come one by one and go one by one, and none goes before whoever takes its place has a vote.
 */
import type { RegionStep } from "../steps.ts";
import { votersOf } from "./consulState.ts";
import type { Concern, HostView, RegionView } from "./fleet.ts";
import { workable } from "./units.ts";

export const gossipFile = "secrets/consul.json";

export const consul: Concern = (fleet) => ({ steps: workable(fleet).flatMap(ofRegion) });

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
  const missing = region.servers.filter((view) => view.up && !voters.includes(view));
  const unwell = region.consul.healthy === false && leaving(region).length === 0;
  if (missing.length === 0) return unwell ? [{ kind: "awaitVoters", host, expected }] : [];
  return missing.map(({ name }) => ({ kind: "awaitVoters", host: name, expected }));
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

/** Of Raft's members, those that are declared no more; those that vote last, so that the fewest votes move. */
export function leaving({ servers, consul }: RegionView): readonly string[] {
  const declared = new Set(servers.map(({ name }) => name));
  return consul.peers
    .filter(({ node }) => !declared.has(node))
    .sort((a, b) => Number(a.voter) - Number(b.voter) || (a.node < b.node ? -1 : 1))
    .map(({ node }) => node);
}

/** Whoever stays must be a majority by themselves, whatever becomes of those that go. */
function departures(region: RegionView, host: string): RegionStep[] {
  const expected = region.servers.length;
  if (region.servers.filter(runs).length * 2 <= expected) return [];
  return leaving(region).flatMap((node): RegionStep[] => [
    { kind: "removeServer", host, node },
    { kind: "awaitVoters", host, expected },
  ]);
}

/** As observed: one that this plan starts has no vote to count on yet. */
function runs({ up, facts }: HostView): boolean {
  return up && facts.reach !== "stopped";
}
