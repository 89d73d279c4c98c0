/**
 * Carries out a plan, one step at a time, and stops at the first that fails. Every step is idempotent, so the way
 * on after a failure is always the same: put right what the message says, and run again. A switchover that fails
 * before the other node was promoted gives the old primary its role back first.
 */

import type { DesiredNode } from "../desired.ts";
import { describe } from "../plan/consequences.ts";
import { NodeError, type ProbeTarget } from "../session.ts";
import type { Step } from "../steps.ts";
import { adviceOn } from "./advice.ts";
import { type Change, type Evidence, Findings, intentOf, renderEvidence } from "./evidence.ts";
import { type ActContext, type Executor, executors, open } from "./executors.ts";
import { Probe } from "./probe.ts";
import { CannotGoBack, takeBack } from "./undo.ts";

export interface ActOptions extends Omit<ActContext, "progress" | "findings" | "change"> {
  /** Lines for the operator. */
  readonly report: (line: string) => void;
  /** Milliseconds of a clock that does not jump. */
  readonly clock?: () => number;
  /** Called between two steps, before the line of the one that follows. For tests of what may happen there. */
  readonly beforeStep?: (step: Step) => Promise<void>;
  /** Whom a client writes to: for measuring the gap of a switchover, and for the proof at the end of a role change. */
  readonly clients?: { readonly nodes: readonly DesiredNode[]; readonly floating: string | undefined };
}

export class StepFailed extends Error {
  readonly step: Step;
  constructor(step: Step, reason: string, next: string) {
    const where = step.kind === "fenceSite" ? "this machine" : step.node;
    super(`${describe(step)} failed on ${where}: ${reason}\n${next}`);
    this.name = "StepFailed";
    this.step = step;
  }
}

/** What was proven, where the steps changed who leads. */
export async function act(steps: readonly Step[], options: ActOptions): Promise<Evidence | null> {
  const clock = options.clock ?? (() => performance.now());
  const began = clock();
  const elapsed = () => `+${Math.round(clock() - began)} ms`.padStart(10);
  const progress = (line: string) => options.report(`${elapsed()}     ${line}`);
  const findings = new Findings();
  const change = steps.find((step): step is Change => step.kind === "promote");
  const context: ActContext = { ...options, progress, findings, change: change ? intentOf(change) : null };
  const probe = change && probeFor(change, steps, options, progress);
  try {
    if (change) await openAll(steps, context);
    // Long before the stop, so that it has written to the old primary by then.
    await probe?.start();
    for (const [index, step] of steps.entries()) {
      await options.beforeStep?.(step);
      options.report(`${elapsed()}  ${index + 1}/${steps.length}  ${describe(step)}`);
      const stepBegan = clock();
      try {
        const proof = await (executors[step.kind] as Executor<Step>)(step, context);
        findings.took(step, clock() - stepBegan);
        if (proof !== "") progress(proof);
      } catch (error) {
        throw await failure(steps, index, error as Error, context);
      }
      if (step.kind === "awaitStandby") await probe?.stop(findings);
    }
    if (!change) return null;
    await verify(change, options, findings);
  } finally {
    await probe?.close();
  }
  const evidence = findings.evidence(change);
  if (evidence) for (const line of renderEvidence(evidence)) options.report(line);
  return evidence;
}

/** What can be waited for is waited for before the old primary is stopped. */
async function openAll(steps: readonly Step[], context: ActContext): Promise<void> {
  // A fence from outside is not the node's own business.
  const nodes = new Set(steps.flatMap(({ kind, node }) => (kind === "fenceSite" ? [] : [node])));
  // A node that cannot be reached is named by its step, if that comes to pass.
  await Promise.allSettled([...nodes].map((node) => open(node, context)));
}

function probeFor(
  change: Change,
  steps: readonly Step[],
  { access, clients }: ActOptions,
  progress: (line: string) => void,
): Probe | undefined {
  const measured = steps.some((step) => step.kind === "stop" && step.node === change.from);
  const host = access.get(change.node);
  if (!measured || !host || !clients || change.mode !== "switchover") return undefined;
  return new Probe(host, clients.nodes.map(target), progress);
}

function target({ clientName, address, port }: DesiredNode): ProbeTarget {
  return { name: clientName, address, port };
}

/** A client's write by the published name, at the new primary: the name itself moves after the role change. */
async function verify(change: Change, options: ActOptions, findings: Findings): Promise<void> {
  const leader = options.clients?.nodes.find(({ name }) => name === change.node);
  if (!leader) return;
  try {
    const session = await options.access.get(change.node)?.open();
    const at = { ...target(leader), name: options.clients?.floating ?? leader.clientName };
    findings.verified = await session?.call("verify", at);
  } catch (error) {
    throw new StepFailed(change, `a client's write: ${(error as Error).message}`, degraded(change));
  }
}

async function failure(
  steps: readonly Step[],
  index: number,
  error: Error,
  context: ActContext,
): Promise<StepFailed> {
  const reason = error.message;
  const step = steps[index] as Step;
  const at = steps.findIndex(({ kind }) => kind === "promote");
  const change = steps[at] as Change | undefined;
  if (change?.mode !== "switchover") {
    const done = index === 0 ? "" : "The steps before it are done and stay. ";
    return new StepFailed(step, reason, `${done}${adviceOn(step)} Then run \`pulumi up\` again.`);
  }
  if (index > at || context.findings.promotion) return new StepFailed(step, reason, degraded(change));
  if (error instanceof NodeError && error.code === "E_GATE_AHEAD")
    return new StepFailed(step, reason, standStill(change));
  return new StepFailed(step, reason, await wayBack(steps, index, change, context));
}

async function wayBack(
  steps: readonly Step[],
  index: number,
  change: Change,
  context: ActContext,
): Promise<string> {
  const failed = `The switchover from ${change.from} to ${change.node} failed`;
  context.progress("the switchover failed: what was done of it is taken back");
  try {
    const end = await takeBack(steps, index, change, context);
    const leads = end === "leads again" ? `${change.from} leads again` : "the roles are as they were";
    return `${failed}; ${leads}, nothing was lost. ${adviceOn(steps[index] as Step)} Then run \`pulumi up\` again.`;
  } catch (error) {
    if (error instanceof CannotGoBack) return `${error.message}. ${degraded(change)}`;
    return `${failed}, and it was not taken back: ${(error as Error).message}. Nothing was lost. Run \`pulumi up\` again: with active as it is it goes on, with active at the site of ${change.from} that leads again.`;
  }
}

function degraded(change: Change): string {
  return `Switched, degraded: ${change.node} leads, and not all is as it should be. Run \`pulumi up\` again; it goes on from here.`;
}

function standStill(change: Change): string {
  return `${change.node} has WAL that ${change.from} has not, so it was not its standby: nobody was promoted, and ${change.from} stays down, until a person has decided which of them is right.`;
}
