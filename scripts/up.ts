/** `npm run up`: from a fresh clone to a running deployment, and what to do with it. `--stack NAME`: another one. */
import { runVisibly } from "./toolchain/command.ts";
import { readIfThere } from "./toolchain/files.ts";
import { projectRoot } from "./toolchain/paths.ts";
import { runScript } from "./toolchain/problem.ts";
import { setUp } from "./toolchain/setUp.ts";
import { ensureStack, needsContainers, pulumi, stackFile, takeStack } from "./toolchain/stack.ts";

interface Outputs {
  readonly active?: string;
  readonly endpoint?: string;
  readonly nodes?: readonly {
    name: string;
    site: string;
    address: string;
    port: number;
    client: { host: string; port: number };
  }[];
}

await runScript(async () => {
  const { stack, rest } = takeStack(process.argv.slice(2));
  const { env } = await setUp({ quiet: false, containers: needsContainers(readIfThere(stackFile(stack))) });
  await ensureStack(env, stack);
  const code = await runVisibly("pulumi", ["up", "--yes", "--stack", stack, ...rest], {
    cwd: projectRoot,
    env,
  });
  if (code === 0) process.stdout.write(`\n${howToConnect(await outputs(env, stack), stack)}\n`);
  return code;
});

async function outputs(env: NodeJS.ProcessEnv, stack: string): Promise<Outputs> {
  const result = await pulumi(env, "stack", "output", "--json", "--stack", stack);
  return result.code === 0 ? (JSON.parse(result.stdout) as Outputs) : {};
}

function howToConnect({ active, endpoint, nodes }: Outputs, stack: string): string {
  const other = nodes?.find(({ site }) => site !== active)?.site ?? "site-b";
  const rows = (nodes ?? []).map(
    ({ name, site, address, port, client }) =>
      `  ${name.padEnd(12)} ${site === active ? "active " : "standby"}  ${address}:${port}${client.host === address ? "" : `, here ${client.host}:${client.port}`}`,
  );
  return [
    `${endpoint ?? stack} is served by ${active ?? "?"}.`,
    ...rows,
    "",
    "Connect (the URI holds a password, so it is shown on demand only):",
    '  psql "$(npm run -s pulumi -- stack output uri --show-secrets)"',
    "",
    "Try next:",
    "  npm run status",
    `  npm run pulumi -- config set active ${other} && npm run pulumi -- preview`,
    "  npm run down",
  ].join("\n");
}
