/**
 * Settings that wait for a restart: one member at a time and the leader last, by a switchover, whose old leader comes
 * up again with what it has to take over. Settings that go down go the other way round, because a standby keeps what
 * its primary had until the primary has less.
 */
import type { RegionStep } from "../steps.ts";
import { fitCandidates } from "./candidates.ts";
import { changesOf, sharedMoves } from "./configuration.ts";
import { restartChanges, shortName } from "./dynamicDiff.ts";
import { foreseenRestarts, membersInOrder } from "./files.ts";
import {
  activeOf,
  type Concern,
  type Fleet,
  type MemberView,
  type Notice,
  othersOf,
  type RegionView,
} from "./fleet.ts";
import { heldBack } from "./pause.ts";

/** As Patroni says, and as the changes of this plan are expected to make it say. */
export function pendingOf(view: MemberView, region: RegionView, fleet: Fleet): readonly string[] {
  const expected = [
    ...restartChanges(changesOf(region)).map(({ path }) => shortName(path)),
    ...(fleet.moment === "preview" ? foreseenRestarts(view) : []),
  ];
  return [...new Set([...(view.patroni?.pendingRestart ?? []), ...expected])].sort();
}

export const restarts: Concern = (fleet) => {
  const active = activeOf(fleet);
  const others = othersOf(fleet).flatMap((region) => inPlace(membersInOrder(region), region, fleet));
  if (lowers(fleet)) {
    const steps = [...inPlace([...membersInOrder(active)].reverse(), active, fleet), ...others];
    return { steps, notices: interrupts(active, steps) ? [writeGap(active)] : [] };
  }
  const replicas = membersInOrder(active).filter(({ name }) => name !== active.leader);
  const steps = [...others, ...inPlace(replicas, active, fleet)];
  // Which of them is a synchronous standby changes with every restart, and is seen when all have run again.
  return { steps, lookAgain: steps.length > 0 && leaderWaits(active, fleet) };
};

/** Its place is taken by one that has the change already; it comes up again as a replica, with it. */
export const leaderRestart: Concern = (fleet) => {
  const region = activeOf(fleet);
  const leader = leaderOf(region);
  const pending = leader === undefined ? [] : pendingOf(leader, region, fleet);
  if (leader === undefined || pending.length === 0 || lowers(fleet)) return {};
  const [candidate] = fitCandidates(region, fleet.desired);
  if (candidate === undefined) return { steps: restart(leader, pending), notices: [writeGap(region)] };
  return {
    steps: [
      ...heldBack(
        [
          {
            kind: "switchover",
            host: leader.name,
            leader: leader.name,
            candidate: candidate.name,
            because: `${leader.name} is restarted for ${pending.join(", ")}`,
          },
        ],
        candidate.name,
        fleet,
      ),
      { kind: "awaitMember", host: leader.name },
    ],
    notices: [writeGap(region)],
    lookAgain: true,
  };
};

function lowers(fleet: Fleet): boolean {
  return sharedMoves(fleet).lowered.length > 0;
}

function leaderWaits(region: RegionView, fleet: Fleet): boolean {
  const leader = leaderOf(region);
  return leader !== undefined && pendingOf(leader, region, fleet).length > 0;
}

function leaderOf({ members, leader }: RegionView): MemberView | undefined {
  return members.find(({ name }) => name === leader);
}

function inPlace(views: readonly MemberView[], region: RegionView, fleet: Fleet): RegionStep[] {
  return views.flatMap((view) => restart(view, pendingOf(view, region, fleet)));
}

function restart({ name }: MemberView, changed: readonly string[]): RegionStep[] {
  if (changed.length === 0) return [];
  return [
    { kind: "restartMember", host: name, changed },
    { kind: "awaitMember", host: name },
  ];
}

function interrupts({ leader }: RegionView, steps: readonly RegionStep[]): boolean {
  return steps.some(
    (step) => step.kind === "switchover" || (step.kind === "restartMember" && step.host === leader),
  );
}

function writeGap({ leader, name }: RegionView): Notice {
  return {
    code: "N_WRITE_GAP",
    message: `${leader} leads ${name} and has to be restarted: clients are disconnected, and writes are expected to stop for about a second.`,
  };
}
