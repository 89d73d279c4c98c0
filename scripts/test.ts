/** `npm test [RING…]`: lint, types, then the rings of tests (unit, mocks and engine unless others are named). */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runVisibly } from "./toolchain/command.ts";
import { stopEngineIfOurs } from "./toolchain/engine.ts";
import { readIfThere } from "./toolchain/files.ts";
import { projectRoot } from "./toolchain/paths.ts";
import { runScript, SetUpProblem } from "./toolchain/problem.ts";
import { setUp } from "./toolchain/setUp.ts";
import { type Counts, countTests, listFailures, renderCounts } from "./toolchain/testCounts.ts";

const AT_ONCE = join(projectRoot, "scripts/toolchain/failuresAtOnce.ts");
const RINGS = ["unit", "mocks", "engine", "faults"];
const DEFAULT_RINGS = ["unit", "mocks", "engine"];
/** Of vitest, where a ring has others than the one of its name; see `vitest.config.ts`. */
const PROJECTS: Readonly<Record<string, readonly string[]>> = { engine: ["engine-beside", "engine"] };
/** Consul has to be compiled where no other run has done it, which takes longer than a test may. */
const REGIONS_IMAGES = ["consul", "patroni", "haproxy"] as const;
/** They start nothing outside of their own process, so they need no toolchain. */
const WITHOUT_TOOLCHAIN = new Set(["unit", "mocks"]);

interface Verdict {
  /** A line for each test that failed, and for what else did. */
  readonly complaints: readonly string[];
  readonly counts: Counts;
}

await runScript(async () => {
  const rings = ringsOf(process.argv.slice(2));
  const { complaints, counts } = rings.every((ring) => WITHOUT_TOOLCHAIN.has(ring))
    ? await check(rings, process.env)
    : await checkWithToolchain(rings);
  for (const complaint of complaints) process.stdout.write(`${complaint}\n`);
  process.stdout.write(`${renderCounts(counts)}\n`);
  return complaints.length === 0 && counts.failed === 0 && counts.passed > 0 ? 0 : 1;
});

function ringsOf(args: readonly string[]): readonly string[] {
  const unknown = args.filter((ring) => !RINGS.includes(ring));
  if (unknown.length > 0) {
    throw new SetUpProblem(`There is no ring ${unknown.join(", ")}.`, `Known: ${RINGS.join(", ")}`);
  }
  return args.length > 0 ? args : DEFAULT_RINGS;
}

async function checkWithToolchain(rings: readonly string[]): Promise<Verdict> {
  const { env, progress, startedEngine } = await setUp({ quiet: false, moreImages: REGIONS_IMAGES });
  try {
    return await check(rings, env);
  } finally {
    if (startedEngine) await stopEngineIfOurs(progress);
  }
}

/** Everything is run, whatever failed before: one run tells all that is wrong. */
async function check(rings: readonly string[], env: NodeJS.ProcessEnv): Promise<Verdict> {
  const lint = await tool("biome", ["ci", "."], env);
  const types = await tool("tsc", ["--noEmit", "--project", "."], env);
  const { code, counts, failures } = await runTests(rings, env);
  const complaints = [
    ...failures,
    ...(lint === 0 ? [] : ["format or lint: failed (see above; npm run format mends most of it)"]),
    ...(types === 0 ? [] : ["types: failed (see above)"]),
    ...(code === 0 || counts.failed > 0 ? [] : [`vitest: ended with exit code ${code} (see above)`]),
    ...(counts.passed + counts.failed > 0 ? [] : ["tests: none was run"]),
  ];
  return { complaints, counts };
}

async function runTests(
  rings: readonly string[],
  env: NodeJS.ProcessEnv,
): Promise<{ code: number; counts: Counts; failures: readonly string[] }> {
  const folder = mkdtempSync(join(tmpdir(), "understudy-test-"));
  try {
    const report = join(folder, "report.json");
    const reporters = ["default", AT_ONCE, "json"].map((name) => `--reporter=${name}`);
    const projects = rings.flatMap((ring) => PROJECTS[ring] ?? [ring]).flatMap((name) => ["--project", name]);
    const code = await tool("vitest", ["run", ...projects, ...reporters, `--outputFile.json=${report}`], env);
    const said = readIfThere(report);
    return { code, counts: countTests(said), failures: listFailures(said, projectRoot) };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function tool(name: string, args: readonly string[], env: NodeJS.ProcessEnv): Promise<number> {
  return runVisibly(join(projectRoot, "node_modules", ".bin", name), args, { cwd: projectRoot, env });
}
