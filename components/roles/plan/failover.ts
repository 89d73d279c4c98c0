/**
 * The role moves although the old primary cannot be asked for what it had. Whether that may be is decided by the
 * rules below; the steps are few, because from the promotion on the dead site is left alone.
 */
import type { Notice, Refusal, Step } from "../steps.ts";
import { fenceSite, unprovenRefusals } from "./fencing.ts";
import { type Contribution, type Fleet, isUsedUp, type NodeView } from "./fleet.ts";
import { assessLoss, inWords, type Loss } from "./loss.ts";
import { bytesBetween, furthest } from "./lsn.ts";
import { statementRefusals } from "./statement.ts";
import { successionOf } from "./succession.ts";
import { diskSpace, unfitTarget } from "./target.ts";

export function failover(fleet: Fleet): Contribution {
  const succession = successionOf(fleet);
  if (succession.kind !== "failover") return {};
  const { from } = succession;
  const { active, desired } = fleet;
  return {
    steps: [
      // What its own agent can write comes first: afterwards the site may be off, and write nothing.
      ...fence(from, active),
      ...fenceSite(fleet, from),
      {
        kind: "promote",
        node: active.name,
        from: from.name,
        mode: "failover",
        alone: desired.policy.synchronous !== "off",
        rejoin: null,
        statementAt: desired.failover?.at ?? null,
      },
    ],
    notices: outlook(fleet, from),
    // One that answers is taken back at once: what it is then shows what that needs.
    lookAgain: from.facts.reach === "up",
  };
}

/** Where its disk can be written, whoever starts it later gets a standby, also next week. */
function fence(from: NodeView, active: NodeView): Step[] {
  if (from.report?.data.state !== "ready" || (from.signal && from.follows === active.name)) return [];
  return [{ kind: "fence", node: from.name, to: active.name }];
}

export function failoverRefusals(fleet: Fleet): Refusal[] {
  const succession = successionOf(fleet);
  if (succession.kind !== "failover") return unprovenRefusals(fleet, succession);
  const unfit = unfitTarget(fleet.active, succession.from);
  if (unfit) return [unfit];
  const loss = lossOf(fleet, succession.from);
  return [
    ...statementRefusals(fleet, succession.from, loss),
    ...behindAnother(fleet),
    ...diskSpace(fleet.active),
  ];
}

function behindAnother({ active, standbys }: Fleet): Refusal[] {
  const own = received(active);
  return standbys.flatMap((other) => {
    const has = other.role === "standby" ? received(other) : null;
    if (own === null || has === null || bytesBetween(own, has) <= 0) return [];
    return [
      {
        code: "E_STANDBY_BEHIND",
        message: `${active.name} has received WAL up to ${own}, and ${other.name} up to ${has}: what is between them would be lost. Make ${other.wish.site} the active site.`,
      },
    ];
  });
}

function received({ report }: NodeView): string | null {
  return furthest([
    report?.server.sql?.receiveLsn,
    report?.server.sql?.replayLsn,
    report?.received?.receivedLsn,
  ]);
}

function lossOf(fleet: Fleet, from: NodeView): Loss {
  const nodes = { [from.name]: from.facts, [fleet.active.name]: fleet.active.facts };
  return assessLoss({ at: fleet.at, nodes }, from.name, fleet.active.name);
}

function outlook(fleet: Fleet, from: NodeView): Notice[] {
  const { active, desired } = fleet;
  const strict = desired.policy.synchronous !== "off";
  return [
    { code: "N_DATA_AT_RISK", message: inWords(lossOf(fleet, from)) },
    {
      code: "N_OLD_SITE",
      message: `${from.name} is left alone while the statement names it. When it is to come back: pulumi config rm failover && pulumi up. What only it has is kept aside first, then it is rewound or copied anew.`,
    },
    ...(strict
      ? [
          {
            code: "N_DEGRADED_AFTERWARDS",
            message: `${active.name} acknowledges commits alone until a standby has caught up; until then another failover could lose them.`,
          },
        ]
      : []),
  ];
}

/** What holds after a failover, until the old site is back: known, and not well. */
export function alone(fleet: Fleet): Contribution {
  const { active, desired, away } = fleet;
  const statement = desired.failover;
  // As observed: what is only about to become so is said by `outlook`.
  if (statement === undefined || active.report?.server.sql?.inRecovery !== false) return {};
  const since = active.report?.degraded?.since ?? active.report?.promotion?.at ?? statement.at;
  if (away.length > 0) {
    const names = away.map(({ name, state }) => `${name} (${state})`).join(", ");
    return {
      notices: [
        {
          code: "N_ALONE",
          message: `${active.name} leads alone since ${since}; ${names} is given up by the statement of ${statement.at} and left alone. When it is to come back: pulumi config rm failover && pulumi up`,
        },
      ],
    };
  }
  const used = isUsedUp(statement, active) ? "has been used up" : "is not needed";
  return {
    notices: [
      {
        code: "N_STATEMENT_SPENT",
        message: `The failover statement of ${statement.at} ${used}: pulumi config rm failover`,
      },
    ],
  };
}
