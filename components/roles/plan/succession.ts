/**
 * Who led last, by the evidence that the nodes give, and what has to happen for the active node to lead. Every
 * intermediate state that a role change can be cut off in has its row here, so that the next run goes on or goes
 * back by what it finds; nobody remembers what an earlier run did.
 */
import { everyNode, type Fleet, type NodeView, nodesOf } from "./fleet.ts";
import { holdsNothing } from "./state.ts";

export type Succession =
  /** The active node leads, or comes up as what it was, or nothing has been made yet. */
  | { readonly kind: "none" }
  /** `from` leads, or was stopped cleanly, so that what it had can be proven to be on the active node. */
  | { readonly kind: "switchover"; readonly from: NodeView }
  /** `from` led last and cannot be asked for what it had. */
  | { readonly kind: "failover"; readonly from: NodeView }
  /** The active node led last and was fenced for another, who was not promoted. */
  | { readonly kind: "resume" }
  /** `from` was started as the active node's standby, and that was not promoted: nobody takes writes. */
  | { readonly kind: "standoff"; readonly from: NodeView }
  /** Nobody who is known can lead. */
  | { readonly kind: "lost" };

export function successionOf(fleet: Fleet): Succession {
  const { active } = fleet;
  const leaders = leadersOf(fleet);
  const [leader] = leaders;
  if (leaders.length > 1 || leader === active) return { kind: "none" };
  if (leader)
    return canBeAsked(leader) ? { kind: "switchover", from: leader } : { kind: "failover", from: leader };
  if (everyNode(fleet).every((view) => holdsNothing(view.state))) return { kind: "none" };
  switch (active.role) {
    case "standby":
      return withoutALeader(fleet);
    case "unknown":
      return { kind: "none" };
    case "none":
      return fleet.standbys.some((view) => view.role === "unknown") ? { kind: "none" } : { kind: "lost" };
    case "primary":
      // Superseded, and whoever superseded it leads no more: a human question.
      return { kind: "lost" };
  }
}

/** More than one is a split brain, whoever the wish names. */
export function leadersOf(fleet: Fleet): readonly NodeView[] {
  return nodesOf(fleet).filter((view) => view.role === "primary" && !isSuperseded(view, fleet));
}

/** The active node is a standby, and there is no primary. */
function withoutALeader(fleet: Fleet): Succession {
  const { active } = fleet;
  const others = everyNode(fleet).filter((view) => view !== active);
  const unseen = others.filter(({ role }) => role === "unknown");
  const source =
    others.find(({ name }) => name === active.follows) ?? (unseen.length === 1 ? unseen[0] : undefined);
  if (source === undefined) return { kind: "lost" };
  const facing = source.follows === active.name && source.role === "standby";
  if (isHandedOver(active) && isHandedOver(source)) return later(active, source);
  if (ledLast(active, source)) {
    // Of a node that cannot be seen nobody knows whether it was promoted meanwhile.
    return source.role === "unknown" ? { kind: "none" } : { kind: "resume" };
  }
  if (isHandedOver(source)) return { kind: "switchover", from: source };
  if (source.facts.reach !== "up" || source.role === "none" || ledLast(source, active)) {
    return { kind: "failover", from: source };
  }
  return facing ? { kind: "standoff", from: source } : { kind: "lost" };
}

/** Two handovers, one after the other, and neither old primary has run since: the later timeline is the last word. */
function later(active: NodeView, source: NodeView): Succession {
  const [own, other] = [active.timeline ?? 0, source.timeline ?? 0];
  if (own === other) return { kind: "lost" };
  return own > other ? { kind: "resume" } : { kind: "switchover", from: source };
}

/** It takes writes, or it has written its shutdown checkpoint, or it will have in a moment. */
function canBeAsked({ state, report }: NodeView): boolean {
  if (state === "primary" || state === "stopped-clean" || state === "starting") return true;
  return state === "stopped-dirty" && report?.server.state === "stopping";
}

/** It shut down as a primary, and was fenced after that: the first half of a switchover. */
export function isHandedOver({ state, signal }: NodeView): boolean {
  return state === "stopped-clean" && signal;
}

/**
 * A primary that was fenced and has not run since, whatever the shutdown was like. `in production` alone does not
 * say so: a new copy has its source's control file. But nobody copies from a node that follows the copy.
 */
function ledLast(view: NodeView, other: NodeView): boolean {
  if (isHandedOver(view)) return true;
  const state = view.report?.data.control?.state;
  const down = view.state === "unit-stopped" || view.state === "stopped-dirty" || view.state === "failed";
  if (!down || !view.signal || view.follows !== other.name) return false;
  if (state === "shut down") return true;
  return other.role === "standby" && other.follows === view.name && state === "in production";
}

/**
 * A primary that has come back after its site was given up. Two primaries are never told apart by which one looks
 * newer; this is only so where another node has the record of the promotion that named this one.
 */
export function isSuperseded(view: NodeView, fleet: Fleet): boolean {
  const { timeline } = view;
  if (view.role !== "primary" || timeline === null) return false;
  return nodesOf(fleet).some((other) => {
    const record = other.report?.promotion;
    if (other === view || !record || record.from !== view.name || record.to === view.name) return false;
    return timeline < record.timeline && (other.timeline ?? 0) >= record.timeline;
  });
}
