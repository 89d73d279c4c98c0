import type { MachineReach, SshRoute } from "../../roles/desired.ts";
import type { Account, InstalledProgram } from "../host.ts";

/** The systemd unit of a program. A machine has one of each at most, whatever the deployment is called. */
export function unitName(program: InstalledProgram): string {
  return `understudy-${program}.service`;
}

export const accounts: Readonly<Record<InstalledProgram, Account>> = { postgres: "postgres", dns: "bind" };

export function machineReach(ssh: SshRoute): MachineReach {
  return { kind: "machine", ssh, unit: unitName("postgres"), account: accounts.postgres };
}
