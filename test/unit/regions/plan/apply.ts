/** What each step does to a simulated world, and a converge that goes on until nothing is left or it is cut off. */
import type { RegionsDesired } from "../../../../components/regions/desired.ts";
import { planRegions } from "../../../../components/regions/plan/plan.ts";
import { isStandby } from "../../../../components/regions/plan/regionState.ts";
import { isRestartSetting } from "../../../../components/regions/plan/restartSettings.ts";
import type { RegionStep } from "../../../../components/regions/steps.ts";
import { observe } from "./observed.ts";
import { now } from "./sample.ts";
import type { SimMember, SimRegion, World } from "./world.ts";

export interface Run {
  /** What was carried out. */
  readonly steps: readonly RegionStep[];
  /** Codes of refusals, if it ended so. */
  readonly refused: readonly string[];
}

/** `cutAt`: before the step with this number everything is cut off; `half`: that step is begun and not finished. */
export function converge(
  world: World,
  desired: RegionsDesired,
  cutAt = Number.POSITIVE_INFINITY,
  half = false,
): Run {
  const steps: RegionStep[] = [];
  for (let round = 0; round < 10; round += 1) {
    const made = planRegions(observe(world), desired);
    if (made.refusals.length > 0) return { steps, refused: made.refusals.map(({ code }) => code) };
    if (made.steps.length === 0 && made.lookAgainAfter === null) return { steps, refused: [] };
    const last = made.lookAgainAfter ?? made.steps.length - 1;
    for (const step of made.steps.slice(0, last + 1)) {
      if (steps.length === cutAt) {
        if (half) begin(step, world);
        return { steps, refused: [] };
      }
      steps.push(step);
      carryOut(step, world, desired);
      world.live();
    }
  }
  throw new Error(
    `no end: ${steps
      .slice(-12)
      .map(({ kind }) => kind)
      .join(", ")}`,
  );
}

/** Patroni has the order, and nobody waits for what it does with it. */
function begin(step: RegionStep, world: World): void {
  if (step.kind === "demoteCluster") setStandby(world, step.region, step.to);
  if (step.kind === "promoteCluster") unsetStandby(world.region(step.region));
  if (step.kind === "promoteCluster" || step.kind === "resumeCluster") world.live();
}

/** Whoever takes writes has a switchover first: what stops with it would be a failover. */
function stopsNoWriter(name: string, world: World): void {
  if (world.member(name).primary) throw new Error(`${name} takes writes`);
}

function carryOut(step: RegionStep, world: World, desired: RegionsDesired): void {
  const fail = (why: string): never => {
    throw new Error(`${step.kind}: ${why}`);
  };
  switch (step.kind) {
    case "startUnit":
      world.host(step.host).unit = "up";
      guard(world, step.host);
      return;
    case "restartUnit": {
      stopsNoWriter(step.host, world);
      const { unitFile } = world.host(step.host);
      if (unitFile) unitFile.running = unitFile.installed;
      world.member(step.host).pending = [];
      return;
    }
    case "startProgram":
      world.member(step.host).patroni = "running";
      return;
    case "awaitConsul": {
      const servers =
        desired.regions.find(({ name }) => name === world.regionOf(step.host).name)?.servers ?? [];
      const up = servers.filter(({ name }) => world.host(name).unit === "up");
      if (up.length * 2 <= servers.length) fail("no majority");
      world.regionOf(step.host).led = true;
      return;
    }
    case "grant":
      world.regionOf(step.host).granted = true;
      return;
    case "awaitVoters": {
      const region = world.regionOf(step.host);
      const servers = desired.regions.find(({ name }) => name === region.name)?.servers ?? [];
      region.peers = [...new Set([...region.peers, ...servers.map(({ name }) => name)])];
      return;
    }
    case "removeServer": {
      const region = world.regionOf(step.host);
      region.peers = region.peers.filter((node) => node !== step.node);
      return;
    }
    case "forgetNode": {
      const region = world.regionOf(step.host);
      region.failed = region.failed.filter((node) => node !== step.node);
      return;
    }
    case "useGossipKey":
    case "checkpoint":
    case "sql":
    case "password":
      return;
    case "reloadProgram":
    case "restartProgram": {
      const host = world.host(step.host);
      if (step.kind === "restartProgram" && step.program === "patroni") stopsNoWriter(step.host, world);
      host.loaded = { ...host.files };
      host.secret.loaded = host.secret.installed;
      return;
    }
    case "awaitLeader": {
      const region = world.regionOf(step.host);
      world.live();
      const leads = region.leader !== null && (world.writer(region) !== null) === (step.as === "primary");
      if (!leads) fail(`nobody leads ${region.name} as ${step.as}`);
      return;
    }
    case "awaitMember":
      world.live();
      if (!world.runs(world.member(step.host)) || world.member(step.host).wal.length === 0) fail(step.host);
      return;
    case "patchConfig": {
      const region = world.regionOf(step.host);
      if (Object.hasOwn(step.patch, "standby_cluster")) fail("it touches standby_cluster");
      region.config = merged(region.config ?? {}, step.patch);
      const parameters = (step.patch.postgresql as { parameters?: object } | undefined)?.parameters ?? {};
      const pending = Object.keys(parameters).filter(isRestartSetting);
      for (const member of Object.values(region.members)) member.pending = pending;
      return;
    }
    case "restartMember":
      world.member(step.host).pending = [];
      return;
    case "switchover": {
      const region = world.regionOf(step.candidate);
      const [old, candidate] = [region.members[step.leader], world.member(step.candidate)];
      if (old) Object.assign(old, { primary: false, pending: [] });
      region.leader = step.candidate;
      if (!isStandby(region.config ?? {})) world.promote(candidate);
      return;
    }
    case "demoteCluster":
      setStandby(world, step.region, step.to);
      return;
    case "gate": {
      const [own, old] = [world.member(step.host), world.member(step.of)];
      if (own.wal.join() !== old.wal.join()) fail(`${step.host} is not as ${step.of}`);
      world.gated = world.regionOf(step.host).name;
      return;
    }
    case "promoteCluster": {
      const { region: to, from, mode, statementAt } = step;
      const region = world.region(to);
      if (mode === "switchover" && world.gated !== to) world.unproven.push(to);
      const leader = world.member(step.host);
      unsetStandby(region);
      if (!leader.primary) world.promote(leader);
      const change = { mode, from, to, at: now, timeline: leader.timeline, statementAt };
      leader.wal.push(`change ${JSON.stringify(change)}`);
      world.gated = null;
      return;
    }
    case "resumeCluster":
      unsetStandby(world.region(step.region));
      return;
    case "hold": {
      const member = world.member(step.host);
      if (member.primary) Object.assign(member, { primary: false, controlState: "shut down" });
      member.patroni = "held";
      return;
    }
    case "fenceRegion":
      for (const member of Object.values(world.region(step.region).members)) member.host.unit = "unreachable";
      return;
    case "becomeStandbyCluster":
      setStandby(world, step.region, step.of);
      return;
  }
}

/** As the agent's: a member does not start beside another region that leads on a later timeline. */
export function guard(world: World, name: string): void {
  const member = world.regionOf(name).members[name];
  if (member === undefined || member.patroni === "held") return;
  const later = (region: SimRegion) =>
    (world.writer(region)?.timeline ?? 0) > member.timeline && member.wal.length > 0;
  const standby = isStandby(world.regionOf(name).config ?? {});
  const others = Object.values(world.regions).filter((region) => region !== world.regionOf(name));
  member.patroni = !standby && others.some(later) ? "superseded" : "running";
}

function setStandby(world: World, name: string, of: string): void {
  const region = world.region(name);
  const wish = world.desired.regions.find((each) => each.name === name);
  region.config = { ...region.config, standby_cluster: wish?.standbyClusterOf[of] };
  world.gated = null;
}

function unsetStandby(region: SimRegion): void {
  const { standby_cluster: _, ...rest } = region.config ?? {};
  region.config = rest;
}

function merged(
  config: Record<string, unknown>,
  patch: Readonly<Record<string, unknown>>,
): Record<string, unknown> {
  const result = { ...config };
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) delete result[name];
    else if (typeof value === "object" && !Array.isArray(value))
      result[name] = merged(
        (result[name] ?? {}) as Record<string, unknown>,
        value as Record<string, unknown>,
      );
    else result[name] = value;
  }
  return result;
}

export type { SimMember };
