/** What `unit.py` installs. Pure. */
import type { Machine } from "../../spec/model.ts";
import type { Program, UnitArgs } from "../host.ts";
import {
  chain,
  chainFile,
  FIREWALL_DIRECTORY,
  FIREWALL_UNIT,
  firewallUnit,
  TABLE,
  table,
} from "./firewall.ts";
import { LOCK_FILE, type MachineProgram, manifestFile } from "./programs.ts";
import { accounts, SYSTEMD_UNITS, unitName } from "./reach.ts";
import { takenByReload } from "./unitChange.ts";
import { unitFile } from "./unitFile.ts";

export interface UnitRequestArgs {
  readonly deployment: string;
  readonly host: string;
  readonly machine: Machine;
  readonly machineProgram: MachineProgram;
  readonly version: number;
  /** Name of the resource, and of its manifest. */
  readonly resource: string;
}

/** How long a service may take until it works. */
const START_SECONDS = 60;

export function unitRequest(unit: UnitArgs, args: UnitRequestArgs): object {
  const { machine, machineProgram, deployment, host, version } = args;
  const { adopt } = machine;
  return {
    host,
    program: unit.program,
    unit: unitName(unit.program),
    unitFile: unitFile({ deployment, host, unit, machineProgram, adopt }).split("\n"),
    user: unit.user,
    health: unit.health,
    stateful: unit.stateful,
    takenByReload,
    // Of a member the plan does: replicas first, and a switchover before the leader's turn.
    restarts: unit.program !== "patroni",
    startSeconds: START_SECONDS,
    stopSeconds: unit.stopTimeoutSeconds,
    firewall: machine.firewall ? firewall(unit) : null,
    noFirewall: { chainFile: chainFile(unit.program), directory: FIREWALL_DIRECTORY, unit: FIREWALL_UNIT },
    cluster:
      unit.program === "postgres" || unit.program === "patroni"
        ? { version, port: unit.listens[0]?.port ?? 0, adopt: adopt ?? null }
        : null,
    manifest: manifestFile(args.resource),
    lock: LOCK_FILE,
  };
}

const everyUnit = Object.keys(accounts).map((program) => unitName(program as Program));

function firewall({ program, listens }: UnitArgs): object {
  const rules = chain(program, listens).split("\n");
  return {
    unit: FIREWALL_UNIT,
    table: TABLE,
    directory: FIREWALL_DIRECTORY,
    chain: rules,
    files: {
      [chainFile(program)]: rules,
      [`${FIREWALL_DIRECTORY}/table.nft`]: table().split("\n"),
      [`${SYSTEMD_UNITS}/${FIREWALL_UNIT}`]: firewallUnit(everyUnit).split("\n"),
    },
  };
}
