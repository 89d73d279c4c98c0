/**
 * The way back of a switchover that failed before anybody else took writes: the old primary gets its role again. It
 * is a table by what was done, read backwards. Nothing here escalates, and nothing here starts a primary while it is
 * not certain that the other was not promoted.
 */
import type { Step } from "../steps.ts";
import type { Change } from "./evidence.ts";
import { type ActContext, callLimit, limit, open } from "./executors.ts";

/** The standby had been promoted after all, or may have been: there is only the way forward. */
export class CannotGoBack extends Error {}

type Undo<S extends Step> = (step: S, change: Change, context: ActContext) => Promise<void>;

const undos: { readonly [K in Step["kind"]]?: Undo<Extract<Step, { kind: K }>> } = {
  /** A promotion that was asked for may still come. A standby that is down comes up without it. */
  async promote(step, _change, context) {
    if (step.rejoin !== null) await (await open(step.rejoin, context)).call("stop", ...within(context));
    const session = await open(step.node, context);
    await session.call("stop", ...within(context));
    const { state } = await session.call("control", {});
    await session.call("start", ...within(context));
    if (state !== "shut down in recovery") throw new CannotGoBack(`${step.node} was promoted (${state})`);
  },
  async fence(step, _change, context) {
    await (await open(step.node, context)).call("lead", {});
  },
  async stop(step, change, context) {
    const session = await open(step.node, context);
    // One that was too slow is waited for once more; it is never forced.
    await session.call("stop", ...within(context));
    if (step.node === change.from) await session.call("lead", {});
    await session.call("start", ...within(context));
  },
  async slots(step, change, context) {
    if (step.node !== change.node || step.ensure.length === 0) return;
    const drop = async () =>
      (await open(step.node, context)).call("slots", { ensure: [], drop: step.ensure });
    // It harms nobody for now, and the next run drops what it finds; the node may be what the switchover failed by.
    await drop().catch((error: Error) =>
      context.progress(`the slots on ${step.node} stay: ${error.message}`),
    );
  },
};

/**
 * `failed`: the index of the step that failed; it is taken back too, because it may have had a part of its effect. A
 * run that completes one that was cut off finds the old primary stopped and fenced: the way back is the same.
 */
export async function takeBack(
  steps: readonly Step[],
  failed: number,
  change: Change,
  context: ActContext,
): Promise<"leads again" | "as before"> {
  const stops = steps.some((step) => step.kind === "stop" && step.node === change.from);
  const found: Step[] =
    has(steps, "gate") && !stops
      ? [
          { kind: "stop", node: change.from },
          { kind: "fence", node: change.from, to: change.node },
        ]
      : [];
  const done = [...found, ...steps.slice(0, failed + 1)];
  for (const step of done.toReversed()) {
    await (undos[step.kind] as Undo<Step> | undefined)?.(step, change, context);
  }
  return has(done, "stop") ? "leads again" : "as before";
}

function has(steps: readonly Step[], kind: Step["kind"]): boolean {
  return steps.some((step) => step.kind === kind);
}

function within(context: ActContext): [{ timeoutSeconds: number }, { timeoutMs: number }] {
  return [limit(context), callLimit(context)];
}
