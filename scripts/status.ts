/**
 * `npm run status [-- --json] [--stack NAME]`: looks at every node of the stack, changes nothing, and says whether
 * all is well. Exit 0: fine, 1: something is wrong, 2: it cannot be told.
 */
import { Resolver } from "node:dns/promises";
import { isIPv6 } from "node:net";
import { endpointOf } from "../components/dns/place.ts";
import { machineFindings, withSurveys } from "../components/hosts/machines/survey/aside.ts";
import { driftOf } from "../components/hosts/machines/survey/drift.ts";
import type { SurveyWish } from "../components/hosts/machines/survey/wish.ts";
import { look } from "../components/outlook.ts";
import { type Assessment, assess, type NameAnswer } from "../components/roles/assess.ts";
import type { Desired } from "../components/roles/desired.ts";
import { renderStatus } from "../components/roles/renderStatus.ts";
import type { Endpoint, Names } from "../components/spec/model.ts";
import { setUp } from "./toolchain/setUp.ts";
import { pulumi, takeStack } from "./toolchain/stack.ts";

const exitCodes: Readonly<Record<Assessment["verdict"], number>> = { fine: 0, wrong: 1, unknown: 2 };

/** The stack's outputs that this reads; see `index.ts`. */
interface Outputs {
  /** `Desired` as JSON, and `machines`: what those are held against. */
  readonly wish?: string;
  readonly names?: Names;
}

async function main(args: readonly string[]): Promise<number> {
  const { stack, rest } = takeStack(args);
  const { desired, machines, names } = await readStack(stack);
  const [{ observed, surveys }, answers] = await Promise.all([look(desired, machines), ask(names)]);
  // Whatever is in a stack's outputs has been installed.
  const drift = driftOf(machines, surveys, true);
  const seen = withSurveys(observed, surveys, drift);
  const assessment = assess(seen, desired, answers, machineFindings(machines, surveys, drift, seen));
  console.log(rest.includes("--json") ? JSON.stringify(assessment, undefined, 2) : renderStatus(assessment));
  return exitCodes[assessment.verdict];
}

interface Stack {
  readonly desired: Desired;
  readonly machines: readonly SurveyWish[];
  readonly names: Names;
}

async function readStack(stack: string): Promise<Stack> {
  const { env } = await setUp({ quiet: true, containers: false });
  const result = await pulumi(env, "stack", "output", "--json", "--show-secrets", "--stack", stack);
  if (result.code !== 0) throw new Error(`the stack ${stack} cannot be read: ${result.stderr.trim()}`);
  const { wish, names } = JSON.parse(result.stdout) as Outputs;
  if (wish === undefined || names === undefined) throw new Error(`the stack ${stack} is not up`);
  const { machines, ...desired } = JSON.parse(wish) as Desired & {
    readonly machines?: readonly SurveyWish[];
  };
  return { desired, machines: machines ?? [], names };
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
