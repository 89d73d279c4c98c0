/** What `pulumi preview` and `pulumi up` printed about steps, read as an operator would. */

/** The numbered steps of the plan. Pulumi may print a message twice (as it comes, and at the end). */
export function printedPlan(text: string): string[] {
  const steps = new Map<number, string>();
  for (const [, number, description = ""] of text.matchAll(/^\s+(\d{1,3}) {2}(\S.*)$/gm)) {
    steps.set(Number(number), description.trim());
  }
  return [...steps].sort(([a], [b]) => a - b).map(([, description]) => description);
}

export interface Executed {
  readonly ms: number;
  readonly description: string;
}

/** The steps that were begun, in order: `+123 ms  1/9  description`. */
export function executedSteps(text: string): Executed[] {
  const lines = new Map<string, Executed>();
  for (const [line, ms, , description = ""] of text.matchAll(/\+(\d+) ms {2}(\d+\/\d+) {2}(\S.*)$/gm)) {
    lines.set(line, { ms: Number(ms), description: description.trim() });
  }
  return [...lines.values()];
}
