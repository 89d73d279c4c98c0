/**
 * `npm run bench [-- --rounds N] [-- --only setup|roles]`: measures on this machine what the README states, and prints it
 * as the README's table. Every figure comes with its spread and its number of rounds.
 */
import { cpus, totalmem } from "node:os";
import { parseArgs } from "node:util";
import { previewBySize, timeToServe } from "../test/bench/setup.ts";
import { heading } from "../test/bench/statistics.ts";
import { switchovers } from "../test/bench/switchover.ts";

const { values } = parseArgs({
  options: { rounds: { type: "string" }, only: { type: "string", default: "setup,roles" } },
});
const rounds = (usual: number) => Number(values.rounds ?? usual);
const say = (line: string) => console.error(line);

const parts: Readonly<Record<string, () => Promise<string[]>>> = {
  setup: async () => [
    ...(await timeToServe(rounds(5), say)),
    ...(await previewBySize([2, 25, 50, 100], 3, say)),
  ],
  roles: () => switchovers(rounds(20), Math.min(10, rounds(10)), say),
};

const rows: string[] = [];
for (const part of values.only.split(",")) {
  const measure = parts[part];
  if (!measure) throw new Error(`--only takes ${Object.keys(parts).join(", ")}`);
  rows.push(...(await measure()));
}
console.log(`${cpus().length} cores, ${Math.round(totalmem() / 2 ** 30)} GiB, Node ${process.version}\n`);
console.log([heading, ...rows].join("\n"));
