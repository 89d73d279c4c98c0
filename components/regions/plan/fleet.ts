/**
 * The regions as the plan sees them: as observed at first, and after each planned step as that step is expected to
 * leave them (`assume.ts`). A concern therefore reads the same words whether something is so already or will be.
 */
import type {
  DesiredHost,
  DesiredMember,
  DesiredProxy,
  DesiredRegion,
  ProgramName,
  RegionsDesired,
} from "../desired.ts";
import type {
  CatalogFacts,
  HostFacts,
  PatroniFacts,
  ProgramFacts,
  RegionChangeFacts,
  UnitReport,
} from "../facts.ts";
import type { RegionStep, RegionsPlan } from "../steps.ts";
import type { Consul } from "./consulState.ts";
import type { RegionRole } from "./regionState.ts";

/**
 * `preview`: an absent unit will have been created by the update before converge runs.
 * `apply`: the update has done its part, what is still missing is refused.
 */
export type Moment = "preview" | "apply";

export type Refusal = RegionsPlan["refusals"][number];
export type Notice = RegionsPlan["notices"][number];

export interface HostView<W extends DesiredHost = DesiredHost> {
  readonly name: string;
  readonly region: string;
  readonly wish: W;
  readonly facts: HostFacts;
  /** The host's own, or what an agent beside its stopped unit read from its volumes. */
  readonly report: UnitReport | null;
  /** Its unit runs, or will: it can be asked. */
  readonly up: boolean;
}

export interface MemberView extends HostView<DesiredMember> {
  readonly patroni: PatroniFacts | null;
  /** Runs in its cluster as it should, or will. */
  readonly settled: boolean;
  /** Its Patroni does not start by itself: a converge stopped it, or its history ended in another region. */
  readonly parked: boolean;
}

export interface RegionView {
  readonly name: string;
  readonly wish: DesiredRegion;
  readonly servers: readonly HostView[];
  readonly members: readonly MemberView[];
  readonly proxies: readonly HostView<DesiredProxy>[];
  readonly consul: Consul;
  readonly role: RegionRole;
  /** The region whose standby cluster it is; null: none's, or of somebody who is not declared. */
  readonly follows: string | null;
  /** The member that leads; null: nobody. It need not be declared any more. */
  readonly leader: string | null;
  readonly config: Readonly<Record<string, unknown>> | null;
  readonly paused: boolean;
  readonly timeline: number | null;
  readonly catalog: CatalogFacts | null;
}

export interface Fleet {
  readonly moment: Moment;
  readonly desired: RegionsDesired;
  /** In the order of the stack file, without those that are away. */
  readonly regions: readonly RegionView[];
  /**
   * Regions that the operator's statement gives up and that cannot be worked with: nothing is asked of them and
   * nothing is done with them.
   */
  readonly away: readonly RegionView[];
  /** The last change of the active region that any member knows of. */
  readonly change: RegionChangeFacts | null;
  readonly at: string;
  readonly until: string;
}

/** What one concern adds to the plan. `lookAgain`: what comes after its steps is an expectation. */
export interface Contribution {
  readonly steps?: readonly RegionStep[];
  readonly refusals?: readonly Refusal[];
  readonly notices?: readonly Notice[];
  readonly lookAgain?: boolean;
}

/** One subject of the plan. It sees the fleet as all earlier concerns will leave it. */
export type Concern = (fleet: Fleet) => Contribution;

export function activeOf(fleet: Fleet): RegionView {
  return regionNamed(fleet, fleet.desired.active);
}

/** All but the active one. */
export function othersOf(fleet: Fleet): readonly RegionView[] {
  return fleet.regions.filter(({ name }) => name !== fleet.desired.active);
}

/** For questions whose answer must not depend on who was given up. */
export function everyRegion(fleet: Fleet): readonly RegionView[] {
  return [...fleet.regions, ...fleet.away];
}

export function regionNamed(fleet: Fleet, name: string): RegionView {
  const found = everyRegion(fleet).find((view) => view.name === name);
  if (!found) throw new Error(`there is no region ${name}`);
  return found;
}

export function hostsOf(region: RegionView): readonly HostView[] {
  return [...region.servers, ...region.members, ...region.proxies];
}

export function memberNamed(region: RegionView, name: string | null): MemberView | undefined {
  return region.members.find((view) => view.name === name);
}

/** The declared member that leads. */
export function leaderView(region: RegionView): MemberView | undefined {
  return memberNamed(region, region.leader);
}

/** Where something is asked that any member can answer: the leader, else one that can. */
export function spokesman(region: RegionView): MemberView | undefined {
  const leader = leaderView(region);
  if (leader?.up) return leader;
  const wished = memberNamed(region, region.wish.leader ?? null);
  return [...(wished ? [wished] : []), ...region.members].find(({ up }) => up);
}

export function programOf(view: HostView, name: ProgramName): ProgramFacts | undefined {
  return view.facts.reach === "up" ? view.facts.report.programs[name] : undefined;
}

export function withRegion(
  fleet: Fleet,
  name: string,
  change: (view: RegionView) => Partial<RegionView>,
): Fleet {
  const changed = (view: RegionView) => (view.name === name ? { ...view, ...change(view) } : view);
  return { ...fleet, regions: fleet.regions.map(changed) };
}

export function withMember(
  fleet: Fleet,
  name: string,
  change: (view: MemberView) => Partial<MemberView>,
): Fleet {
  const changed = (view: MemberView) => (view.name === name ? { ...view, ...change(view) } : view);
  const regions = fleet.regions.map((region) => ({ ...region, members: region.members.map(changed) }));
  return { ...fleet, regions };
}
