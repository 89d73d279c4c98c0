/** From what was observed and what is wished to the regions as the plan sees them at first. */
import type { DesiredHost, DesiredMember, DesiredRegion, RegionsDesired } from "../desired.ts";
import type { PatroniFacts, RegionChangeFacts, RegionsObserved } from "../facts.ts";
import { consulOf } from "./consulState.ts";
import {
  type Fleet,
  type HostView,
  type MemberView,
  type Moment,
  programOf,
  type RegionView,
} from "./fleet.ts";
import { configOf, followsOf, leaderOf, roleOf, timelineOf } from "./regionState.ts";

export function fleetOf(observed: RegionsObserved, desired: RegionsDesired, moment: Moment): Fleet {
  if (!desired.regions.some(({ name }) => name === desired.active))
    throw new Error(`the active region ${desired.active} is not one of the regions`);
  const views = desired.regions.map((wish) => regionOf(wish, desired, observed, moment));
  const change = lastChange(views);
  const isAway = (view: RegionView) => givenUp(view, desired, change);
  return {
    moment,
    desired,
    regions: views.filter((view) => !isAway(view)),
    away: views.filter(isAway),
    change,
    at: observed.at,
    until: observed.until,
  };
}

function regionOf(
  wish: DesiredRegion,
  desired: RegionsDesired,
  observed: RegionsObserved,
  moment: Moment,
): RegionView {
  const host = <W extends DesiredHost>(each: W): HostView<W> => hostOf(each, observed, moment);
  const servers = wish.servers.map(host);
  const members = wish.members.map(host).map(memberOf);
  const config = configOf(members);
  const leader = leaderOf(members);
  const followed = followsOf(config, wish, desired);
  return {
    name: wish.name,
    wish,
    servers,
    members: members.map((view) =>
      isBehindItsSource(view, followed, desired, observed) ? { ...view, settled: false } : view,
    ),
    proxies: wish.proxies.map(host),
    consul: consulOf(wish, servers),
    role: roleOf(members, config),
    follows: followed,
    leader,
    config,
    paused: members.some(({ patroni }) => patroni?.paused === true),
    timeline: timelineOf(members, leader),
    catalog: members.find(({ name }) => name === leader)?.report?.catalog ?? null,
  };
}

function hostOf<W extends DesiredHost>(wish: W, observed: RegionsObserved, moment: Moment): HostView<W> {
  const facts = observed.hosts[wish.name] ?? { reach: "unreachable", reason: "it was not observed" };
  return {
    name: wish.name,
    region: wish.region,
    wish,
    facts,
    report: facts.reach === "up" || facts.reach === "stopped" ? facts.report : null,
    up: facts.reach === "up" || (moment === "preview" && facts.reach === "absent"),
  };
}

function memberOf(host: HostView<DesiredMember>): MemberView {
  const patroni = host.facts.reach === "up" ? host.facts.report.patroni : null;
  const state = programOf(host, "patroni")?.state;
  return {
    ...host,
    patroni,
    settled: isSettled(host.name, patroni),
    parked: state === "held" || state === "superseded",
  };
}

function isSettled(name: string, patroni: PatroniFacts | null): boolean {
  if (patroni === null) return false;
  const runs = patroni.state === "running" || patroni.state === "streaming";
  if (patroni.role === "primary" || patroni.role === "standby_leader") return runs;
  if (patroni.role === "uninitialized") return false;
  return patroni.cluster.members.some((entry) => entry.name === name && entry.state === "streaming");
}

/** A standby leader that does not stream although there is somebody who takes writes where it should read from. */
function isBehindItsSource(
  view: MemberView,
  followed: string | null,
  desired: RegionsDesired,
  observed: RegionsObserved,
): boolean {
  if (view.patroni?.role !== "standby_leader" || view.patroni.source?.streaming !== false) return false;
  const source = desired.regions.find(({ name }) => name === followed);
  return (source?.members ?? []).some(({ name }) => {
    const facts = observed.hosts[name];
    return facts?.reach === "up" && facts.report.patroni?.role === "primary";
  });
}

function lastChange(views: readonly RegionView[]): RegionChangeFacts | null {
  const known = views.flatMap(({ members }) => members.flatMap(({ report }) => report?.change ?? []));
  return known.reduce<RegionChangeFacts | null>(
    (last, each) => (last === null || each.timeline > last.timeline ? each : last),
    null,
  );
}

/**
 * The statement counts from the failover that it allowed until it is removed from the configuration, and only for a
 * region that cannot be worked with: one that has come back is taken back.
 */
function givenUp(view: RegionView, desired: RegionsDesired, change: RegionChangeFacts | null): boolean {
  const { failover } = desired;
  if (failover === undefined || view.name === desired.active) return false;
  if (failover.from !== view.name || failover.to !== desired.active) return false;
  if (change?.to !== desired.active || change.statementAt !== failover.at) return false;
  const servers = view.servers.filter(({ facts }) => facts.reach === "up");
  const members = view.members.filter(({ facts }) => facts.reach === "up");
  return servers.length * 2 <= view.servers.length || members.length === 0;
}
