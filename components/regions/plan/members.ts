/**
 * Patroni makes clusters, copies data and chooses leaders by itself; the plan waits for it and proves that it did.
 * A member whose data is gone is copied anew by its Patroni, so it is one to wait for like any other.
 */
import type { RegionStep } from "../steps.ts";
import {
  activeOf,
  type Concern,
  type Fleet,
  memberNamed,
  othersOf,
  type RegionView,
  spokesman,
} from "./fleet.ts";

/** The active region first: the others copy from it. */
export const leaders: Concern = (fleet) => {
  const steps = inOrder(fleet).flatMap((region): RegionStep[] => {
    const host = spokesman(region);
    if (host === undefined || hasLeader(region)) return [];
    const as = region.name === fleet.desired.active ? "primary" : "standby_leader";
    return [{ kind: "awaitLeader", host: host.name, as }];
  });
  // Who it will be is for Patroni to say.
  return { steps, lookAgain: steps.length > 0 };
};

export const members: Concern = (fleet) => {
  const awaited = inOrder(fleet).map((region) => ({ region, names: unsettled(region) }));
  return {
    steps: awaited.flatMap(({ names }) => names.map((host): RegionStep => ({ kind: "awaitMember", host }))),
    // Whether it can lead is seen when it runs.
    lookAgain: awaited.some(
      ({ region: { wish, leader }, names }) =>
        wish.leader !== undefined && wish.leader !== leader && names.includes(wish.leader),
    ),
  };
};

/** The leader last: when the others run, it does. */
function unsettled({ members, leader }: RegionView): readonly string[] {
  const names = members
    .filter(({ up, settled, parked }) => up && !settled && !parked)
    .map(({ name }) => name);
  return [...names.filter((name) => name !== leader), ...names.filter((name) => name === leader)];
}

export function inOrder(fleet: Fleet): readonly RegionView[] {
  return [activeOf(fleet), ...othersOf(fleet)];
}

/** One that holds the lock, and that does what the region's role asks of it. */
function hasLeader(region: RegionView): boolean {
  if (region.leader === null) return false;
  const leader = memberNamed(region, region.leader);
  // One that is declared no more leads until it has been relieved.
  if (leader === undefined) return true;
  return leader.up && !leader.parked;
}
