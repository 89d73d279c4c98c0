/**
 * `npm run down`: removes the deployment with its data, its stack, and an engine that set-up started and nobody
 * else uses. Protection of the data volumes is lifted first: this command is the explicit wish to keep nothing. On
 * machines `onDestroy` says what becomes of the data, and what stays is told.
 */
import { lastLines, runVisibly } from "./toolchain/command.ts";
import { ensureEngine, stopEngineIfOurs } from "./toolchain/engine.ts";
import { projectRoot } from "./toolchain/paths.ts";
import { renderProblem, runScript, SetUpProblem } from "./toolchain/problem.ts";
import type { Progress } from "./toolchain/progress.ts";
import {
  deploymentsOf,
  forgetSshKeys,
  keptData,
  machinesOf,
  needsOwnEngine,
  notCleared,
  type Remains,
  remainsOf,
  removeRemains,
} from "./toolchain/remains.ts";
import { setUp } from "./toolchain/setUp.ts";
import { forgetSalt, pulumi, stackExists, takeStack } from "./toolchain/stack.ts";

await runScript(async () => {
  const { stack } = takeStack(process.argv.slice(2));
  const { env, progress } = await setUp({ quiet: true, containers: false });
  if (await stackExists(env, stack)) await removeStack(env, stack, progress);
  else progress.done(`There is no stack ${stack}.`);
  forgetSshKeys([stack]);
  forgetSalt(stack);
  await stopEngineIfOurs(progress);
  return 0;
});

async function removeStack(env: NodeJS.ProcessEnv, stack: string, progress: Progress): Promise<void> {
  // What the state knows is written down before it goes: it says where to look for what destroy leaves.
  const before = await exportedState(env, stack);
  const remains = remainsOf(before);
  if (needsOwnEngine(remains)) await ensureEngine(progress);
  await pulumi(env, "state", "unprotect", "--all", "--yes", "--stack", stack);
  const options = { cwd: projectRoot, env };
  const destroyed = await runVisibly(
    "pulumi",
    ["destroy", "--yes", "--skip-preview", "--continue-on-error", "--stack", stack],
    options,
  );
  const left = destroyed === 0 ? [] : machinesOf(await exportedState(env, stack));
  const unanswered = await sweep(remains, progress);
  if (destroyed !== 0) {
    progress.done(
      "pulumi destroy failed (see above); what it left in Docker engines that answer was removed by its label, and the stack is forgotten",
    );
  }
  const force = destroyed === 0 ? [] : ["--force"];
  const removed = await pulumi(env, "stack", "rm", "--yes", "--preserve-config", ...force, "--stack", stack);
  if (removed.code !== 0)
    throw new SetUpProblem("The stack could not be removed:", ...lastLines(removed.stderr));
  forgetSshKeys(deploymentsOf(before));
  const names = new Set(left.map(({ host }) => host));
  const stays = [
    ...keptData(machinesOf(before).filter(({ host }) => !names.has(host))),
    ...notCleared(left),
    ...unanswered,
  ];
  if (stays.length === 0) return progress.done(`down: stack ${stack} and everything of it are gone`);
  progress.done(`down: stack ${stack} is gone; this stays:`);
  for (const each of stays) progress.done(each);
}

async function exportedState(env: NodeJS.ProcessEnv, stack: string): Promise<string> {
  const exported = await pulumi(env, "stack", "export", "--stack", stack);
  if (exported.code !== 0) throw new SetUpProblem("The state cannot be read:", ...lastLines(exported.stderr));
  return exported.stdout;
}

/**
 * Volumes outlive their resources on purpose, and a killed `up` may have left what the state does not know. Returns what
 * could not be removed: an engine that is away does not keep the others from being swept.
 */
async function sweep(remains: readonly Remains[], progress: Progress): Promise<string[]> {
  const swept = await Promise.allSettled(remains.map(removeRemains));
  return swept.flatMap((result) => {
    if (result.status === "rejected") {
      if (result.reason instanceof SetUpProblem) return [renderProblem(result.reason)];
      throw result.reason;
    }
    for (const removed of result.value) progress.done(`removed ${removed}`);
    return [];
  });
}
