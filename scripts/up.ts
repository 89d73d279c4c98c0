/** `npm run up`: from a fresh clone to a running deployment, and what to do with it. `--stack NAME`: another one. */
import { runVisibly } from "./toolchain/command.ts";
import { readIfThere } from "./toolchain/files.ts";
import { projectRoot } from "./toolchain/paths.ts";
import { runScript } from "./toolchain/problem.ts";
import { setUp } from "./toolchain/setUp.ts";
import { ensureStack, needsContainers, pulumi, stackFile, takeStack } from "./toolchain/stack.ts";
import { type Outputs, whatNext } from "./toolchain/whatNext.ts";

await runScript(async () => {
  const { stack, rest } = takeStack(process.argv.slice(2));
  const { env } = await setUp({ quiet: false, containers: needsContainers(readIfThere(stackFile(stack))) });
  await ensureStack(env, stack);
  const code = await runVisibly("pulumi", ["up", "--yes", "--stack", stack, ...rest], {
    cwd: projectRoot,
    env,
  });
  if (code === 0) process.stdout.write(`\n${whatNext(await outputs(env, stack), stack)}\n`);
  return code;
});

async function outputs(env: NodeJS.ProcessEnv, stack: string): Promise<Outputs> {
  const result = await pulumi(env, "stack", "output", "--json", "--stack", stack);
  return result.code === 0 ? (JSON.parse(result.stdout) as Outputs) : {};
}
