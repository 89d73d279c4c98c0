/** The fence from outside: a site's own command, whose success is the proof that a failover needs. */
import type { Step } from "../steps.ts";
import type { Executor } from "./executors.ts";
import { runCommand, succeeded } from "./fenceCommand.ts";

export const fenceSite: Executor<Extract<Step, { kind: "fenceSite" }>> = async (step, context) => {
  const { site, command, timeoutSeconds, confirmed } = step;
  const run = await (context.runCommand ?? runCommand)({ command, timeoutSeconds });
  const { at, ms, exitCode, ending, printed } = run;
  const proven = succeeded(run);
  context.findings.fence = { site, command, at, ms, exitCode, proven, confirmed };
  if (proven) return `${site} is fenced: ${ending} after ${ms} ms`;
  const said = printed.length === 0 ? "; it printed nothing" : `; it printed:\n  ${printed.join("\n  ")}`;
  if (confirmed === null) throw new Error(`${ending}${said}`);
  context.progress(`WARNING the fence command failed: ${ending}${said}`);
  return `going on by the word of the statement alone: ${confirmed}`;
};
