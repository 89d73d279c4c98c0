/**
 * The active region changes while both answer, and nothing is lost: the old one is made a standby cluster, which stops
 * it with a shutdown checkpoint, the new one is proven to have all that it had, and only then promoted. Whatever of
 * that an earlier run has done is not done again.
 */
import { bytesBetween } from "../../roles/plan/lsn.ts";
import type { RegionStep } from "../steps.ts";
import {
  activeOf,
  type Concern,
  type Fleet,
  leaderView,
  type MemberView,
  type Notice,
  othersOf,
  type RegionView,
  spokesman,
} from "./fleet.ts";
import { heldBack } from "./pause.ts";
import { successionOf, writerOf } from "./succession.ts";
import { workable } from "./units.ts";

/** What is on its way up or down arrives there first; what is seen then decides how it goes on. */
export const settle: Concern = (fleet) => {
  const { kind } = successionOf(fleet);
  const steps = workable(fleet).flatMap((region): RegionStep[] => {
    const host = spokesman(region)?.name;
    if (host === undefined) return [];
    if (region.role === "standby" && writerOf(region) !== null)
      return [{ kind: "awaitLeader", host, as: "standby_leader" }];
    const role = leaderView(region)?.patroni?.role;
    if (region.role === "primary" && role !== undefined && role !== "primary")
      return [{ kind: "awaitLeader", host, as: "primary" }];
    const matters = region.name === fleet.desired.active && (kind === "finish" || kind === "resume");
    return matters && region.leader === null ? [{ kind: "awaitLeader", host, as: "standby_leader" }] : [];
  });
  return { steps, lookAgain: steps.length > 0 };
};

export const regionChange: Concern = (fleet) => {
  const succession = successionOf(fleet);
  const active = activeOf(fleet);
  const host = active.leader;
  if (host === null) return {};
  switch (succession.kind) {
    case "switchover": {
      const { from } = succession;
      const old = writerOf(from);
      if (old === null) return {};
      return {
        steps: [
          { kind: "checkpoint", host: old },
          { kind: "checkpoint", host },
          ...heldBack(
            [
              { kind: "demoteCluster", host: old, region: from.name, to: active.name },
              { kind: "gate", host, of: old },
              promotion(host, active, from),
            ],
            host,
            fleet,
          ),
        ],
        notices: outlook(from, active, fleet),
      };
    }
    case "finish": {
      const { from } = succession;
      const of = stoppedPrimaryOf(from)?.name;
      if (of === undefined) return {};
      return {
        // Restarted as a standby it may be anybody's turn there: a restartpoint is what can be compared.
        steps: [{ kind: "checkpoint", host: of }, { kind: "gate", host, of }, promotion(host, active, from)],
        notices: [goesOn(from, active)],
      };
    }
    case "resume":
      return { steps: [{ kind: "resumeCluster", host, region: active.name }] };
    default:
      return {};
  }
};

function promotion(host: string, to: RegionView, from: RegionView): RegionStep {
  return {
    kind: "promoteCluster",
    host,
    region: to.name,
    from: from.name,
    mode: "switchover",
    statementAt: null,
  };
}

/** The member with the shutdown checkpoint: nobody else's control file can have one that is further. */
function stoppedPrimaryOf(region: RegionView): MemberView | undefined {
  const leader = leaderView(region);
  return [...(leader ? [leader] : []), ...region.members].reduce<MemberView | undefined>((best, view) => {
    const own = view.report?.data?.control?.checkpointLsn;
    const has = best?.report?.data?.control?.checkpointLsn;
    if (own === undefined) return best;
    return has === undefined || bytesBetween(has, own) > 0 ? view : best;
  }, undefined);
}

function outlook(from: RegionView, to: RegionView, fleet: Fleet): Notice[] {
  const others = othersOf(fleet).filter(({ name }) => name !== from.name);
  return [
    {
      code: "N_WRITE_GAP",
      message: `${from.name} hands over to ${to.name}: clients are disconnected, and writes are expected to stop for 0.5 to 2 s${others.length > 0 ? `; ${others.map(({ name }) => name).join(", ")} ${others.length > 1 ? "are" : "is"} turned after that` : ""}.`,
    },
    {
      code: "N_DATA_AT_RISK",
      message: `None: ${to.name} is promoted only with the same system identifier, timeline and REDO location as the stopped ${from.name}. If any differs, or a step before it fails, ${from.name} leads again.`,
    },
    {
      code: "N_WAY_BACK",
      message: `Afterwards, the same way back: pulumi config set active ${from.name} && pulumi up`,
    },
  ];
}

function goesOn(from: RegionView, to: RegionView): Notice {
  return {
    code: "N_HANDOVER_CUT",
    message: `A change from ${from.name} to ${to.name} was cut off: both are standby clusters, and nobody takes writes. It is finished now; to go back instead: pulumi config set active ${from.name} && pulumi up`,
  };
}
