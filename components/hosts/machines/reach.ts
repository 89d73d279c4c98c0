import type { MachineReach, SshRoute } from "../../roles/desired.ts";
import type { Account, Program } from "../host.ts";

export const SYSTEMD_UNITS = "/etc/systemd/system";

/** The systemd unit of a program. A machine has one of each at most, whatever the deployment is called. */
export function unitName(program: Program): string {
  return `understudy-${program}.service`;
}

/** Of the unit, and of whoever speaks with its agent. */
export const accounts: Readonly<Record<Program, Account>> = {
  postgres: "postgres",
  dns: "bind",
  // Consul's agent on a member runs as PostgreSQL's account, as Patroni does.
  patroni: "postgres",
  consul: "consul",
  haproxy: "haproxy",
};

export function machineReach(ssh: SshRoute, program: Program = "postgres"): MachineReach {
  return { kind: "machine", ssh, unit: unitName(program), account: accounts[program] };
}
