/** `npm run pulumi -- COMMAND`: any Pulumi command, with toolchain, backend and passphrase in place. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { runVisibly } from "./toolchain/command.ts";
import { projectFolder, projectRoot } from "./toolchain/paths.ts";
import { runScript } from "./toolchain/problem.ts";
import { setUp } from "./toolchain/setUp.ts";
import { DEFAULT_STACK, ensureStack } from "./toolchain/stack.ts";

/** Commands that run no program and reach no engine need no container. */
const WITHOUT_CONTAINERS = new Set([
  "config",
  "stack",
  "state",
  "plugin",
  "version",
  "about",
  "logs",
  "login",
  "whoami",
  "help",
]);

/** On a fresh clone these are about the demo, so that `npm run pulumi -- preview` can be the first command of all. */
const NEEDS_STACK = new Set(["preview", "pre", "up", "update", "config"]);

/** State is kept in this folder, and there is none yet. */
function isFirstUse(): boolean {
  const stacks = join(projectFolder, "state", ".pulumi", "stacks");
  return !process.env.PULUMI_BACKEND_URL && !existsSync(stacks);
}

await runScript(async () => {
  const args = process.argv.slice(2);
  const command = args.find((argument) => !argument.startsWith("-")) ?? "help";
  const { env } = await setUp({ quiet: true, containers: !WITHOUT_CONTAINERS.has(command) });
  if (NEEDS_STACK.has(command) && isFirstUse()) await ensureStack(env, DEFAULT_STACK);
  return runVisibly("pulumi", args, { cwd: projectRoot, env });
});
