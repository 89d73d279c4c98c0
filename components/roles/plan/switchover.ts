/**
 * The role moves while both nodes answer, and nothing is lost: the old primary is stopped and fenced, the new one is
 * proven to have all that it had, and only then promoted. Whatever of that an earlier run has done is not done again.
 */
import type { Notice, Step } from "../steps.ts";
import { type Contribution, type Fleet, type NodeView, nodesOf } from "./fleet.ts";
import { follow } from "./repair.ts";
import { answers } from "./state.ts";
import { isHandedOver, successionOf } from "./succession.ts";

/** What is on its way up or down arrives there first; what is seen then decides how it goes on. */
export function settle(fleet: Fleet): Contribution {
  const succession = successionOf(fleet);
  if (!("from" in succession)) return {};
  const { active } = fleet;
  const { kind, from } = succession;
  const up = (view: NodeView, source: NodeView): Step[] =>
    answers(view.state)
      ? []
      : [...(view.signal ? [] : follow(view, source)), { kind: "start", node: view.name, as: "standby" }];
  const steps: Record<typeof kind, readonly Step[]> = {
    switchover: [...finishing(from), ...(from.state === "primary" ? [] : up(active, from))],
    failover: up(active, from),
    standoff: [...up(active, from), ...up(from, active)],
  };
  return steps[kind].length === 0 ? {} : { steps: steps[kind], lookAgain: true };
}

function finishing(from: NodeView): Step[] {
  if (from.state === "starting") return [{ kind: "start", node: from.name, as: "primary" }];
  return from.state === "stopped-dirty" ? [{ kind: "stop", node: from.name }] : [];
}

export function switchover(fleet: Fleet): Contribution {
  const succession = successionOf(fleet);
  if (succession.kind !== "switchover") return {};
  const { from } = succession;
  const { active } = fleet;
  const runs = from.state === "primary";
  return {
    steps: [
      ...(runs ? ([checkpoint(from), checkpoint(active)] as const) : []),
      ...slotsOf(fleet),
      ...(runs ? ([{ kind: "stop", node: from.name }] as const) : []),
      ...(isHandedOver(from) && from.follows === active.name
        ? []
        : ([{ kind: "fence", node: from.name, to: active.name }] as const)),
      { kind: "gate", node: active.name, of: from.name },
      promote(active, from, from.name),
      // Before the other standbys are turned: under `strict` the first commit waits for this one.
      { kind: "awaitStandby", node: active.name, standby: from.name },
    ],
    notices: runs ? outlook(fleet, from) : [],
    // What slots a server has that is down is seen when it is up.
    lookAgain: !runs,
  };
}

/**
 * Nobody takes writes and both are standbys of one history, so what each has is final: the further one may lead
 * (`preflight.ts` refuses the other way round), and a new timeline makes the other one its standby as it is.
 */
export function standoff(fleet: Fleet): Contribution {
  const succession = successionOf(fleet);
  if (succession.kind !== "standoff") return {};
  return { steps: [...slotsOf(fleet), promote(fleet.active, succession.from, null)] };
}

/** It was fenced for a standby that was not promoted; without the fence it is the primary that it was. */
export function resume(fleet: Fleet): Contribution {
  if (successionOf(fleet).kind !== "resume") return {};
  return { steps: [{ kind: "lead", node: fleet.active.name }] };
}

function checkpoint(view: NodeView): Step {
  return { kind: "checkpoint", node: view.name };
}

/** Made before the promotion, so that what a standby needs is kept from the first record of the new timeline on. */
function slotsOf({ active, standbys }: Fleet): Step[] {
  const present = (active.slots ?? []).map(({ name }) => name);
  const ensure = standbys.map(({ wish }) => wish.slot).filter((slot) => !present.includes(slot));
  return ensure.length === 0 ? [] : [{ kind: "slots", node: active.name, ensure, drop: [] }];
}

function promote(active: NodeView, from: NodeView, rejoin: string | null): Step {
  return {
    kind: "promote",
    node: active.name,
    from: from.name,
    mode: "switchover",
    alone: false,
    rejoin,
    statementAt: null,
  };
}

function outlook(fleet: Fleet, from: NodeView): Notice[] {
  const to = fleet.active;
  const others = nodesOf(fleet).length - 2;
  return [
    {
      code: "N_WRITE_GAP",
      message: `${from.name} hands over to ${to.name}: clients are disconnected, and writes are expected to stop for 0.2 to 0.3 s${others > 0 ? "; the other standbys are turned after that" : ""}.`,
    },
    {
      code: "N_DATA_AT_RISK",
      message: `None: ${to.name} is promoted only with the same system identifier, timeline and REDO location as the stopped ${from.name}. If any differs, or a step before it fails, ${from.name} leads again.`,
    },
    {
      code: "N_WAY_BACK",
      message: `Afterwards, the same way back: pulumi config set active ${from.wish.site} && pulumi up`,
    },
  ];
}
