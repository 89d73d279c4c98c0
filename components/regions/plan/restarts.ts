/**
 * What waits for a restart: one member at a time and the leader last, by a switchover, whose old leader comes up again
 * with the settings that it has to take over. Settings that go down go the other way round, because a standby keeps what
 * its primary had until the primary has less. Where the unit or Patroni has to start anew (`renewal.ts`), that takes the
 * place of a restart of PostgreSQL.
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
  leaderView,
  type MemberView,
  type Notice,
  othersOf,
  type RegionView,
} from "./fleet.ts";
import { heldBack } from "./pause.ts";
import { type Renewal, renewalOf } from "./renewal.ts";

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
    return {
      steps,
      notices: interrupts(active, steps) ? [writeGap(active)] : [],
      // The order of those is the other one: they come when nothing goes down any more.
      lookAgain: steps.length > 0 && fleet.regions.some(({ members }) => members.some(isRenewed(fleet))),
    };
  }
  const replicas = membersInOrder(active).filter(({ name }) => name !== active.leader);
  const steps = [...others, ...inPlace(replicas, active, fleet)];
  // Which of them is a synchronous standby changes with every restart, and is seen when all have run again.
  const replicasFirst = steps.length > 0 && dueOf(leaderView(active), active, fleet).words.length > 0;
  // Who leads a standby cluster when its leader's Patroni has stopped is Patroni's to say.
  const moved = othersOf(fleet).some((region) => dueOf(leaderView(region), region, fleet).renewal !== null);
  return { steps, lookAgain: replicasFirst || moved };
};

/** Its place is taken by one that has the change already; it comes up again as a replica, with it. */
export const leaderRestart: Concern = (fleet) => {
  const region = activeOf(fleet);
  const leader = leaderView(region);
  const { renewal, words } = dueOf(leader, region, fleet);
  if (leader === undefined || words.length === 0 || lowers(fleet)) return {};
  const [candidate] = fitCandidates(region, fleet.desired);
  if (candidate === undefined)
    return { steps: inPlace([leader], region, fleet), notices: [writeGap(region)] };
  const back: RegionStep = { kind: "awaitMember", host: leader.name };
  return {
    steps: [
      ...heldBack(
        [
          {
            kind: "switchover",
            host: leader.name,
            leader: leader.name,
            candidate: candidate.name,
            because: `${leader.name} is restarted for ${words.join(", ")}`,
          },
        ],
        candidate.name,
        fleet,
      ),
      back,
      ...(renewal ? [renewal, back] : []),
    ],
    notices: [writeGap(region)],
    lookAgain: true,
  };
};

function lowers(fleet: Fleet): boolean {
  return sharedMoves(fleet).lowered.length > 0;
}

interface Due {
  readonly renewal: Renewal | null;
  /** Settings that wait for a restart of PostgreSQL, whatever has it restarted. */
  readonly pending: readonly string[];
  /** For people; empty: nothing is due. */
  readonly words: readonly string[];
}

function dueOf(view: MemberView | undefined, region: RegionView, fleet: Fleet): Due {
  if (view === undefined) return { renewal: null, pending: [], words: [] };
  const pending = pendingOf(view, region, fleet);
  const renewal = lowers(fleet) ? null : renewalOf(view, fleet.moment);
  return { renewal, pending, words: [...(renewal?.changed ?? []), ...pending] };
}

function isRenewed({ moment }: Fleet): (view: MemberView) => boolean {
  return (view) => renewalOf(view, moment) !== null;
}

function inPlace(views: readonly MemberView[], region: RegionView, fleet: Fleet): RegionStep[] {
  return views.flatMap((view): RegionStep[] => {
    const { renewal, pending, words } = dueOf(view, region, fleet);
    if (words.length === 0) return [];
    const restart: RegionStep = renewal ?? { kind: "restartMember", host: view.name, changed: pending };
    return [restart, { kind: "awaitMember", host: view.name }];
  });
}

function interrupts({ leader }: RegionView, steps: readonly RegionStep[]): boolean {
  return steps.some((step) => step.kind === "restartMember" && step.host === leader);
}

function writeGap({ leader, name }: RegionView): Notice {
  return {
    code: "N_WRITE_GAP",
    message: `${leader} leads ${name} and has to be restarted: clients are disconnected, and writes are expected to stop for about a second.`,
  };
}
