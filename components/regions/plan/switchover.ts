/** The member that is to lead its region, and a leader that is declared no more: planned switchovers inside a region. */
import type { RegionStep } from "../steps.ts";
import { asksForSync, entryOf, fitCandidates, unfitCandidate } from "./candidates.ts";
import {
  activeOf,
  type Concern,
  type Contribution,
  type Fleet,
  type MemberView,
  memberNamed,
  othersOf,
  type RegionView,
} from "./fleet.ts";
import { heldBack } from "./pause.ts";

/** In a region that follows nobody notices, so it is done before such a region takes over. */
export const leaderOfStandbys: Concern = (fleet) => joined(othersOf(fleet), fleet);

/** A region that is about to take over is a standby cluster still. */
export const leaderBeforeChange: Concern = (fleet) => {
  const active = activeOf(fleet);
  return active.role === "standby" ? ofRegion(active, fleet) : {};
};

export const leaderOfActive: Concern = (fleet) => ofRegion(activeOf(fleet), fleet);

function joined(regions: readonly RegionView[], fleet: Fleet): Contribution {
  const parts = regions.map((region) => ofRegion(region, fleet));
  return {
    steps: parts.flatMap(({ steps }) => steps ?? []),
    refusals: parts.flatMap(({ refusals }) => refusals ?? []),
    lookAgain: parts.some(({ lookAgain }) => lookAgain),
  };
}

function ofRegion(region: RegionView, fleet: Fleet): Contribution {
  const wanted = memberNamed(region, region.wish.leader ?? null);
  if (region.leader === null || region.leader === wanted?.name) return {};
  const undeclared = memberNamed(region, region.leader) === undefined;
  if (wanted) return handOver(wanted, region, fleet, undeclared ? "is declared no more" : null);
  if (!undeclared) return {};
  const [candidate] = fitCandidates(region, fleet.desired);
  if (candidate) return handOver(candidate, region, fleet, "is declared no more");
  return {
    refusals: [
      {
        code: "E_STANDBY_NOT_SYNC",
        message: `${region.leader} leads ${region.name} and is declared no more, and no other member of it can take over at once. Declare it until \`npm run status\` shows one in sync.`,
      },
    ],
  };
}

function handOver(candidate: MemberView, region: RegionView, fleet: Fleet, why: string | null): Contribution {
  const leader = region.leader ?? "";
  const old = memberNamed(region, leader);
  // One that this plan brings up is looked at again before anything is asked of it (`members.ts`).
  const broughtUp = candidate.settled && !runsByItself(candidate);
  const refusals = broughtUp ? [] : unfitCandidate(candidate, region, fleet.desired);
  if (refusals.length > 0) return { refusals };
  const sync = asksForSync(region, fleet.desired) && entryOf(candidate, region)?.syncStandby !== true;
  const writes = region.role === "primary";
  const step: RegionStep = {
    kind: "switchover",
    host: old?.name ?? candidate.name,
    leader,
    candidate: candidate.name,
    because: why === null ? `${candidate.name} is to lead ${region.name}` : `${leader} ${why}`,
  };
  const steps: RegionStep[] = [
    ...(sync ? [{ kind: "awaitMember", host: candidate.name, sync: true } as const] : []),
    // Patroni makes one as well, and what was written during a long one has to be written while nobody leads.
    ...(old && region.role === "primary" ? [{ kind: "checkpoint", host: old.name } as const] : []),
    ...(writes ? heldBack([step], candidate.name, fleet) : [step]),
    ...(old ? [{ kind: "awaitMember", host: old.name } as const] : []),
  ];
  return {
    steps,
    notices: writes
      ? [
          {
            code: "N_WRITE_GAP",
            message: `${leader} hands over to ${candidate.name}: clients are disconnected, and writes are expected to stop for about a second.`,
          },
        ]
      : [],
    lookAgain: true,
  };
}

/** By its own word: it ran in its cluster when it was looked at. */
function runsByItself({ name, patroni }: MemberView): boolean {
  return (
    patroni?.cluster.members.some((entry) => entry.name === name && entry.state === "streaming") === true
  );
}
