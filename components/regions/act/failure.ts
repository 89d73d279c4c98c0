/** What becomes of a plan of which a step failed: what is taken back, what stays, and what to do next. */
import { NodeError } from "../../roles/conversation.ts";
import { describe } from "../plan/consequences.ts";
import type { RegionStep } from "../steps.ts";
import { adviceOn } from "./advice.ts";
import type { RegionContext } from "./context.ts";
import { type Change, changeIn } from "./evidence.ts";
import { CannotGoBack, takeBack } from "./undo.ts";

export class StepFailed extends Error {
  readonly step: RegionStep;
  constructor(step: RegionStep, reason: string, next: string) {
    const where = step.kind === "fenceRegion" ? "this machine" : step.host;
    super(`${describe(step)} failed on ${where}: ${reason}\n${next}`);
    this.name = "StepFailed";
    this.step = step;
  }
}

export async function failure(
  steps: readonly RegionStep[],
  index: number,
  error: Error,
  context: RegionContext,
): Promise<StepFailed> {
  const step = steps[index] as RegionStep;
  const failed = (next: string) => new StepFailed(step, error.message, next);
  const change = changeIn(steps);
  if (change?.mode !== "switchover") {
    const done = index === 0 ? "" : "The steps before it are done and stay. ";
    return failed(`${done}${adviceOn(step)} Then run \`pulumi up\` again.`);
  }
  const at = steps.indexOf(change);
  if (index > at || context.findings.promotion) return failed(degraded(change));
  const demote = steps.findIndex(({ kind }) => kind === "demoteCluster");
  // Without one it was carried out by a run that was cut off, and this one goes on from there.
  if (demote >= 0 && index < demote) {
    return failed(`The regions are as they were. ${adviceOn(step)} Then run \`pulumi up\` again.`);
  }
  return failed(await wayBack(step, step === change && isLost(error), change, context));
}

/** `lost`: nobody knows whether the order to promote arrived, nor when it is carried out. */
async function wayBack(
  step: RegionStep,
  lost: boolean,
  change: Change,
  context: RegionContext,
): Promise<string> {
  const failed = `The switchover from ${change.from} to ${change.region} failed`;
  if (lost) return `It is not known whether ${change.region} was promoted. ${forward(change)}`;
  context.progress("the switchover failed: what was done of it is taken back");
  try {
    const end = await takeBack(change, context);
    const leads = end === "leads again" ? `${change.from} leads again` : "the regions are as they were";
    return `${failed}; ${leads}, nothing was lost. ${adviceOn(step)} Then run \`pulumi up\` again.`;
  } catch (error) {
    if (error instanceof CannotGoBack) return `${error.message}. ${degraded(change)}`;
    return `${failed}, and it was not taken back: ${(error as Error).message}. Nothing was lost. Run \`pulumi up\` again: with active as it is it goes on, with active at ${change.from} that leads again.`;
  }
}

/** The host may have taken the order and not have been heard any more. */
function isLost(error: Error): boolean {
  return !(error instanceof NodeError) || error.code === "E_CHANNEL" || error.code === "E_TIMEOUT";
}

function forward(change: Change): string {
  return `Run \`pulumi up\` again with active at ${change.region}; it goes on from here.`;
}

export function degraded(change: Change): string {
  return `Switched, degraded: ${change.region} is active, and not all is as it should be. Run \`pulumi up\` again; it goes on from here.`;
}
