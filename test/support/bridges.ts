/**
 * Docker keeps its networks apart, and hides the addresses of one from the others. Sites of two kinds are on two networks
 * that see each other's addresses, as in a data centre: that is what this makes of two of Docker's, as root of its host.
 */
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import type { Heal } from "./faults.ts";

const run = promisify(execFile);

/** By subnet, so that a network may come and go meanwhile. Ends with what it gives back. */
export async function joinNetworks(one: string, other: string): Promise<Heal> {
  const rules = [
    [one, other],
    [other, one],
  ].flatMap(([from = "", to = ""]) => [
    // Before Docker's own isolation. Its masquerading would win: it comes first for every network made later; a
    // connection that is not tracked is not translated at all.
    ["filter", "DOCKER-USER", "-s", from, "-d", to, "-j", "ACCEPT"],
    ["raw", "PREROUTING", "-s", from, "-d", to, "-j", "CT", "--notrack"],
  ]);
  for (const [table = "", ...rule] of rules) await run("iptables", ["-w", "-t", table, "-I", ...rule]);
  return async () => {
    for (const [table = "", ...rule] of rules) await run("iptables", ["-w", "-t", table, "-D", ...rule]);
  };
}
