/** Two regions on machines that are right, and ways to spoil them. */
import { type Given, layOver, type Tree } from "../configuration.ts";
import { clientAccess } from "../onMachines.ts";

/** Hosts of a region by role, each on a machine of its own; `network` e.g. `192.0.2`. */
export function machinesOfRegion(region: string, network: string): Tree {
  const at = (last: number) => ({ machine: { host: `${network}.${last}` } });
  const hosts = (names: readonly string[], first: number) =>
    Object.fromEntries(names.map((name, index) => [`${region}-${name}`, at(first + index)]));
  return {
    target: "machines",
    members: hosts(["1", "2", "3"], 11),
    consulServers: hosts(["consul-1", "consul-2", "consul-3"], 31),
    proxies: hosts(["proxy"], 51),
  };
}

export const regionsOnMachines: Tree = {
  database: { clientAccess },
  regions: {
    "region-a": machinesOfRegion("region-a", "192.0.2"),
    "region-b": machinesOfRegion("region-b", "203.0.113"),
  },
};

/** The regions with `deployment` laid over them; `rest` is beside it. */
export const onMachines = (deployment: Tree = {}, rest: Given = {}): Given => ({
  deployment: layOver(regionsOnMachines, deployment),
  ...rest,
});

export const regionA = (region: Tree): Given => onMachines({ regions: { "region-a": region } });
export const machineA = (machine: Tree): Given => regionA({ machine });
export const memberA = (member: Tree): Given => regionA({ members: { "region-a-1": member } });

export const pathA = "deployment.regions.region-a";
export const pathOfMember = `${pathA}.members.region-a-1`;
