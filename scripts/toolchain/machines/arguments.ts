/** What `npm run machines` is told. Pure. */
import { parseArgs } from "node:util";
import { SetUpProblem } from "../problem.ts";
import { type Release, releases } from "./image.ts";
import { type MachinesWish, machineNames } from "./names.ts";

export const usage =
  "npm run machines -- up|down [--regions] [--name machines] [--count 2] [--subnet 10.87.0.0/24] [--release trixie]";

export interface MachinesOrder {
  readonly command: "up" | "down";
  readonly wish: MachinesWish;
  readonly release: Release;
  /** They are for a region of Patroni: beside them is a package mirror, which is among their package sources. */
  readonly regions: boolean;
}

/** For a pair, and for one region: three members, three servers of Consul, a proxy. As the stack files have them. */
const pair = { name: "machines", count: "2", subnet: "10.87.0.0/24" };
const region = { name: "regions-machines", count: "7", subnet: "10.85.0.0/24" };

/** Stacks that are written for the machines of their name. */
export const stacksOfMachines: readonly string[] = [pair.name, region.name];

/** @throws SetUpProblem */
export function readArguments(args: readonly string[]): MachinesOrder {
  const { values, positionals } = asked(() =>
    parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        regions: { type: "boolean", default: false },
        name: { type: "string" },
        count: { type: "string" },
        subnet: { type: "string" },
        release: { type: "string", default: releases[0] },
      },
    }),
  );
  const [command, ...more] = positionals;
  const release = releases.find((known) => known === values.release);
  if ((command !== "up" && command !== "down") || more.length > 0) throw new SetUpProblem(`Usage: ${usage}`);
  if (release === undefined)
    throw new SetUpProblem(`--release ${values.release}: known are ${releases.join(", ")}.`);
  const { name, count, subnet } = { ...(values.regions ? region : pair), ...said(values) };
  const wish = { name, count: Number(count), subnet };
  machineNames(wish);
  return { command, wish, release, regions: values.regions };
}

function said({ name, count, subnet }: Partial<Record<"name" | "count" | "subnet", string>>) {
  return { ...(name && { name }), ...(count && { count }), ...(subnet && { subnet }) };
}

/** A misspelt option is the user's to put right, not a defect. */
function asked<T>(parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    throw new SetUpProblem((error as Error).message, `Usage: ${usage}`);
  }
}
