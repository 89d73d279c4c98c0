/** What the measurements of planned and forced changes of the role have in common. */
import type { Verdict } from "../support/ledgerHistory.ts";
import type { Target } from "../support/nodeHandle.ts";

export const writers = 8;

export interface Run {
  readonly target: Target;
  readonly say: (line: string) => void;
}

/** A gap of a switchover that lost or doubled something is not a measurement. */
export function sound(verdict: Verdict): Verdict {
  if (verdict.violations.length === 0) return verdict;
  throw new Error(verdict.violations.map(({ invariant, message }) => `${invariant} ${message}`).join("\n"));
}
