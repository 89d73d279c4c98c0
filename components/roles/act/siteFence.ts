/** The fence from outside: a site's own command, whose success is the proof that a failover needs. */
import type { Step } from "../steps.ts";
import type { FenceEvidence } from "./evidence.ts";
import type { Executor } from "./executors.ts";
import { type RunCommand, runCommand, succeeded } from "./fenceCommand.ts";

export interface Fence {
  /** A pair's site, or a region. */
  readonly site: string;
  readonly command: readonly string[];
  readonly timeoutSeconds: number;
  /** The operator's own word, which holds where the command fails; null: none. */
  readonly confirmed: string | null;
}

interface FenceContext {
  readonly progress: (line: string) => void;
  readonly findings: { fence: FenceEvidence | null };
  readonly runCommand?: RunCommand;
}

export const fenceSite: Executor<Extract<Step, { kind: "fenceSite" }>> = fenceFromOutside;

export async function fenceFromOutside(fence: Fence, context: FenceContext): Promise<string> {
  const { site, command, timeoutSeconds, confirmed } = fence;
  const run = await (context.runCommand ?? runCommand)({ command, timeoutSeconds });
  const { at, ms, exitCode, ending, printed } = run;
  const proven = succeeded(run);
  context.findings.fence = { site, command, at, ms, exitCode, proven, confirmed };
  if (proven) return `${site} is fenced: ${ending} after ${ms} ms`;
  const said = printed.length === 0 ? "; it printed nothing" : `; it printed:\n  ${printed.join("\n  ")}`;
  if (confirmed === null) throw new Error(`${ending}${said}`);
  context.progress(`WARNING the fence command failed: ${ending}${said}`);
  return `going on by the word of the statement alone: ${confirmed}`;
}
