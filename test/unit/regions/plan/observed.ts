/** The facts of a simulated world, as the agents of its hosts would report them. */
import type {
  HostFacts,
  MemberDataFacts,
  PatroniFacts,
  ProgramFacts,
  RegionsObserved,
  UnitReport,
} from "../../../../components/regions/facts.ts";
import { isStandby } from "../../../../components/regions/plan/regionState.ts";
import { emptyCatalog } from "../../../support/facts.ts";
import { now, SYSTEM } from "./sample.ts";
import type { SimHost, SimMember, SimRegion, World } from "./world.ts";

const recordBytes = 0x100;

export function lsn(position: number): string {
  return `0/${(0x3000000 + position * recordBytes).toString(16).toUpperCase()}`;
}

export function observe(world: World): RegionsObserved {
  const hosts = Object.keys(world.hosts).map((name) => [name, factsOf(world, name)]);
  return { at: now, until: now, hosts: Object.fromEntries(hosts) };
}

function factsOf(world: World, name: string): HostFacts {
  const host = world.host(name);
  switch (host.unit) {
    case "unreachable":
      return { reach: "unreachable", reason: "no answer within 20 s" };
    case "absent":
      return { reach: "absent", data: "none" };
    case "stopped":
      return { reach: "stopped", reason: "exit 137", report: null };
    case "up":
      return { reach: "up", report: reportOf(world, name, host) };
  }
}

function reportOf(world: World, name: string, host: SimHost): UnitReport {
  const region = world.regionOf(name);
  const member = region.members[name];
  const isServer = name.includes("consul");
  const programs = name.endsWith("proxy")
    ? { haproxy: program(host, "running") }
    : { consul: program(host, "running"), ...(member ? { patroni: program(host, member.patroni) } : {}) };
  const leader = region.led ? (region.peers[0] ?? null) : null;
  return {
    name,
    clock: now,
    agent: { running: "000000000000", installed: "000000000000" },
    ...(host.unitFile === undefined ? {} : { unit: { ...host.unitFile } }),
    generation: "g1",
    lock: null,
    files: host.files,
    programs,
    consul: name.endsWith("proxy")
      ? null
      : {
          leader,
          peers: isServer
            ? region.peers.map((node) => ({
                node,
                address: "10.0.0.1",
                voter: true,
                leader: node === leader,
              }))
            : [],
          members: region.failed.map((node) => ({ node, status: "failed", server: false })),
          healthy: isServer && region.led ? true : null,
          access: isServer && region.granted ? accessOf(world, region) : null,
          tokenValid: region.granted,
        },
    patroni: member && world.runs(member) && region.granted ? patroniOf(world, region, name, member) : null,
    data: member ? dataOf(member) : null,
    catalog: member?.primary && world.runs(member) ? emptyCatalog : null,
    change: member && world.runs(member) ? world.change(region, [member]) : null,
    problems: [],
  };
}

function program(host: SimHost, state: ProgramFacts["state"]): ProgramFacts {
  const { installed, loaded } = host.secret;
  return {
    ...{ state, reason: null, restarts: 0 },
    loaded: { ...host.loaded, "secrets/consul.json": loaded },
    installed: { ...host.files, "secrets/consul.json": installed },
  };
}

function accessOf({ desired }: World, { name }: SimRegion) {
  const wish = desired.regions.find((region) => region.name === name)?.access;
  const policies = (wish?.policies ?? []).map((policy) => [policy.name, policy.rules] as const);
  return { policies: Object.fromEntries(policies), tokens: { ...wish?.tokens } };
}

function dataOf({ wal, timeline, controlState }: SimMember): MemberDataFacts {
  if (wal.length === 0) return { state: "empty", control: null, freeBytes: 1e10 };
  const end = lsn(wal.length);
  const control = {
    ...{ systemIdentifier: SYSTEM, timeline, state: controlState, majorVersion: 17 },
    ...{ checkpointLsn: end, redoLsn: end, checksums: true, walLogHints: true },
  };
  return { state: "ready", control, freeBytes: 1e10 };
}

function patroniOf(world: World, region: SimRegion, name: string, member: SimMember): PatroniFacts {
  const end = lsn(member.wal.length);
  const leads = region.leader === name;
  const standby = isStandby(region.config ?? {});
  const role = member.primary ? "primary" : leads && standby ? "standby_leader" : "replica";
  const source = world.source(region);
  const sourceWriter = source === null ? null : world.writer(world.region(source));
  const entries = Object.entries(region.members).filter(
    ([, each]) => world.runs(each) && each.wal.length > 0,
  );
  const replicas = entries.map(([other]) => other).filter((other) => other !== region.leader);
  return {
    version: "4.1.5",
    role: member.wal.length === 0 ? "uninitialized" : role,
    state: "running",
    timeline: member.timeline,
    systemIdentifier: SYSTEM,
    lsn: member.primary
      ? { written: end, received: null, replayed: null }
      : { written: null, received: end, replayed: end },
    pendingRestart: member.pending,
    paused: region.config?.pause === true,
    cluster: {
      leader: region.leader,
      members: entries.map(([other, each]) => ({
        name: other,
        role: other === region.leader ? (standby ? "standby_leader" : "leader") : "replica",
        state: other === region.leader && !standby ? "running" : "streaming",
        timeline: each.timeline,
        lagBytes: 0,
        syncStandby: !standby && other === replicas[0],
      })),
    },
    config: region.config,
    replication: member.primary
      ? Object.values(world.regions)
          .filter((other) => world.source(other) === region.name)
          .flatMap((other) => (other.leader === null ? [] : [other.leader]))
          .map((other) => ({ name: other, state: "streaming", syncState: "async", flushLsn: end }))
      : [],
    source: role === "standby_leader" ? { host: source, streaming: sourceWriter !== null } : null,
  };
}
