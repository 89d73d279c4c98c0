/**
 * Which region led last, by the evidence that its members give, and what has to happen for the active one to lead.
 * Every state that a change can be cut off in has its row here, so that the next run goes on or goes back by what it
 * finds; nobody remembers what an earlier run did.
 */

import { bytesBetween, furthest } from "../../roles/plan/lsn.ts";
import type { Lsn, RegionChangeFacts } from "../facts.ts";
import { activeOf, everyRegion, type Fleet, leaderView, type MemberView, type RegionView } from "./fleet.ts";

export type Succession =
  /** The active region leads, or comes up as what it was, or nothing has been made yet. */
  | { readonly kind: "none" }
  /** `from` leads and answers. */
  | { readonly kind: "switchover"; readonly from: RegionView }
  /** Both are standby clusters, and `from` led last: what it has is final and can be compared. */
  | { readonly kind: "finish"; readonly from: RegionView }
  /** The active region was demoted for another, which was not promoted. */
  | { readonly kind: "resume"; readonly from: RegionView }
  /** `from` led last and cannot be asked. `already`: the active region leads, and nothing says by which event. */
  | { readonly kind: "failover"; readonly from: RegionView; readonly already: boolean }
  /** Nobody who is known can lead. */
  | { readonly kind: "lost" };

export function successionOf(fleet: Fleet): Succession {
  const active = activeOf(fleet);
  const leaders = leadersOf(fleet);
  if (leaders.includes(active)) return leaders.length === 1 ? unrecorded(fleet, active) : { kind: "none" };
  const [leader, ...more] = leaders;
  if (leader && more.length === 0)
    return writerOf(leader)
      ? { kind: "switchover", from: leader }
      : { kind: "failover", from: leader, already: false };
  if (leader) return { kind: "none" };
  switch (active.role) {
    case "standby":
      return withoutALeader(fleet, active);
    case "unknown":
      return { kind: "none" };
    case "none":
      return everyRegion(fleet).some(({ role }) => role === "standby" || role === "primary")
        ? { kind: "lost" }
        : { kind: "none" };
    case "primary":
      // Superseded, and whoever superseded it leads no more: a human question.
      return { kind: "lost" };
  }
}

/** Regions that take writes, or will when they are up. More than one is a split brain, whoever the wish names. */
export function leadersOf(fleet: Fleet): readonly RegionView[] {
  return everyRegion(fleet).filter((view) => view.role === "primary" && !isSuperseded(view, fleet));
}

/** The member of a region that takes writes at this moment. */
export function writerOf(region: RegionView): string | null {
  const writer = region.members.find(
    ({ patroni }) => patroni?.role === "primary" && patroni.state === "running",
  );
  return writer?.name ?? null;
}

/**
 * A region that led and comes back after it was given up. Two regions are never told apart by which one looks newer;
 * this is only so where another one has the record of the change that ended its history. On the same timeline it was
 * promoted by its own Patroni when it came back, if the record names it and it does not know the record.
 */
export function isSuperseded(view: RegionView, { change }: Pick<Fleet, "change">): boolean {
  const { role, name, timeline } = view;
  if (role !== "primary" || change === null || timeline === null || change.to === name) return false;
  if (timeline < change.timeline) return true;
  return timeline === change.timeline && change.from === name && !knows(view, change);
}

/** The record of the change is in its own history. */
export function knows({ members }: RegionView, change: RegionChangeFacts): boolean {
  return members.some(({ report }) => (report?.change?.timeline ?? 0) >= change.timeline);
}

/** The promotion that a statement allowed may have been cut off before it was recorded. */
function unrecorded(fleet: Fleet, active: RegionView): Succession {
  const { failover } = fleet.desired;
  if (failover === undefined || failover.to !== active.name) return { kind: "none" };
  if (fleet.change?.statementAt === failover.at) return { kind: "none" };
  const from = everyRegion(fleet).find(({ name }) => name === failover.from);
  return from !== undefined && isOutOfSight(from)
    ? { kind: "failover", from, already: true }
    : { kind: "none" };
}

export function isOutOfSight({ members }: RegionView): boolean {
  return members.every(({ facts }) => facts.reach !== "up");
}

/** The active region is a standby cluster, and nobody is a primary one. */
function withoutALeader(fleet: Fleet, active: RegionView): Succession {
  const others = everyRegion(fleet).filter((view) => view !== active);
  const ledLast = fleet.change?.to ?? null;
  const source =
    others.find(({ name }) => name === ledLast) ?? others.find(({ name }) => name === active.follows);
  if (source === undefined) return others.length === 0 ? { kind: "resume", from: active } : { kind: "lost" };
  if (source.role !== "standby" || !answers(source))
    return { kind: "failover", from: source, already: false };
  if (ledLast === active.name) return { kind: "resume", from: source };
  if (ledLast === source.name) return { kind: "finish", from: source };
  // No change was ever recorded: whoever has more is who wrote it, and of two that have the same either may lead.
  return isAhead(active, source) ? { kind: "resume", from: source } : { kind: "finish", from: source };
}

function answers(region: RegionView): boolean {
  return (
    leaderView(region)?.patroni?.role === "standby_leader" ||
    region.members.some(({ patroni }) => patroni !== null)
  );
}

export function isAhead(one: RegionView, other: RegionView): boolean {
  const [own, has] = [positionOf(one), positionOf(other)];
  return own !== null && has !== null && bytesBetween(has, own) > 0;
}

/** The furthest position that any of its members has. */
export function positionOf(region: RegionView): Lsn | null {
  return furthest(region.members.map(positionOfMember));
}

export function positionOfMember({ patroni, report }: MemberView): Lsn | null {
  const lsns: (Lsn | null)[] = patroni === null ? [] : Object.values(patroni.lsn);
  return furthest([...lsns, report?.data?.control?.checkpointLsn]);
}
