/**
 * The active region changes although the old one cannot be asked for what it had. Whether that may be is decided by
 * the operator's statement; the steps are few, because from the promotion on the old region is left alone.
 */
import { confirmation } from "../../roles/plan/fencing.ts";
import { inWords } from "../../roles/plan/loss.ts";
import { judgeStatement } from "../../roles/plan/statement.ts";
import type { RegionStep } from "../steps.ts";
import {
  activeOf,
  type Concern,
  type Fleet,
  leaderView,
  othersOf,
  programOf,
  type Refusal,
  type RegionView,
} from "./fleet.ts";
import { assessLoss } from "./loss.ts";
import { isAhead, positionOf, successionOf } from "./succession.ts";
import { condition, diskSpace, quorum, refusal, unfitTarget } from "./target.ts";

export const failover: Concern = (fleet) => {
  const succession = successionOf(fleet);
  if (succession.kind !== "failover") return {};
  const { from, already } = succession;
  const active = activeOf(fleet);
  const statement = fleet.desired.failover;
  if (active.leader === null || statement === undefined) return {};
  const answering = from.members.some(({ facts }) => facts.reach === "up");
  return {
    steps: [
      // What its own agents can do comes first: afterwards the region may be off.
      ...holds(from),
      ...fence(from, confirmation(statement)),
      {
        kind: "promoteCluster",
        host: active.leader,
        region: active.name,
        from: from.name,
        mode: "failover",
        statementAt: statement.at,
      },
    ],
    notices: [
      { code: "N_DATA_AT_RISK", message: inWords(assessLoss(from, active, already)) },
      {
        code: "N_OLD_REGION",
        message: `${from.name} is left alone while the statement names it and it cannot be worked with. When it is to come back: pulumi config rm failover && pulumi up. Its members then follow ${active.name}: Patroni rewinds what only they have, or copies them anew.`,
      },
    ],
    lookAgain: answering,
  };
};

/** Durably: neither a reboot nor a person's `docker start` makes a second primary of it. */
function holds({ members }: RegionView): RegionStep[] {
  return members
    .filter((view) => view.facts.reach === "up" && programOf(view, "patroni")?.state !== "held")
    .map(({ name }) => ({ kind: "hold", host: name, program: "patroni" }));
}

/**
 * The command runs also where the operator has given his word: it may find what he has overlooked. But then its
 * failure is a warning and no end, because a region whose power control is dead too could never be given up otherwise.
 */
function fence({ name, wish }: RegionView, confirmed: string | null): RegionStep[] {
  if (wish.fenceCommand === undefined) return [];
  const { command, timeoutSeconds } = wish.fenceCommand;
  return [{ kind: "fenceRegion", region: name, command, timeoutSeconds, confirmed }];
}

export function failoverRefusals(fleet: Fleet): Refusal[] {
  const succession = successionOf(fleet);
  if (succession.kind !== "failover") return [];
  const { from, already } = succession;
  const to = activeOf(fleet);
  const unfit = already ? undefined : unfitTarget(to, from);
  if (unfit) return [unfit];
  const { fenceCommand } = from.wish;
  const event = {
    kind: "region",
    failover: fleet.desired.failover,
    from: {
      place: from.name,
      name: from.name,
      condition: `has no leader that answers (${condition(from)})`,
      ...(fenceCommand ? { fenceCommand } : {}),
    },
    to: { place: to.name, name: to.name },
    last: fleet.change,
    loss: assessLoss(from, to, already),
    at: fleet.at,
    until: fleet.until,
  } as const;
  return [
    ...judgeStatement(event),
    ...quorum(to),
    ...(already ? [] : [...behindAnother(fleet, from, to), ...diskSpace(to)]),
  ];
}

function behindAnother(fleet: Fleet, from: RegionView, to: RegionView): Refusal[] {
  return othersOf(fleet).flatMap((other) => {
    if (other.name === from.name || other.role !== "standby" || !isAhead(other, to)) return [];
    return [
      refusal(
        "E_STANDBY_BEHIND",
        `${to.name} has received WAL up to ${positionOf(to)}, and ${other.name} up to ${positionOf(other)}: what is between them would be lost. Make ${other.name} the active region.`,
      ),
    ];
  });
}

/** What holds after a failover, until the old region is back; and a statement that has done its work. */
export const alone: Concern = (fleet) => {
  const { desired, away, change } = fleet;
  const statement = desired.failover;
  // As observed: what is only about to become so is said by the failover itself.
  const active = activeOf(fleet);
  if (statement === undefined || leaderView(active)?.patroni?.role !== "primary") return {};
  if (successionOf(fleet).kind === "failover") return {};
  if (away.length > 0) {
    const since = change?.at ?? statement.at;
    return {
      notices: away.map((region) => ({
        code: "N_ALONE",
        message: `${active.name} is active without ${region.name} since ${since}; ${region.name} is given up by the statement of ${statement.at} and left alone (${condition(region)}). When it is to come back: pulumi config rm failover && pulumi up`,
      })),
    };
  }
  const used = change?.statementAt === statement.at ? "has been used up" : "is not needed";
  return {
    notices: [
      {
        code: "N_STATEMENT_SPENT",
        message: `The failover statement of ${statement.at} ${used}: pulumi config rm failover`,
      },
    ],
  };
};
