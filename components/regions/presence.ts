/** Which units are there already, whatever their hosts are. */
import { SHARED_ENGINE } from "../hosts/containers/engines.ts";
import type { Presence } from "../hosts/containers/presence.ts";
import { containerName } from "../hosts/containers/reach.ts";
import type { RegionalDeployment } from "../spec/regionalModel.ts";
import type { RegionsObserved } from "./facts.ts";
import type { RegionHosts } from "./hostSetup.ts";
import { allHosts } from "./render/topology.ts";

export interface UnitsThereArgs {
  readonly deployment: RegionalDeployment;
  /** What the Docker engines have, by the engine's key. */
  readonly presence: Readonly<Record<string, Presence>>;
  readonly observed: Pick<RegionsObserved, "hosts">;
}

/** Of a machine that does not answer nobody knows. What would change there is not made anyway. */
export function unitsThere({ deployment, presence, observed }: UnitsThereArgs): RegionHosts["isPresent"] {
  const containers = presence[SHARED_ENGINE]?.containers ?? {};
  const onMachines = new Set(
    allHosts(deployment).flatMap(({ name, place }) => (place.target === "machines" ? [name] : [])),
  );
  return (unit) =>
    onMachines.has(unit)
      ? observed.hosts[unit]?.reach !== "absent"
      : containerName(deployment.name, unit) in containers;
}
