/**
 * What a failover to another region may lose. A standby cluster is asynchronous, whatever `synchronous` says of the
 * members inside a region: nothing is lost only where the old primary's end is known and the other region has it.
 */

import type { Loss } from "../../roles/plan/loss.ts";
import { bytesBetween, furthest } from "../../roles/plan/lsn.ts";
import type { Lsn } from "../facts.ts";
import { leaderView, type RegionView } from "./fleet.ts";
import { positionOf } from "./succession.ts";

export function assessLoss(from: RegionView, to: RegionView, already: boolean): Loss {
  const lsn = leaderView(to)?.patroni?.lsn;
  const has = furthest([lsn?.received, lsn?.replayed, lsn?.written]);
  const none = (why: string): Loss => ({ acked: "none", bytes: 0, bounded: true, since: null, why });
  if (already) return none(`${to.name} takes writes already`);
  const end = endOf(from);
  const known = end ?? positionOf(from);
  if (end !== null && has !== null && bytesBetween(end, has) >= 0)
    return none(`${from.name} was stopped cleanly at ${end}, and ${to.name} has received ${has}`);
  return {
    acked: known === null ? "unknown" : "possible",
    bytes: known === null || has === null ? null : Math.max(0, bytesBetween(has, known)),
    bounded: end !== null && has !== null,
    since: null,
    why: `${to.name} follows ${from.name} asynchronously: it is told of a commit after the client is`,
  };
}

/**
 * The shutdown checkpoint of the primary that led last. Only a primary's control file says "shut down", and it counts
 * only if every member was looked into: one that cannot be seen may have led after that.
 */
function endOf({ members }: RegionView): Lsn | null {
  const controls = members.map(({ report }) => report?.data?.control ?? null);
  const stopped = controls.filter((control) => control?.state === "shut down");
  const [last, ...more] = stopped;
  if (controls.includes(null) || last == null || more.length > 0) return null;
  const ran = controls.some((control) => control !== null && !/^shut down/.test(control.state));
  const newest = controls.every((control) => control === null || control.timeline <= last.timeline);
  return !ran && newest ? last.checkpointLsn : null;
}
