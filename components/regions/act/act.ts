/**
 * Carries out a plan for regions and stops at the first step that fails; what is independent of each other runs at the
 * same time (`batches.ts`). Every step is idempotent, so the way on after a failure is always the same: put right what
 * the message says, and run again. A change of the active region that fails before the other one was promoted gives
 * the old one its role back first (`failure.ts`).
 */
import { Probe } from "../../roles/act/probe.ts";
import { describe } from "../plan/consequences.ts";
import type { RegionStep } from "../steps.ts";
import { regionNamed, writeTarget } from "../wish.ts";
import { batchesOf, type Numbered } from "./batches.ts";
import { open, type RegionContext, type RegionExecutor } from "./context.ts";
import {
  type Change,
  changeIn,
  intentOf,
  type RegionEvidence,
  RegionFindings,
  renderEvidence,
} from "./evidence.ts";
import { executors } from "./executors.ts";
import { degraded, failure, StepFailed } from "./failure.ts";
import { resumeAll } from "./pause.ts";

export interface ActOptions extends Omit<RegionContext, "progress" | "findings" | "change" | "heldBack"> {
  /** Lines for the operator. */
  readonly report: (line: string) => void;
  /** Milliseconds of a clock that does not jump. */
  readonly clock?: () => number;
  /** Called between two steps, before the line of the one that follows. For tests of what may happen there. */
  readonly beforeStep?: (step: RegionStep) => Promise<void>;
}

/** How long the probe's writer may need for its first write in the new region: its proxies have to see it first. */
const probeGraceSeconds = 30;

/** What was proven, where the steps changed which region is active. */
export async function act(steps: readonly RegionStep[], options: ActOptions): Promise<RegionEvidence | null> {
  const clock = options.clock ?? (() => performance.now());
  const began = clock();
  const elapsed = () => `+${Math.round(clock() - began)} ms`.padStart(10);
  const progress = (line: string) => options.report(`${elapsed()}     ${line}`);
  const findings = new RegionFindings();
  const change = changeIn(steps);
  const context: RegionContext = {
    ...options,
    ...{ progress, findings, change: change ? intentOf(change) : null, heldBack: new Set<string>() },
  };
  const probe = change && probeFor(change, steps, context);
  const carryOut = async ({ step, index }: Numbered) => {
    const stepBegan = clock();
    const proof = await (executors[step.kind] as RegionExecutor<RegionStep>)(step, context);
    findings.took(step, clock() - stepBegan);
    if (proof !== "") progress(`${index + 1}: ${proof}`);
  };
  try {
    if (change) await openAll(steps, context);
    // Long before the stop, so that it has written to the old region by then.
    await probe?.start();
    for (const batch of batchesOf(steps)) {
      for (const { step, index } of batch) {
        await options.beforeStep?.(step);
        options.report(`${elapsed()}  ${index + 1}/${steps.length}  ${describe(step)}`);
      }
      const results = await Promise.allSettled(batch.map(carryOut));
      for (const [at, result] of results.entries()) {
        const failed = batch[at];
        if (result.status === "rejected" && failed)
          throw await failure(steps, failed.index, result.reason as Error, context);
      }
      if (batch.some(({ step }) => step === change)) await probe?.stop(findings);
    }
    if (!change) return null;
    await verify(change, context);
  } finally {
    await Promise.all([probe?.close(), resumeAll(context)]);
  }
  const evidence = findings.evidence(change);
  if (evidence) for (const line of renderEvidence(evidence)) options.report(line);
  return evidence;
}

/** What can be waited for is waited for before the old region stops taking writes. */
async function openAll(steps: readonly RegionStep[], context: RegionContext): Promise<void> {
  // A fence from outside is not a host's own business. The proxies are asked after the promotion.
  const named = steps.flatMap((step) => (step.kind === "fenceRegion" ? [] : [step.host]));
  const proxies = context.desired.regions.flatMap((region) => region.proxies.map(({ name }) => name));
  const hosts = new Set([...named, ...proxies]);
  // One that cannot be reached is named by its step, if that comes to pass.
  await Promise.allSettled([...hosts].map((host) => open(host, context)));
}

/** On the member that is about to lead: it stays, and its writer goes through the proxies of both regions. */
function probeFor(
  change: Change,
  steps: readonly RegionStep[],
  { access, desired, progress }: RegionContext,
): Probe | undefined {
  const measured = steps.some((step) => step.kind === "demoteCluster" && step.region === change.from);
  const host = access.get(change.host);
  const targets = [change.from, change.region].flatMap((region) =>
    regionNamed(desired, region).proxies.map((proxy) => writeTarget(proxy, desired.floating?.name)),
  );
  if (!measured || !host || targets.length === 0 || change.mode !== "switchover") return undefined;
  return new Probe(host, targets, progress, probeGraceSeconds);
}

/** A client's write by the published name, at the new region's proxy: the name itself moves afterwards. */
async function verify(change: Change, context: RegionContext): Promise<void> {
  const { desired, findings } = context;
  const [proxy] = regionNamed(desired, change.region).proxies;
  if (!proxy) return;
  try {
    const session = await open(change.host, context);
    findings.verified = await session.call("verify", writeTarget(proxy, desired.floating?.name));
  } catch (error) {
    throw new StepFailed(change, `a client's write: ${(error as Error).message}`, degraded(change));
  }
}
