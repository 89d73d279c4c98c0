/**
 * What each step is expected to make true, so that the next concern can build on it. This is an expectation and
 * no proof: `act` proves each step, and converge observes again at the end.
 */
import { newCatalog } from "../../roles/plan/assume.ts";
import type { RegionStep } from "../steps.ts";
import { type Fleet, type RegionView, withMember, withRegion } from "./fleet.ts";

type Assumption<S extends RegionStep> = (step: S, fleet: Fleet) => Fleet;

const nothing = (_step: RegionStep, fleet: Fleet): Fleet => fleet;

const assumptions: {
  readonly [K in RegionStep["kind"]]: Assumption<Extract<RegionStep, { kind: K }>>;
} = {
  startUnit: (step, fleet) => comesUp(fleet, step.host),
  restartUnit: (step, fleet) => withMember(fleet, step.host, () => ({ settled: false })),
  startProgram: (step, fleet) =>
    step.program === "patroni"
      ? withMember(fleet, step.host, () => ({ parked: false, settled: false }))
      : fleet,
  reloadProgram: nothing,
  restartProgram: (step, fleet) =>
    step.program === "patroni" ? withMember(fleet, step.host, () => ({ settled: false })) : fleet,
  awaitConsul: (step, fleet) => {
    const region = regionOfServer(fleet, step.host);
    return region === undefined
      ? fleet
      : withRegion(fleet, region.name, ({ consul }) => ({ consul: { ...consul, led: true } }));
  },
  grant: (step, fleet) => {
    const region = regionOfServer(fleet, step.host);
    return region === undefined
      ? fleet
      : withRegion(fleet, region.name, ({ consul }) => ({ consul: { ...consul, ungranted: [] } }));
  },
  awaitVoters: nothing,
  removeServer: nothing,
  forgetNode: nothing,
  useGossipKey: nothing,
  awaitLeader: (step, fleet) => leads(fleet, step.host, step.as),
  awaitMember: (step, fleet) => withMember(fleet, step.host, () => ({ settled: true })),
  patchConfig: nothing,
  restartMember: (step, fleet) => withMember(fleet, step.host, () => ({ settled: false })),
  switchover: (step, fleet) => {
    const region = regionOfMember(fleet, step.candidate);
    const moved = region ? withRegion(fleet, region.name, () => ({ leader: step.candidate })) : fleet;
    return withMember(moved, step.leader, () => ({ settled: false }));
  },
  pauseClients: nothing,
  resumeClients: nothing,
  sql: nothing,
  password: nothing,
  checkpoint: nothing,
  demoteCluster: (step, fleet) => follows(fleet, step.region, step.to),
  gate: nothing,
  resumeCluster: (step, fleet) => takesWrites(fleet, step.region),
  promoteCluster: (step, fleet) => {
    const leads = takesWrites(fleet, step.region);
    return step.mode === "failover" ? without(leads, step.from) : leads;
  },
  hold: (step, fleet) => withMember(fleet, step.host, () => ({ parked: true, settled: false })),
  fenceRegion: nothing,
  becomeStandbyCluster: (step, fleet) => follows(fleet, step.region, step.of),
};

export function assume(fleet: Fleet, step: RegionStep): Fleet {
  const assumption = assumptions[step.kind] as Assumption<RegionStep>;
  return assumption(step, fleet);
}

/** Whoever builds on this has to say `lookAgain`: nobody can see into what is stopped. */
export function comesUp(fleet: Fleet, name: string): Fleet {
  const up = <V extends { readonly name: string }>(view: V): V =>
    view.name === name ? { ...view, up: true } : view;
  return {
    ...fleet,
    regions: fleet.regions.map((region) => ({
      ...region,
      servers: region.servers.map(up),
      members: region.members.map(up),
      proxies: region.proxies.map(up),
    })),
  };
}

function leads(fleet: Fleet, host: string, as: "primary" | "standby_leader"): Fleet {
  const region = regionOfMember(fleet, host);
  if (region === undefined) return fleet;
  const primary = as === "primary";
  return withRegion(fleet, region.name, ({ leader, follows, catalog, role }) => ({
    leader: leader ?? host,
    role: primary ? "primary" : "standby",
    follows: primary ? null : (follows ?? fleet.desired.active),
    catalog: catalog ?? (primary && role === "none" ? newCatalog : null),
  }));
}

/** Its members follow one after the other; `awaitLeader` and `awaitMember` are what makes sure of them. */
function follows(fleet: Fleet, region: string, of: string): Fleet {
  return withRegion(fleet, region, ({ members, role, leader, config }) => ({
    role: "standby",
    follows: of,
    // The lock is given back when a primary is stopped, and whoever has it then leads as a standby.
    leader: role === "standby" ? leader : null,
    members: members.map((view) => ({ ...view, settled: false })),
    config: { ...config, standby_cluster: wishedSection(fleet, region, of) },
  }));
}

function wishedSection(fleet: Fleet, region: string, of: string): unknown {
  return fleet.desired.regions.find(({ name }) => name === region)?.standbyClusterOf[of];
}

function takesWrites(fleet: Fleet, region: string): Fleet {
  return withRegion(fleet, region, ({ members, config }) => ({
    role: "primary",
    follows: null,
    members: members.map((view) => ({ ...view, settled: false })),
    config: config === null ? null : { ...config, standby_cluster: null },
  }));
}

/** Whatever is left of a region that was given up is out of this plan's sight. */
function without(fleet: Fleet, name: string): Fleet {
  const gone = fleet.regions.filter((region) => region.name === name);
  return {
    ...fleet,
    regions: fleet.regions.filter((region) => region.name !== name),
    away: [...fleet.away, ...gone],
  };
}

function regionOfServer(fleet: Fleet, host: string): RegionView | undefined {
  return fleet.regions.find(({ servers }) => servers.some(({ name }) => name === host));
}

function regionOfMember(fleet: Fleet, host: string): RegionView | undefined {
  return fleet.regions.find(({ members }) => members.some(({ name }) => name === host));
}
