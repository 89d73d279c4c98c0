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
import { type Counts, countTests, renderCounts } from "./toolchain/testCounts.ts";

const RINGS = ["unit", "mocks", "engine", "faults"];
const DEFAULT_RINGS = ["unit", "mocks", "engine"];
/** They start nothing outside of their own process, so they need no toolchain. */
const WITHOUT_TOOLCHAIN = new Set(["unit", "mocks"]);

await runScript(async () => {
  const rings = ringsOf(process.argv.slice(2));
  if (rings.every((ring) => WITHOUT_TOOLCHAIN.has(ring))) return check(rings, process.env);
  const { env, progress, startedEngine } = await setUp({ quiet: false });
  try {
    return await check(rings, env);
  } finally {
    if (startedEngine) await stopEngineIfOurs(progress);
  }
});

function ringsOf(args: readonly string[]): readonly string[] {
  const unknown = args.filter((ring) => !RINGS.includes(ring));
  if (unknown.length > 0) throw new SetUpProblem(`There is no ring ${unknown.join(", ")}.`, `Known: ${RINGS.join(", ")}`);
  return args.length > 0 ? args : DEFAULT_RINGS;
}

async function check(rings: readonly string[], env: NodeJS.ProcessEnv): Promise<number> {
  const options = { cwd: projectRoot, env };
  const lint = await runVisibly(local("@biomejs/biome/bin/biome"), ["ci", "."], options);
  return 0;
}
