/** Parameters of `prepare.sh`. */
import { readFileSync } from "node:fs";
import type { Machine } from "../../spec/model.ts";
import type { Program } from "../host.ts";
import { hostOf, preferences, sources } from "./packageSources.ts";
import { type MachineProgram, manifestFile } from "./programs.ts";
import { shellText } from "./shellScript.ts";

export interface PrepareArgs {
  readonly deployment: string;
  readonly host: string;
  readonly address: string;
  readonly machine: Machine;
  readonly program: Program;
  readonly machineProgram: MachineProgram;
  /** Name of the resource, and of its manifest. */
  readonly resource: string;
  readonly repair: string | undefined;
}

export function prepareText(args: PrepareArgs): string {
  const { machineProgram, machine } = args;
  const { packageMirror, firewall } = machine;
  return shellText(readFileSync(new URL("./prepare.sh", import.meta.url), "utf8"), {
    us_deployment: args.deployment,
    us_host: args.host,
    us_address: args.address,
    us_program: args.program,
    us_account: machineProgram.account,
    us_config: machineProgram.directories.config,
    us_data: machineProgram.directories.data,
    us_data_mode: machineProgram.dataMode,
    us_owner_file: machineProgram.ownerFile,
    us_manifest: manifestFile(args.resource),
    us_packages: [...machineProgram.packages, ...(firewall ? ["nftables"] : [])],
    us_optional: machineProgram.optional,
    us_held: machineProgram.held,
    us_minimums: Object.entries(machineProgram.minimums).map(([name, oldest]) => `${name}=${oldest}`),
    us_not_started: machineProgram.notStarted,
    // Who brings PostgreSQL must not have a cluster of the distribution's made.
    us_clusters: args.program === "postgres" || args.program === "patroni",
    us_mirror_host: packageMirror === undefined ? "" : hostOf(packageMirror.url),
    // As apt has it in what it says.
    us_mirror_url: packageMirror?.url.replace(/\/+$/, "") ?? "",
    us_mirror_suite: packageMirror?.suite ?? "",
    us_sources: packageMirror === undefined ? "" : sources(packageMirror).trimEnd(),
    us_preferences:
      packageMirror === undefined ? "" : preferences(packageMirror, machineProgram.preferred).trimEnd(),
    us_repair: args.repair ?? "",
  });
}
