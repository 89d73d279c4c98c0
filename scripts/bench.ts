/**
 * `npm run bench [-- --target containers,machines] [--only setup,roles,regions,scale] [--rounds N] [--write]`: measures
 * on this machine what the README states, and prints it as the README's table; `--write` puts the rows into it. Every
 * figure comes with its spread and its number of rounds. `regions` (an hour) and `scale` (20 machines, minutes) run only
 * when they are asked for.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { cpus, loadavg, totalmem } from "node:os";
import { parseArgs } from "node:util";
import { removeWhenInterrupted } from "../test/bench/cleanUp.ts";
import { regionChanges } from "../test/bench/regions.ts";
import { manyMachines } from "../test/bench/scale.ts";
import { previewBySize, timeToServe } from "../test/bench/setup.ts";
import { switchovers } from "../test/bench/switchover.ts";
import { insertRows, type Row, table } from "../test/bench/table.ts";
import type { Target } from "../test/support/nodeHandle.ts";

/** Load per core before anything is measured. */
const busyAbove = 0.75;

const { values } = parseArgs({
  options: {
    target: { type: "string", default: "containers,machines" },
    only: { type: "string", default: "setup,roles" },
    rounds: { type: "string" },
    write: { type: "boolean", default: false },
  },
});
const rounds = (usual: number) => Number(values.rounds ?? usual);
const say = (line: string) => console.error(line);

type Part = () => Promise<Row[]>;
const roles = (target: Target) => () => switchovers(target, rounds(20), Math.min(10, rounds(10)), say);
const parts: Readonly<Record<string, Partial<Readonly<Record<Target, Part>>>>> = {
  setup: {
    containers: async () => [
      ...(await timeToServe("containers", rounds(5), say)),
      ...(await previewBySize([2, 25, 50, 100], 3, say)),
    ],
    machines: () => timeToServe("machines", rounds(5), say),
  },
  roles: { containers: roles("containers"), machines: roles("machines") },
  regions: { containers: () => regionChanges(rounds(20), say) },
  scale: { machines: () => manyMachines(rounds(5), say) },
};

function asked(): Part[] {
  if (values.rounds !== undefined && !/^[1-9]\d*$/.test(values.rounds))
    throw new Error(`--rounds ${values.rounds}: not a number of rounds, such as 5`);
  const names = known("--only", values.only, Object.keys(parts));
  const targets = known("--target", values.target, ["containers", "machines"] as const);
  const chosen = targets.flatMap((target) => names.flatMap((name) => parts[name]?.[target] ?? []));
  if (chosen.length === 0)
    throw new Error(`--only ${values.only} has nothing to measure on ${values.target}`);
  return chosen;
}

function known<T extends string>(option: string, text: string, all: readonly T[]): T[] {
  return text.split(",").map((each) => {
    const found = all.find((name) => name === each);
    if (found === undefined) throw new Error(`${option} ${each}: known are ${all.join(", ")}`);
    return found;
  });
}

function tellLoad(when: string): void {
  const [one = 0, ...longer] = loadavg().map((value) => Number(value.toFixed(1)));
  say(`load ${when}: ${[one, ...longer].join(", ")} (1, 5, 15 min) on ${cpus().length} cores`);
}

/** A README is read for years, and nobody then knows what else ran. */
function requireQuiet(): void {
  const [one = 0] = loadavg();
  const most = cpus().length * busyAbove;
  if (one <= most) return;
  throw new Error(
    `--write: this machine is busy (load ${one.toFixed(1)} in the last minute, more than ${most}). Wait until it is quiet, or leave out --write`,
  );
}

const readme = new URL("../README.md", import.meta.url);

/** Also of a run that was not finished: what was measured is measured. */
function publish(rows: readonly Row[]): void {
  if (rows.length === 0) return;
  console.log(`${cpus().length} cores, ${Math.round(totalmem() / 2 ** 30)} GiB, Node ${process.version}\n`);
  console.log(table(rows));
  if (values.write) writeFileSync(readme, insertRows(readFileSync(readme, "utf8"), rows));
}

const rows: Row[] = [];
try {
  const chosen = asked();
  // A README that the rows do not fit into is told of now, and not after an hour.
  insertRows(readFileSync(readme, "utf8"), []);
  if (values.write) requireQuiet();
  removeWhenInterrupted();
  tellLoad("before");
  for (const part of chosen) rows.push(...(await part()));
  tellLoad("after");
} catch (error) {
  console.error((error as Error).message);
  process.exitCode = 1;
} finally {
  publish(rows);
}
