/** Which steps of a plan run at the same time: neighbours of one kind that wait or look, each on a host of its own. */
import type { RegionStep } from "../steps.ts";

export interface Numbered {
  readonly step: RegionStep;
  /** In the plan. */
  readonly index: number;
}

/** What takes nothing away from anybody. A restart or a change of configuration goes one at a time. */
const together = new Set<RegionStep["kind"]>([
  "startUnit",
  "awaitConsul",
  "awaitVoters",
  "awaitLeader",
  "awaitMember",
  "checkpoint",
  "hold",
  "pauseClients",
  "resumeClients",
]);

export function batchesOf(steps: readonly RegionStep[]): readonly (readonly Numbered[])[] {
  const batches: Numbered[][] = [];
  for (const [index, step] of steps.entries()) {
    const last = batches.at(-1);
    if (last?.every((other) => isBeside(step, other.step))) last.push({ step, index });
    else batches.push([{ step, index }]);
  }
  return batches;
}

function isBeside(step: RegionStep, other: RegionStep): boolean {
  if (step.kind === "fenceRegion" || other.kind === "fenceRegion") return false;
  return together.has(step.kind) && step.kind === other.kind && step.host !== other.host;
}
