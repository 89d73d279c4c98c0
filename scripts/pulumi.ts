/** `npm run pulumi -- COMMAND`: any Pulumi command, with toolchain, backend and passphrase in place. */
import { existsSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { runVisibly } from "./toolchain/command.ts";
import { readIfThere } from "./toolchain/files.ts";
import { projectFolder, projectRoot } from "./toolchain/paths.ts";
import { runScript } from "./toolchain/problem.ts";
import { setUp } from "./toolchain/setUp.ts";
import { DEFAULT_STACK, ensureStack, needsContainers, stackFile, stackOf } from "./toolchain/stack.ts";

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

/** It plans from the record where it reaches nobody: a runner outside the sites' network has no engine. */
const PREVIEWS = new Set(["preview", "pre"]);

/** On a fresh clone these are about the demo, so that `npm run pulumi -- preview` can be the first command of all. */
const NEEDS_STACK = new Set(["preview", "pre", "up", "update", "config"]);

/** State is kept in this folder, and there is none yet. */
function isFirstUse(): boolean {
  const stacks = join(projectFolder, "state", ".pulumi", "stacks");
  return !process.env.PULUMI_BACKEND_URL && !existsSync(stacks);
}

/** On a first use it is the demo that is made, and that is. */
function inContainers(args: readonly string[]): boolean {
  const homes = process.env.PULUMI_HOME
    ? [process.env.PULUMI_HOME]
    : [join(projectFolder, "home"), join(homedir(), ".pulumi")];
  const stack = stackOf(args, process.env, homes) ?? DEFAULT_STACK;
  return needsContainers(readIfThere(stackFile(stack)));
}

await runScript(async () => {
  const args = process.argv.slice(2);
  const command = args.find((argument) => !argument.startsWith("-")) ?? "help";
  const containers = !WITHOUT_CONTAINERS.has(command) && inContainers(args);
  const wanted = containers && PREVIEWS.has(command) ? "optional" : containers;
  const { env } = await setUp({ quiet: true, containers: wanted });
  if (NEEDS_STACK.has(command) && isFirstUse()) await ensureStack(env, DEFAULT_STACK);
  return runVisibly("pulumi", args, { cwd: projectRoot, env });
});
