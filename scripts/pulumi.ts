/** `npm run pulumi -- COMMAND`: any Pulumi command, with toolchain, backend and passphrase in place. */
import { runVisibly } from "./toolchain/command.ts";
import { projectRoot } from "./toolchain/paths.ts";
import { runScript } from "./toolchain/problem.ts";
import { setUp } from "./toolchain/setUp.ts";

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

await runScript(async () => {
  const args = process.argv.slice(2);
  const command = args.find((argument) => !argument.startsWith("-")) ?? "help";
  const { env } = await setUp({ quiet: true, containers: !WITHOUT_CONTAINERS.has(command) });
  return runVisibly("pulumi", args, { cwd: projectRoot, env });
});
