/**
 * How each step is carried out and proven, one row for each kind. A verb returns when its effect is there; where
 * the effect is a role or a data directory, the node is asked again, because that is what the next step rests on.
 */
import type { NodeReport } from "../facts.ts";
import type { NodeAccess, Session } from "../session.ts";
import type { Step } from "../steps.ts";
import type { Findings, Intent } from "./evidence.ts";
import type { RunCommand } from "./fenceCommand.ts";
import { handover } from "./handover.ts";
import { fenceSite } from "./siteFence.ts";

export interface ActContext {
  readonly access: ReadonlyMap<string, NodeAccess>;
  /** Limit for one stop or start. */
  readonly timeoutSeconds: number;
  /** Progress of long steps. */
  readonly progress: (line: string) => void;
  /** The role change that these steps are a part of, as the new primary records it. */
  readonly change: Intent | null;
  /** What it has to show for itself. */
  readonly findings: Findings;
  /** Absent: the command is run. For tests. */
  readonly runCommand?: RunCommand;
}

/** Resolves with what was proven, for the account of the step; rejects with the reason. */
export type Executor<S extends Step> = (step: S, context: ActContext) => Promise<string>;

/** Time for a node to answer beyond the limit that it was given itself: it should be the one that says why. */
const graceMs = 10_000;
/** Without a sign of progress for this long, a base backup is taken for dead. */
const cloneIdleMs = 10 * 60_000;
const sqlTimeoutMs = 10 * 60_000;

export const executors: { readonly [K in Step["kind"]]: Executor<Extract<Step, { kind: K }>> } = {
  async startUnit(step, context) {
    await nodeAccess(step.node, context).startUnit(context.timeoutSeconds);
    return "its agent answers";
  },

  async initdb(step, context) {
    const session = await open(step.node, context);
    await session.call("initdb", {}, { timeoutMs: context.timeoutSeconds * 1000 + graceMs });
    const { control } = (await session.call("observe", {})).data;
    if (!control) throw new Error("initdb ended, and there is no data directory that can be read");
    return `system ${control.systemIdentifier}`;
  },

  async clone(step, context) {
    const session = await open(step.node, context);
    const args = { from: step.from, ...(step.discard === undefined ? {} : { discard: step.discard }) };
    const { bytes } = await session.call("clone", args, {
      timeoutMs: cloneIdleMs,
      onProgress: context.progress,
    });
    const { data } = await session.call("observe", {});
    if (data.state !== "ready" || !data.standbySignal || data.follows !== step.from) {
      throw new Error(
        `the copy is not a standby of ${step.from}: it is ${data.state}, follows ${data.follows ?? "nobody"}`,
      );
    }
    return `${bytes} bytes`;
  },

  async follow(step, context) {
    const session = await open(step.node, context);
    await session.call("follow", { from: step.from });
    const { data } = await session.call("observe", {});
    if (!data.standbySignal || data.follows !== step.from) throw new Error(`it does not follow ${step.from}`);
    return "standby.signal is written";
  },

  async start(step, context) {
    const session = await open(step.node, context);
    const { ms } = await session.call("start", limit(context), callLimit(context));
    requireRole(await session.call("observe", {}), step.as);
    return `it answers as ${step.as} after ${ms} ms`;
  },

  async restart(step, context) {
    const session = await open(step.node, context);
    // A restart is a stop and a start, each with the limit of one.
    const { ms } = await session.call("restart", limit(context), callLimit(context, 2));
    requireRole(await session.call("observe", {}), step.as);
    return `it answers as ${step.as}, down for ${ms} ms`;
  },

  async slots(step, context) {
    const session = await open(step.node, context);
    await session.call("slots", { ensure: step.ensure, drop: step.drop });
    return "";
  },

  async reload(step, context) {
    const session = await open(step.node, context);
    const { errors } = await session.call("reload", {});
    if (errors.length > 0) throw new Error(`PostgreSQL cannot use its configuration: ${errors.join("; ")}`);
    return "";
  },

  async sql(step, context) {
    const session = await open(step.node, context);
    await session.call(
      "sql",
      { database: step.database, statements: step.statements },
      { timeoutMs: sqlTimeoutMs },
    );
    return step.summary;
  },

  async password(step, context) {
    const session = await open(step.node, context);
    await session.call("password", { role: step.role });
    return "";
  },

  async awaitStandby(step, context) {
    const session = await open(step.node, context);
    const args = { standby: step.standby, ...limit(context) };
    const { ms } = await session.call("awaitStandby", args, callLimit(context));
    return `after ${ms} ms`;
  },

  fenceSite,
  ...handover,
};

function nodeAccess(node: string, context: ActContext): NodeAccess {
  const access = context.access.get(node);
  if (!access) throw new Error(`there is no way to ${node}`);
  return access;
}

export function open(node: string, context: ActContext): Promise<Session> {
  return nodeAccess(node, context).open();
}

export function limit({ timeoutSeconds }: ActContext): { timeoutSeconds: number } {
  return { timeoutSeconds };
}

export function callLimit({ timeoutSeconds }: ActContext, times = 1): { timeoutMs: number } {
  return { timeoutMs: times * timeoutSeconds * 1000 + graceMs };
}

function requireRole(report: NodeReport, as: "primary" | "standby"): void {
  const { state, reason, sql } = report.server;
  if (!sql) throw new Error(`it does not answer (${state}${reason === null ? "" : `: ${reason}`})`);
  const is = sql.inRecovery ? "standby" : "primary";
  if (is !== as) throw new Error(`it came up as ${is} and should be ${as}`);
}
