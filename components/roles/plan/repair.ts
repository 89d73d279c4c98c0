/**
 * What is down comes up again in its own role, and what is missing of a standby is made again. The same rows
 * build the standby of a new deployment: to a primary it makes no difference why its standby is not there.
 */
import type { Step } from "../steps.ts";
import { wordsOf } from "../words.ts";
import { type Contribution, type Fleet, type NodeView, nodesOf } from "./fleet.ts";
import { systemIdentifier } from "./refusals.ts";
import type { NodeState } from "./state.ts";
import { isSuperseded } from "./succession.ts";

/** Stopped units are started; kept data of a unit that the update makes comes up with it. */
export function units(fleet: Fleet): Contribution {
  const stopped = nodesOf(fleet).filter((view) => view.state === "unit-stopped");
  if (stopped.length === 0) return {};
  return { steps: stopped.flatMap((view) => [...fence(view, fleet), startUnit(view)]), lookAgain: true };
}

/** A primary that was given up while nobody could write to its disk: it does not even begin as one. */
function fence(view: NodeView, fleet: Fleet): Step[] {
  if (!isSuperseded(view, fleet)) return [];
  return [{ kind: "fence", node: view.name, to: fleet.active.name }];
}

function startUnit({ name, wish }: NodeView): Step {
  const { theUnit, log } = wordsOf(wish);
  return { kind: "startUnit", node: name, unit: theUnit, log };
}

/** The primary is started. What its catalog and slots need is seen when it answers. */
export function leader(fleet: Fleet): Contribution {
  const { name, state, role } = fleet.active;
  if (role !== "primary" || !isDown(state)) return {};
  return { steps: [{ kind: "start", node: name, as: "primary" }], lookAgain: true };
}

function isDown(state: NodeState): boolean {
  return ["stopped-clean", "stopped-clean-standby", "stopped-dirty", "failed", "starting"].includes(state);
}

/**
 * Each standby is made, started and waited for, one after the other. One that was down and not made anew may bring
 * things back that nobody could see (slots from when it led).
 */
export function standbys(fleet: Fleet): Contribution {
  const steps = fleet.standbys.flatMap((standby) => recipe(standby, fleet.active));
  const made = new Set(steps.filter((step) => step.kind === "clone").map((step) => step.node));
  return { steps, lookAgain: steps.some((step) => step.kind === "start" && !made.has(step.node)) };
}

/** From each state to a streaming standby. Refused states have no row that acts. */
function recipe(standby: NodeView, primary: NodeView): Step[] {
  switch (standby.state) {
    case "empty":
    case "half-built":
      return [clone(standby, primary, standby.state), ...startAndAwait(standby, primary)];
    case "absent":
      return [clone(standby, primary, "new"), ...startAndAwait(standby, primary)];
    case "rewinding":
      return [clone(standby, primary, "rewind was cut off"), ...startAndAwait(standby, primary)];
    case "stopped-clean":
    case "stopped-clean-standby":
    case "stopped-dirty":
    case "failed":
      if (isLost(standby, primary)) {
        return [clone(standby, primary, "its WAL is gone"), ...startAndAwait(standby, primary)];
      }
      return [...follow(standby, primary), ...startAndAwait(standby, primary)];
    case "starting":
      if (followsRightly(standby, primary)) return startAndAwait(standby, primary);
      return [stop(standby), ...follow(standby, primary), ...startAndAwait(standby, primary)];
    case "standby-lagging":
    case "standby-streaming":
      if (isLost(standby, primary)) {
        return [
          stop(standby),
          clone(standby, primary, "its WAL is gone"),
          ...startAndAwait(standby, primary),
        ];
      }
      if (!followsRightly(standby, primary)) {
        return [stop(standby), ...follow(standby, primary), ...startAndAwait(standby, primary)];
      }
      return standby.inSync ? [] : [wait(standby, primary)];
    case "primary":
    case "absent-kept":
    case "unit-stopped":
    case "unreachable":
      return [];
  }
}

/**
 * Whether the primary can no longer give the standby the WAL that it needs. Only then is a whole data directory
 * given up, and only one that is a standby's of the same system.
 */
export function isLost(standby: NodeView, primary: NodeView): boolean {
  if (standby.role !== "standby" || !standby.signal || standby.state === "standby-streaming") return false;
  const own = systemIdentifier(standby);
  if (own === null || own !== systemIdentifier(primary)) return false;
  if (standby.report?.server.sql?.walGone === true) return true;
  // As observed, not as assumed: by now an earlier step has replaced the slot.
  const slot = primary.report?.server.sql?.slots.find(({ name }) => name === standby.wish.slot);
  return slot?.walStatus === "lost";
}

function followsRightly(standby: NodeView, primary: NodeView): boolean {
  return standby.signal && standby.follows === primary.name;
}

function clone(standby: NodeView, primary: NodeView, reason: string): Step {
  const id =
    standby.report?.data.state === "ready" || standby.state === "rewinding"
      ? systemIdentifier(standby)
      : null;
  const step = { kind: "clone", node: standby.name, from: primary.name, reason } as const;
  return id === null ? step : { ...step, discard: id };
}

/** Without `standby.signal` a start would be a promotion. */
export function follow(standby: NodeView, primary: NodeView): Step[] {
  if (followsRightly(standby, primary)) return [];
  return [{ kind: "follow", node: standby.name, from: primary.name }];
}

function startAndAwait(standby: NodeView, primary: NodeView): Step[] {
  return [{ kind: "start", node: standby.name, as: "standby" }, wait(standby, primary)];
}

function stop(standby: NodeView): Step {
  return { kind: "stop", node: standby.name };
}

function wait(standby: NodeView, primary: NodeView): Step {
  return { kind: "awaitStandby", node: primary.name, standby: standby.name };
}
