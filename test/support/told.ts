/** What a test tells whoever watches it. */
import { summary, type Verdict } from "./ledgerHistory.ts";

export function say(what: string, verdict: Verdict): void {
  console.log(`${what}: ${summary(verdict)}; longest pause ${seconds(verdict.longestGapMs)}`);
}

export function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}
