/**
 * The nodes as the plan sees them: as observed at first, and after each planned step as that step is expected to
 * leave them (`assume.ts`). A concern therefore reads the same words whether something is so already or will be.
 */

import type { Desired, DesiredNode, FailoverStatement, Policy } from "../desired.ts";
import type { CatalogFacts, NodeFacts, NodeReport, Observed, SlotFacts } from "../facts.ts";
import type { Notice, Refusal, Step } from "../steps.ts";
import { changedByHand } from "./byHand.ts";
import { type NodeRole, type NodeState, roleOf, stateOf } from "./state.ts";

/**
 * `preview`: an absent container will have been created by the update before converge runs.
 * `apply`: the update has done its part, what is still missing is refused.
 */
export type Moment = "preview" | "apply";

export interface NodeView {
  readonly name: string;
  readonly wish: DesiredNode;
  readonly facts: NodeFacts;
  /** The node's own, or what an agent beside its stopped container read from its volumes. */
  readonly report: NodeReport | null;
  readonly state: NodeState;
  readonly role: NodeRole;
  /** The node that it is configured to follow. */
  readonly follows: string | null;
  /** `standby.signal` is written. */
  readonly signal: boolean;
  readonly timeline: number | null;
  /** null: cannot be known before the server answers. */
  readonly slots: readonly SlotFacts[] | null;
  readonly catalog: CatalogFacts | null;
  /** Runs, or will run, with the desired configuration because of a step of this plan. */
  readonly configured: boolean;
  /** A standby that the policy's promise already rests on. */
  readonly inSync: boolean;
  /** Configuration files on a machine that are not as this update leaves or left them: nothing may load them. */
  readonly changedByHand: readonly string[];
}

export interface Fleet {
  readonly moment: Moment;
  readonly desired: Desired;
  /** The node that is to lead. */
  readonly active: NodeView;
  /** All others, in the order of the stack file. */
  readonly standbys: readonly NodeView[];
  /**
   * Nodes that the operator's statement gives up and that do not run: nothing is asked of them and nothing is done
   * with them, whatever another concern would make of a node that is down.
   */
  readonly away: readonly NodeView[];
  /** Between these two instants the facts were true. */
  readonly at: string;
  readonly until: string;
}

/** What one concern adds to the plan. `lookAgain`: what comes after its steps is an expectation. */
export interface Contribution {
  readonly steps?: readonly Step[];
  readonly refusals?: readonly Refusal[];
  readonly notices?: readonly Notice[];
  readonly lookAgain?: boolean;
}

/** One subject of the plan. It sees the fleet as all earlier concerns will leave it. */
export type Concern = (fleet: Fleet) => Contribution;

export function fleetOf(observed: Observed, desired: Desired, moment: Moment): Fleet {
  const facts = (name: string): NodeFacts =>
    observed.nodes[name] ?? { reach: "unreachable", reason: "it was not observed" };
  const wish = desired.nodes.find((node) => node.name === desired.active);
  if (!wish) throw new Error(`the active node ${desired.active} is not one of the nodes`);
  const active = viewOf(wish, facts(wish.name), moment);
  const others = desired.nodes.filter((node) => node !== wish);
  const views = others.map((node) => {
    const view = viewOf(node, facts(node.name), moment);
    return { ...view, inSync: isInSync(view, active, desired.policy) };
  });
  const isAway = (view: NodeView) => givenUp(view, active, desired);
  return {
    moment,
    desired,
    active,
    standbys: views.filter((view) => !isAway(view)),
    away: views.filter(isAway),
    at: observed.at,
    until: observed.until ?? observed.at,
  };
}

/**
 * The statement counts from the failover that it allows (whether it may allow it is a refusal's question) until it
 * is removed from the configuration, and only for a site that is down: one that has come back is taken back. Where
 * nothing could be promoted it counts for nothing: a node that is given up must never look like one that never was.
 */
function givenUp(view: NodeView, active: NodeView, { failover }: Desired): boolean {
  if (failover === undefined || view.facts.reach === "up") return false;
  if (failover.from !== view.wish.site || failover.to !== active.wish.site) return false;
  return active.role === "standby" || (active.role === "primary" && isUsedUp(failover, active));
}

/** The promotion that this statement allowed has happened. */
export function isUsedUp(failover: FailoverStatement, { name, report }: NodeView): boolean {
  const last = report?.promotion;
  return last?.to === name && last.statementAt === failover.at;
}

export function nodesOf(fleet: Fleet): readonly NodeView[] {
  return [fleet.active, ...fleet.standbys];
}

/** For questions whose answer must not depend on who was given up. */
export function everyNode(fleet: Fleet): readonly NodeView[] {
  return [...nodesOf(fleet), ...fleet.away];
}

export function withNode(fleet: Fleet, name: string, change: (view: NodeView) => Partial<NodeView>): Fleet {
  const changed = (view: NodeView) => (view.name === name ? { ...view, ...change(view) } : view);
  return { ...fleet, active: changed(fleet.active), standbys: fleet.standbys.map(changed) };
}

function viewOf(wish: DesiredNode, facts: NodeFacts, moment: Moment): NodeView {
  const report = facts.reach === "up" || facts.reach === "stopped" ? (facts.report ?? null) : null;
  return {
    name: wish.name,
    wish,
    facts,
    report,
    state: stateOf(facts),
    role: roleOf(facts),
    follows: report?.data.follows ?? null,
    signal: report?.data.standbySignal ?? false,
    timeline: report?.server.sql?.timeline ?? report?.data.control?.timeline ?? null,
    slots: report?.server.sql?.slots ?? null,
    catalog: report?.server.sql?.catalog ?? null,
    configured: false,
    inSync: false,
    changedByHand: changedByHand(wish, facts, report, moment),
  };
}

function isInSync(standby: NodeView, active: NodeView, policy: Policy): boolean {
  if (standby.state !== "standby-streaming") return false;
  if (active.report?.degraded) return false;
  const sender = active.report?.server.sql?.senders.find((s) => s.applicationName === standby.name);
  if (sender?.state !== "streaming") return false;
  return policy.synchronous === "off" || sender.syncState === "sync" || sender.syncState === "quorum";
}
