/** What is done to a machine when its host leaves the stack. */
import * as command from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import type { SshRoute } from "../../roles/desired.ts";
import type { Machine } from "../../spec/model.ts";
import type { Program } from "../host.ts";
import type { LeaveRequest } from "./leave.ts";
import type { MachineProgram } from "./programs.ts";
import { unitName } from "./reach.ts";

export interface DepartureArgs {
  readonly deployment: string;
  readonly address: string;
  readonly machine: Machine;
  readonly route: SshRoute;
  readonly program: Program;
  readonly machineProgram: MachineProgram;
}

/**
 * Everything of the host depends on it, so it is deleted last, and its deletion is what clears the machine. What it takes
 * is recorded in the state: `destroy` runs no program of ours that could say it then.
 *
 * Another address is another machine, and the old one is cleared. Another way to the same one is only recorded.
 */
export function departure(name: string, args: DepartureArgs, parent: pulumi.Resource): pulumi.Resource {
  const { deployment, address, machine, route, program, machineProgram } = args;
  const request: LeaveRequest = {
    deployment,
    host: name,
    address,
    route,
    program,
    unit: unitName(program),
    config: machineProgram.directories.config,
    data: machineProgram.directories.data,
    ownerFile: machineProgram.ownerFile,
    held: machineProgram.held,
    wipe: machine.onDestroy === "wipe" || !machineProgram.keepsData,
    // Not said where there is none, so that the state of a pair's node stays as it is.
    ...(machineProgram.discarded.length > 0 && { discarded: machineProgram.discarded }),
    adopted: machine.adopt ?? null,
  };
  return new command.local.Command(
    `${name}-departure`,
    {
      delete: "node components/hosts/machines/leave.ts",
      stdin: pulumi.jsonStringify(request, undefined, 2),
      triggers: [address],
      logging: command.local.Logging.Stderr,
      addPreviousOutputInEnv: false,
    },
    { parent },
  );
}
