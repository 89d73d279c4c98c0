/**
 * `npm run status [-- --json] [--stack NAME]`: looks at every node of the stack, changes nothing, and says whether
 * all is well. Exit 0: fine, 1: something is wrong, 2: it cannot be told.
 */
import { Resolver } from "node:dns/promises";
import { isIPv6 } from "node:net";
import { endpointOf } from "../components/dns/place.ts";
import { type Found, machineFindings, withSurveys } from "../components/hosts/machines/survey/aside.ts";
import { driftOf } from "../components/hosts/machines/survey/drift.ts";
import type { SurveyWish } from "../components/hosts/machines/survey/wish.ts";
import { look } from "../components/outlook.ts";
import { assessRegions } from "../components/regions/assess.ts";
import type { RegionsDesired } from "../components/regions/desired.ts";
import { renderRegionsStatus } from "../components/regions/renderStatus.ts";
import { lookAtRegions, withSurveysOfRegions } from "../components/regionsOutlook.ts";
import { assess } from "../components/roles/assess.ts";
import type { Desired } from "../components/roles/desired.ts";
import type { NameAnswer, Verdict } from "../components/roles/findings.ts";
import { renderStatus } from "../components/roles/renderStatus.ts";
import type { Endpoint, Names } from "../components/spec/model.ts";
import { setUp } from "./toolchain/setUp.ts";
import { pulumi, takeStack } from "./toolchain/stack.ts";

const exitCodes: Readonly<Record<Verdict, number>> = { fine: 0, wrong: 1, unknown: 2 };

/** The stack's outputs that this reads; see `index.ts`. */
interface Outputs {
  /** `Desired` or `RegionsDesired` as JSON, and `machines`: what those are held against. */
  readonly wish?: string;
  readonly names?: Names;
}

interface OnMachines {
  readonly machines?: readonly SurveyWish[];
}
type PairWish = Desired & OnMachines;
type RegionsWish = RegionsDesired & OnMachines;

async function main(args: readonly string[]): Promise<number> {
  const { stack, rest } = takeStack(args);
  const { wish, names } = await readStack(stack);
  const { assessment, shown } = "regions" in wish ? await ofRegions(wish, names) : await ofPair(wish, names);
  console.log(rest.includes("--json") ? JSON.stringify(assessment, undefined, 2) : shown);
  return exitCodes[assessment.verdict];
}

async function ofPair({ machines = [], ...desired }: PairWish, names: Names) {
  const [{ observed, surveys }, answers] = await Promise.all([look(desired, machines), ask(names)]);
  // Whatever is in a stack's outputs has been installed.
  const drift = driftOf(machines, surveys, true);
  const seen = withSurveys(observed, surveys, drift);
  const assessment = assess(seen, desired, answers, machineFindings(machines, surveys, drift, seen));
  return { assessment, shown: renderStatus(assessment) };
}

async function ofRegions({ machines = [], ...desired }: RegionsWish, names: Names) {
  const [{ observed, surveys }, answers] = await Promise.all([lookAtRegions(desired, machines), ask(names)]);
  const drift = driftOf(machines, surveys, true);
  const seen = withSurveysOfRegions(observed, surveys, drift);
  const found: Found = { nodes: seen.hosts };
  const assessment = assessRegions(seen, desired, answers, machineFindings(machines, surveys, drift, found));
  return { assessment, shown: renderRegionsStatus(assessment) };
}

async function readStack(stack: string): Promise<{ wish: PairWish | RegionsWish; names: Names }> {
  const { env } = await setUp({ quiet: true, containers: false });
  const result = await pulumi(env, "stack", "output", "--json", "--show-secrets", "--stack", stack);
  if (result.code !== 0) throw new Error(`the stack ${stack} cannot be read: ${result.stderr.trim()}`);
  const { wish, names } = JSON.parse(result.stdout) as Outputs;
  if (wish === undefined || names === undefined) throw new Error(`the stack ${stack} is not up`);
  return { wish: JSON.parse(wish), names };
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
