/** The executors of a change of the active region, and of a region's return as a standby cluster. */
import type { ControlFacts } from "../facts.ts";
import { regionNamed, standbyClusterOf } from "../wish.ts";
import { awaitBackend } from "./awaitBackend.ts";
import {
  answerWithin,
  limit,
  open,
  patroniLimit,
  type RegionContext,
  type RegionExecutor,
  type StepOf,
} from "./context.ts";
import { intentOf } from "./evidence.ts";

type Kinds =
  | "checkpoint"
  | "demoteCluster"
  | "gate"
  | "promoteCluster"
  | "resumeCluster"
  | "becomeStandbyCluster";

/** A checkpoint writes what is dirty: it has no time of its own. */
const checkpointMs = 30 * 60_000;

export const handover: { readonly [K in Kinds]: RegionExecutor<StepOf<K>> } = {
  async checkpoint(step, context) {
    const session = await open(step.host, context);
    const { ms } = await session.call("checkpoint", {}, { timeoutMs: checkpointMs });
    return `${ms} ms`;
  },

  async demoteCluster(step, context) {
    const session = await open(step.host, context);
    const standbyCluster = standbyClusterOf(context.desired, step.region, step.to);
    const args = { standbyCluster, ...patroniLimit(context) };
    const { control, ms } = await session.call("demoteCluster", args, answerWithin(args));
    context.findings.stopped = control;
    return `stopped at ${position(control)} after ${ms} ms`;
  },

  async gate(step, context) {
    const old = context.findings.stopped ?? (await controlOf(step.of, context));
    const session = await open(step.host, context);
    const args = { control: old, ...limit(context) };
    const { control, ms } = await session.call("gate", args, answerWithin(args));
    context.findings.control = { old, new: control };
    return `${position(control)}: equal, after ${ms} ms`;
  },

  async promoteCluster(step, context) {
    const session = await open(step.host, context);
    const args = { change: context.change ?? intentOf(step), ...patroniLimit(context) };
    context.findings.promotionAsked = true;
    const promotion = await session.call("promoteCluster", args, answerWithin(args));
    context.findings.promotion = promotion;
    await proxiesFollow(step.region, promotion.leader, context);
    return `${promotion.leader} leads on timeline ${promotion.timeline}, takes writes after ${promotion.ms} ms`;
  },

  async resumeCluster(step, context) {
    const { leader, timeline, ms } = await resume(step.host, step.region, context);
    return `${leader} leads again, on timeline ${timeline}, after ${ms} ms`;
  },

  async becomeStandbyCluster(step, context) {
    const session = await open(step.host, context);
    const standbyCluster = standbyClusterOf(context.desired, step.region, step.of);
    await session.call("becomeStandbyCluster", { standbyCluster }, answerWithin(limit(context)));
    return `whoever starts in ${step.region} follows ${step.of}`;
  },
};

/** The region gets its role back from a `demoteCluster`: nobody else was promoted, so no change is recorded. */
export async function resume(host: string, region: string, context: RegionContext) {
  const session = await open(host, context);
  const args = patroniLimit(context);
  const resumed = await session.call("promoteCluster", args, answerWithin(args));
  // A proxy finds its way by its own checks; that it is slow is no reason to call this failed.
  await proxiesFollow(region, resumed.leader, context).catch((error: Error) =>
    context.progress(error.message),
  );
  return resumed;
}

/** All proxies lead to whoever takes writes; those of the region itself must, before anybody is sent there. */
export async function proxiesFollow(region: string, member: string, context: RegionContext): Promise<void> {
  const follows = (host: string) => awaitBackend(host, member, context);
  const others = context.desired.regions
    .filter(({ name }) => name !== region)
    .flatMap(({ proxies }) => proxies)
    .map(async ({ name }) => {
      try {
        await follows(name);
      } catch (error) {
        context.progress(`${name} does not lead to ${member} yet: ${(error as Error).message}`);
      }
    });
  const own = regionNamed(context.desired, region).proxies.map(({ name }) => follows(name));
  const [results] = await Promise.all([Promise.allSettled(own), Promise.all(others)]);
  const failed = results.find((result) => result.status === "rejected");
  if (failed)
    throw new Error(`it leads, and a proxy does not lead there: ${(failed.reason as Error).message}`);
}

/** Of a run that goes on where another was cut off: the old primary's control file as it lies there. */
async function controlOf(member: string, context: RegionContext): Promise<ControlFacts> {
  return await (await open(member, context)).call("control", {});
}

function position({ systemIdentifier, timeline, redoLsn }: ControlFacts): string {
  return `system ${systemIdentifier}, timeline ${timeline}, REDO ${redoLsn}`;
}
