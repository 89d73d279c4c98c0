/**
 * `npm run down`: removes the deployment with its data, its stack, and an engine that set-up started and nobody
 * else uses. Protection of the data volumes is lifted first: this command is the explicit wish to keep nothing.
 */
import { lastLines, runVisibly } from "./toolchain/command.ts";
import { ensureEngine, stopEngineIfOurs } from "./toolchain/engine.ts";
import { projectRoot } from "./toolchain/paths.ts";
import { runScript, SetUpProblem } from "./toolchain/problem.ts";
import type { Progress } from "./toolchain/progress.ts";
import { type Remains, remainsOf, removeRemains } from "./toolchain/remains.ts";
import { setUp } from "./toolchain/setUp.ts";
import { forgetSalt, pulumi, stackExists, takeStack } from "./toolchain/stack.ts";

await runScript(async () => {
  const { stack } = takeStack(process.argv.slice(2));
  const { env, progress } = await setUp({ quiet: true, containers: false });
  if (await stackExists(env, stack)) await removeStack(env, stack, progress);
  else progress.done(`There is no stack ${stack}.`);
  forgetSalt(stack);
  await stopEngineIfOurs(progress);
  return 0;
});

async function removeStack(env: NodeJS.ProcessEnv, stack: string, progress: Progress): Promise<void> {
  const exported = await pulumi(env, "stack", "export", "--stack", stack);
  if (exported.code !== 0) throw new SetUpProblem("The state cannot be read:", ...lastLines(exported.stderr));
  // What the state knows is written down before it goes: it says where to look for what destroy leaves.
  const remains = remainsOf(exported.stdout);
  await ensureEngine(progress);
  await pulumi(env, "state", "unprotect", "--all", "--yes", "--stack", stack);
  const options = { cwd: projectRoot, env };
  const destroyed = await runVisibly(
    "pulumi",
    ["destroy", "--yes", "--skip-preview", "--stack", stack],
    options,
  );
  await sweep(remains, progress);
  if (destroyed !== 0) {
    progress.done(
      "pulumi destroy failed (see above); what it left was removed by its label, and the stack is forgotten",
    );
  }
  const force = destroyed === 0 ? [] : ["--force"];
  const removed = await pulumi(env, "stack", "rm", "--yes", "--preserve-config", ...force, "--stack", stack);
  if (removed.code !== 0)
    throw new SetUpProblem("The stack could not be removed:", ...lastLines(removed.stderr));
  progress.done(`down: stack ${stack} and everything of it are gone`);
}

/** Volumes outlive their resources on purpose, and a killed `up` may have left what the state does not know. */
async function sweep(remains: readonly Remains[], progress: Progress): Promise<void> {
  for (const removed of (await Promise.all(remains.map(removeRemains))).flat())
    progress.done(`removed ${removed}`);
}
