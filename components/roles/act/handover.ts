/** The executors of a role change and of the old primary's return. */
import type { Step } from "../steps.ts";
import { type ActContext, callLimit, type Executor, limit, open } from "./executors.ts";

type Kinds = "checkpoint" | "fence" | "lead" | "gate" | "promote" | "keepDivergent" | "rewind";

/** A checkpoint writes what is dirty, and a rewind copies what differs: neither has a time of its own. */
const longMs = 30 * 60_000;

export const handover: { readonly [K in Kinds]: Executor<Extract<Step, { kind: K }>> } = {
  async checkpoint(step, context) {
    const session = await open(step.node, context);
    const { ms } = await session.call("checkpoint", {}, { timeoutMs: longMs });
    return `${ms} ms`;
  },

  /** The verb is proven by its return; asking again would cost a part of the write gap, and the gate comes next. */
  async fence(step, context) {
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
    const old = await (await open(step.of, context)).call("control", {});
    const session = await open(step.node, context);
    const { control, ms } = await session.call("gate", { control: old, ...limit(context) }, callLimit(context));
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
  const { mode, from, node: to, statementAt, alone } = step;
  const change = { mode, from, to, at: new Date().toISOString(), statementAt };
  return await session.call("promote", { change, alone, ...limit(context) }, callLimit(context));
}

async function rejoin(step: Extract<Step, { kind: "promote" }>, context: ActContext): Promise<void> {
  if (step.rejoin === null) return;
  const session = await open(step.rejoin, context);
  await session.call("start", limit(context), callLimit(context));
}
