/**
 * One name for everything that can be found at a node. The plan's tables are written in these words, and the
 * switch below is the only place that derives them from raw facts.
 */
import type { DataFacts, NodeFacts, NodeReport } from "../facts.ts";

export const nodeStates = [
  /** Takes, or would take, writes: it answers and is not in recovery. */
  "primary",
  "standby-streaming",
  /** In recovery and not streaming: its source is away, its slot or WAL is gone, or it has only just started. */
  "standby-lagging",
  /** A primary that wrote its shutdown checkpoint. With `standby.signal` it is fenced: see `roleOf`. */
  "stopped-clean",
  "stopped-clean-standby",
  /** Down without a shutdown checkpoint, or on its way down: the control file is not the last word. */
  "stopped-dirty",
  /** Ended by itself, and the supervisor has given up. */
  "failed",
  /** Runs, and does not answer queries yet. */
  "starting",
  "empty",
  /** A first build was cut off; nothing in it is of value. */
  "half-built",
  /** pg_rewind was cut off; it must never be started. */
  "rewinding",
  /** The container or unit is there and does not run: its data cannot be looked at. */
  "unit-stopped",
  /** No container or unit, no data volume. */
  "absent",
  /** No container or unit; a data volume is there, and nobody can look into it. */
  "absent-kept",
  /** Nothing is known, and nothing may be assumed. */
  "unreachable",
] as const;

export type NodeState = (typeof nodeStates)[number];

/** What a node is, or would be if it were started as it is. */
export type NodeRole = "primary" | "standby" | "none" | "unknown";

export function stateOf(facts: NodeFacts): NodeState {
  switch (facts.reach) {
    case "unreachable":
      return "unreachable";
    case "absent":
      return facts.data === "none" ? "absent" : "absent-kept";
    case "stopped":
      return "unit-stopped";
    case "up":
      return reportedState(facts.report);
  }
}

function reportedState(report: NodeReport): NodeState {
  switch (report.data.state) {
    case "empty":
      return "empty";
    case "building":
      return "half-built";
    case "rewinding":
      return "rewinding";
    case "ready":
      return serverState(report);
  }
}

function serverState({ server, data }: NodeReport): NodeState {
  switch (server.state) {
    case "running":
      if (server.sql === null) return "starting";
      if (!server.sql.inRecovery) return "primary";
      return server.sql.walReceiver?.status === "streaming" ? "standby-streaming" : "standby-lagging";
    case "starting":
      return "starting";
    case "failed":
      return "failed";
    case "stopping":
      return "stopped-dirty";
    case "held":
    case "stopped":
      if (data.control?.state === "shut down") return "stopped-clean";
      if (data.control?.state === "shut down in recovery") return "stopped-clean-standby";
      return "stopped-dirty";
  }
}

/**
 * For a server that does not answer, `standby.signal` decides, as it would for PostgreSQL itself; a control file
 * that ends in recovery is a standby's even without it, because to start it as a primary would be a promotion.
 */
export function roleOf(facts: NodeFacts): NodeRole {
  const state = stateOf(facts);
  switch (state) {
    case "primary":
      return "primary";
    case "standby-streaming":
    case "standby-lagging":
    case "stopped-clean-standby":
      return "standby";
    case "stopped-clean":
    case "stopped-dirty":
    case "failed":
    case "starting":
      return facts.reach === "up" && lastWasStandby(facts.report.data) ? "standby" : "primary";
    case "empty":
    case "half-built":
    case "rewinding":
    case "absent":
      return "none";
    case "unit-stopped":
      return facts.reach === "stopped" && facts.report ? roleOnDisk(facts.report.data) : "unknown";
    case "absent-kept":
    case "unreachable":
      return "unknown";
  }
}

/** What a stopped container's volume says; where it holds no whole data directory, only a look inside is certain. */
function roleOnDisk(data: DataFacts): NodeRole {
  if (data.state !== "ready" || data.control === null) return "unknown";
  return lastWasStandby(data) || data.control.state === "shut down in recovery" ? "standby" : "primary";
}

function lastWasStandby(data: DataFacts): boolean {
  return data.standbySignal || data.control?.state === "in archive recovery";
}

/** Nothing that anybody could want back lies on the node, and that is certain. */
export function holdsNothing(state: NodeState): boolean {
  return state === "empty" || state === "half-built" || state === "absent";
}

/** The server answers queries. */
export function answers(state: NodeState): boolean {
  return state === "primary" || state === "standby-streaming" || state === "standby-lagging";
}
