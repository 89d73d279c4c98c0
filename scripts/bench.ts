/**
 * `npm run bench [--rounds N]`: measures on this machine what the README states, and prints it as the README's table. Every
 * figure comes with its spread and its number of rounds.
 */
import { cpus, totalmem } from "node:os";
import { parseArgs } from "node:util";
import { previewBySize, timeToServe } from "../test/bench/setup.ts";
import { heading } from "../test/bench/statistics.ts";

const { values } = parseArgs({ options: { rounds: { type: "string", default: "5" } } });
const rounds = Number(values.rounds);
const say = (line: string) => console.error(line);

const rows = [...(await timeToServe(rounds, say)), ...(await previewBySize([2, 25, 50, 100], 3, say))];
console.log(`${cpus().length} cores, ${Math.round(totalmem() / 2 ** 30)} GiB, Node ${process.version}\n`);
console.log([heading, ...rows].join("\n"));
