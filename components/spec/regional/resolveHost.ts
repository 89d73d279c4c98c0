/** Where a region's host runs: from what was written of it and of its region to what is meant. See `resolve.ts`. */
import type { Cidr } from "../ip.ts";
import type { Place } from "../model.ts";
import type { RegionalHost } from "../regionalModel.ts";
import { canonicalAddress, resolveMachine } from "../resolvePlace.ts";
import { machine, type WrittenHostMachine, type WrittenMachine } from "../schemaMachine.ts";
import { type HostRole, hostAddress } from "./derive.ts";
import type { WrittenRegion } from "./schema.ts";

/** What a region's hosts have in common. */
export interface Surroundings {
  readonly region: string;
  readonly written: WrittenRegion;
  readonly dockerHost: string | undefined;
  readonly subnet: Cidr;
  readonly pooledPort: number | undefined;
}

interface WrittenHost {
  readonly machine?: WrittenHostMachine | undefined;
  readonly address?: string | undefined;
  readonly memoryMiB: number;
}

export function resolveHost(
  name: string,
  role: HostRole,
  written: WrittenHost,
  { region, written: shared, dockerHost, subnet }: Surroundings,
): RegionalHost {
  const { memoryMiB } = written;
  if (shared.target === "machines") {
    const machine = resolveMachine(machineOf(shared, written));
    const address = canonicalAddress(written.address) ?? machine.ssh.host;
    return { name, region, place: { target: "machines", machine }, address, memoryMiB };
  }
  const place: Place = { target: "containers", dockerHost, ownEngine: false };
  const address = canonicalAddress(written.address) ?? hostAddress({ name, region }, role, subnet);
  return { name, region, place, address, memoryMiB };
}

/** What the host says over what its region says, and defaults under both; undefined: the rule E_MACHINE asks for it. */
function machineOf(region: WrittenRegion, host: WrittenHost): WrittenMachine | undefined {
  return host.machine && machine.parse({ ...said(region.machine), ...said(host.machine) });
}

/** Without what nobody wrote. */
export function said(fields: object = {}): object {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}
