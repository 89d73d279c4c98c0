/**
 * The executors that hold pooled clients back. That is a courtesy to them and never a condition: whatever goes wrong
 * with it is said, and the change goes on as it would without a pool.
 */
import { NodeError } from "../../roles/conversation.ts";
import { drainSeconds } from "../plan/pause.ts";
import { awaitBackend } from "./awaitBackend.ts";
import { answerWithin, open, type RegionContext, type RegionExecutor, type StepOf } from "./context.ts";

type Kinds = "pauseClients" | "resumeClients";

export const pause: { readonly [K in Kinds]: RegionExecutor<StepOf<K>> } = {
  async pauseClients(step, context) {
    const args = { ttlSeconds: step.ttlSeconds, drainSeconds: drainSeconds(step) };
    // Also of one that does not answer any more nobody knows whether it holds them back.
    context.heldBack.add(step.host);
    try {
      const session = await open(step.host, context);
      const { clients, ms } = await session.call("pauseClients", args, answerWithin(within(args)));
      return `${clients} ${clients === 1 ? "client waits" : "clients wait"} after ${ms} ms`;
    } catch (error) {
      if (error instanceof NodeError && error.code === "E_CLIENTS_BUSY") context.heldBack.delete(step.host);
      return `nobody is held back there, and clients see the change as without a pool: ${(error as Error).message}`;
    }
  },

  async resumeClients({ host, member }, context) {
    if (!context.heldBack.has(host)) return "nobody was held back";
    const leads = await leadsTo(context.findings.promotion?.leader ?? member, host, context);
    return [...leads, await resume(host, context)].join("; ");
  },
};

/** Whatever is still held back when the steps are over, because one of them failed. */
export async function resumeAll(context: RegionContext): Promise<void> {
  const resumed = [...context.heldBack].map(async (host) =>
    context.progress(`pooled clients of ${host}: ${await resume(host, context)}`),
  );
  await Promise.all(resumed);
}

async function leadsTo(member: string, host: string, context: RegionContext): Promise<string[]> {
  try {
    await awaitBackend(host, member, context);
    return [];
  } catch (error) {
    return [`it does not lead to ${member} yet: ${(error as Error).message}`];
  }
}

async function resume(host: string, context: RegionContext): Promise<string> {
  try {
    const session = await open(host, context);
    const { heldMs } = await session.call("resumeClients", {});
    context.heldBack.delete(host);
    return heldMs === null ? "they had gone on by themselves" : `they waited for ${heldMs} ms`;
  } catch (error) {
    return `they go on by themselves when their time is over, because ${(error as Error).message}`;
  }
}

function within({ drainSeconds: timeoutSeconds }: { readonly drainSeconds: number }) {
  return { timeoutSeconds };
}
