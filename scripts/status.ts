/**
 * `npm run status [-- --json] [--stack NAME]`: looks at every node of the stack, changes nothing, and says whether
 * all is well. Exit 0: fine, 1: something is wrong, 2: it cannot be told.
 */
import { Resolver } from "node:dns/promises";
import { isIPv6 } from "node:net";
import { endpointOf } from "../components/dns/place.ts";
import { accessTo, closeAll } from "../components/hosts/access.ts";
import { type Assessment, assess, type NameAnswer } from "../components/roles/assess.ts";
import type { Desired } from "../components/roles/desired.ts";
import { observe } from "../components/roles/observe.ts";
import { renderStatus } from "../components/roles/renderStatus.ts";
import type { Endpoint, Names } from "../components/spec/model.ts";
import { setUp } from "./toolchain/setUp.ts";
import { pulumi, takeStack } from "./toolchain/stack.ts";

const exitCodes: Readonly<Record<Assessment["verdict"], number>> = { fine: 0, wrong: 1, unknown: 2 };

/** The stack's outputs that this reads; see `index.ts`. */
interface Outputs {
  /** `Desired` as JSON. */
  readonly wish?: string;
  readonly names?: Names;
}

async function main(args: readonly string[]): Promise<number> {
  const { stack, rest } = takeStack(args);
  const { desired, names } = await readStack(stack);
  const access = accessTo(desired.nodes);
  try {
    const [observed, answers] = await Promise.all([
      observe(access, { catalogOf: desired.active }),
      ask(names),
    ]);
    const assessment = assess(observed, desired, answers);
    console.log(
      rest.includes("--json") ? JSON.stringify(assessment, undefined, 2) : renderStatus(assessment),
    );
    return exitCodes[assessment.verdict];
  } finally {
    await closeAll(access);
  }
}

async function readStack(stack: string): Promise<{ desired: Desired; names: Names }> {
  const { env } = await setUp({ quiet: true, containers: false });
  const result = await pulumi(env, "stack", "output", "--json", "--show-secrets", "--stack", stack);
  if (result.code !== 0) throw new Error(`the stack ${stack} cannot be read: ${result.stderr.trim()}`);
  const { wish, names } = JSON.parse(result.stdout) as Outputs;
  if (wish === undefined || names === undefined) throw new Error(`the stack ${stack} is not up`);
  return { desired: JSON.parse(wish) as Desired, names };
}

/** Asks the deployment's own server, past every cache. */
async function ask({ floating, server }: Names): Promise<NameAnswer[]> {
  const endpoint = endpointOf(server);
  return endpoint === undefined ? [] : [await askServer(floating, endpoint)];
}

async function askServer(floating: string, { host, port }: Endpoint): Promise<NameAnswer> {
  const resolver = new Resolver({ timeout: 2_000, tries: 2 });
  resolver.setServers([isIPv6(host) ? `[${host}]:${port}` : `${host}:${port}`]);
  try {
    return { name: floating, addresses: await resolver.resolve4(floating), error: null };
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOTFOUND" || code === "ENODATA") return { name: floating, addresses: [], error: null };
    return { name: floating, addresses: [], error: `the name server does not answer (${code})` };
  }
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  console.error((error as Error).message);
  process.exitCode = exitCodes.unknown;
}
