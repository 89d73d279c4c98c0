/** Which member of a region may take its leader's place, and why another may not. */
import type { RegionsDesired } from "../desired.ts";
import { tagsOf } from "./files.ts";
import { leaderView, type MemberView, type Refusal, type RegionView } from "./fleet.ts";

interface Entry {
  readonly state: string;
  readonly timeline: number | null;
  readonly lagBytes: number | null;
  readonly syncStandby: boolean;
}

/** Members that can take over at once, the synchronous ones first. */
export function fitCandidates(region: RegionView, desired: RegionsDesired): readonly MemberView[] {
  return region.members
    .filter((view) => view.name !== region.leader && unfitCandidate(view, region, desired).length === 0)
    .filter((view) => !asksForSync(region, desired) || entryOf(view, region)?.syncStandby === true);
}

/** Patroni hands over to nobody else where commits are synchronous. A standby cluster's never are. */
export function asksForSync({ role }: RegionView, { policy }: RegionsDesired): boolean {
  return role === "primary" && policy.synchronous !== "off";
}

export function entryOf({ name }: MemberView, region: RegionView): Entry | undefined {
  const views = [leaderView(region), ...region.members];
  const cluster = views.find((view) => view?.patroni != null)?.patroni?.cluster;
  return cluster?.members.find((entry) => entry.name === name);
}

/** Patroni makes the member with the highest `sync_priority` a synchronous standby, when it has caught up. */
export function isPreferred(view: MemberView, region: RegionView): boolean {
  const priority = (each: MemberView) => Number(tagsOf(each).sync_priority ?? 1);
  return region.members.every((each) => each === view || priority(each) < priority(view));
}

export function unfitCandidate(view: MemberView, region: RegionView, desired: RegionsDesired): Refusal[] {
  const { name, patroni } = view;
  const { lagLimitBytes } = desired.policy;
  const entry = entryOf(view, region);
  const tags = tagsOf(view);
  const seen = [
    `state=${entry?.state ?? "not in the cluster"}`,
    `timeline=${entry?.timeline ?? "unknown"} (the leader's is ${region.timeline ?? "unknown"})`,
    `sync=${entry?.syncStandby ?? false}`,
    `lag=${entry?.lagBytes == null ? "unknown" : `${entry.lagBytes} bytes`}`,
  ].join(", ");
  if (tags.nofailover === true) {
    return [
      refusal(
        "E_NO_FAILOVER",
        `${name} is to lead ${region.name}, and its tag nofailover keeps it from that. Take the tag away, or name another leader.`,
      ),
    ];
  }
  const streams = patroni !== null && entry?.state === "streaming";
  const forked = entry?.timeline != null && region.timeline !== null && entry.timeline !== region.timeline;
  if (!streams || forked) {
    return [
      refusal(
        "E_STANDBY_NOT_SYNC",
        `${name} is to lead ${region.name}, and does not follow ${region.leader ?? "its leader"} as a member must that takes over: ${seen}. Wait until it streams, or take \`leader\` away; \`npm run status\` shows it.`,
      ),
    ];
  }
  if ((entry?.lagBytes ?? 0) > lagLimitBytes) {
    return [
      refusal(
        "E_STANDBY_LAG",
        `${name} is to lead ${region.name}, and is ${entry?.lagBytes} bytes behind, more than ${lagLimitBytes}. Wait until it has caught up.`,
      ),
    ];
  }
  if (asksForSync(region, desired) && entry?.syncStandby !== true && !isPreferred(view, region)) {
    return [
      refusal(
        "E_STANDBY_NOT_SYNC",
        `${name} is to lead ${region.name}, and is no synchronous standby: ${seen}. Patroni would refuse it, because a commit may be missing there.`,
      ),
    ];
  }
  return [];
}

function refusal(code: string, message: string): Refusal {
  return { code, message };
}
