/** The executors of a role change and of the old primary's return. */
import type { Step } from "../steps.ts";
import { type Intent, intentOf } from "./evidence.ts";
import { type ActContext, callLimit, type Executor, limit, open } from "./executors.ts";

type Kinds = "stop" | "checkpoint" | "fence" | "lead" | "gate" | "promote" | "keepDivergent" | "rewind";

/** A checkpoint writes what is dirty, and a rewind copies what differs: neither has a time of its own. */
const longMs = 30 * 60_000;

export const handover: { readonly [K in Kinds]: Executor<Extract<Step, { kind: K }>> } = {
  /** Of the old primary: with the fence in the same breath, and while the other already looks for the last record. */
  async stop(step, context) {
    const session = await open(step.node, context);
    const { change, findings } = context;
    const handsOver = change?.mode === "switchover" && change.from === step.node ? change : null;
    if (!handsOver) {
      const { ms } = await session.call("stop", limit(context), callLimit(context));
      return `down after ${ms} ms`;
    }
    const args = { ...limit(context), follow: handsOver.to };
    const [{ ms, control }] = await Promise.all([
      session.call("stop", args, callLimit(context)),
      prepare(handsOver, context),
    ]);
    findings.stopped = control;
    return `down after ${ms} ms`;
  },

  async checkpoint(step, context) {
    const session = await open(step.node, context);
    const { ms } = await session.call("checkpoint", {}, { timeoutMs: longMs });
    return `${ms} ms`;
  },

  /** The verb is proven by its return; asking again would cost a part of the write gap, and the gate comes next. */
  async fence(step, context) {
    if (context.findings.stopped && context.change?.from === step.node) return "written with the stop";
    const session = await open(step.node, context);
    await session.call("follow", { from: step.to });
    return "";
  },

  async lead(step, context) {
    const session = await open(step.node, context);
    await session.call("lead", {});
    const { data } = await session.call("observe", {});
    if (data.standbySignal) throw new Error("it still has its standby.signal");
    return "";
  },

  async gate(step, context) {
    const old = context.findings.stopped ?? (await (await open(step.of, context)).call("control", {}));
    const session = await open(step.node, context);
    const { control, ms } = await session.call(
      "gate",
      { control: old, ...limit(context) },
      callLimit(context),
    );
    context.findings.control = { old, new: control };
    return `system ${control.systemIdentifier}, timeline ${control.timeline}, REDO ${control.redoLsn}: equal, after ${ms} ms`;
  },

  async promote(step, context) {
    // In this one place it is decided what runs at the same time: under `strict` the first write waits for both.
    const [promotion, rejoined] = await Promise.allSettled([promote(step, context), rejoin(step, context)]);
    if (promotion.status === "rejected") throw promotion.reason;
    context.findings.promotion = promotion.value;
    if (rejoined.status === "rejected") {
      throw new Error(`it leads, and ${step.rejoin} did not come up: ${(rejoined.reason as Error).message}`);
    }
    const { timeline, switchLsn, ms } = promotion.value;
    return `timeline ${timeline}, forked at ${switchLsn}, takes writes after ${ms} ms`;
  },

  async keepDivergent(step, context) {
    const session = await open(step.node, context);
    const { path, bytes } = await session.call(
      "keepDivergent",
      { switchLsn: step.switchLsn },
      { timeoutMs: longMs, onProgress: context.progress },
    );
    return `${bytes} bytes in ${path}`;
  },

  async rewind(step, context) {
    const session = await open(step.node, context);
    const { bytes } = await session.call(
      "rewind",
      { from: step.from },
      { timeoutMs: longMs, onProgress: context.progress },
    );
    const { data } = await session.call("observe", {});
    if (data.state !== "ready" || !data.standbySignal || data.follows !== step.from) {
      throw new Error(`it is ${data.state} and follows ${data.follows ?? "nobody"} after the rewind`);
    }
    return `${bytes} bytes`;
  },
};

async function promote(step: Extract<Step, { kind: "promote" }>, context: ActContext) {
  const session = await open(step.node, context);
  const change = context.change ?? intentOf(step);
  const { alone } = step;
  return await session.call("promote", { change, alone, ...limit(context) }, callLimit(context));
}

/** It only takes work out of the write gap: what it finds, or that it fails, decides nothing. */
async function prepare(change: Intent, context: ActContext): Promise<void> {
  try {
    const session = await open(change.to, context);
    await session.call("prepare", { change, ...limit(context) }, callLimit(context));
  } catch {
    // The gate does all of it again, and says what is wrong.
  }
}

async function rejoin(step: Extract<Step, { kind: "promote" }>, context: ActContext): Promise<void> {
  if (step.rejoin === null) return;
  const session = await open(step.rejoin, context);
  await session.call("start", limit(context), callLimit(context));
}
