import type { DockerReach } from "../../roles/desired.ts";
import type { ContainerPlace } from "../../spec/model.ts";

/** The physical name of a unit's container, and the prefix of its volumes. */
export function containerName(deployment: string, unit: string): string {
  return `${deployment}-${unit}`;
}

/** Of the volume that holds a unit's data. */
export function dataVolumeName(deployment: string, unit: string): string {
  return `${containerName(deployment, unit)}-data`;
}

/** How `converge` gets to a unit that runs in a container: known before any resource exists. */
export function dockerReach(
  deployment: string,
  unit: { readonly name: string; readonly image: string },
  { dockerHost }: ContainerPlace,
): DockerReach {
  return {
    kind: "docker",
    container: containerName(deployment, unit.name),
    dataVolume: dataVolumeName(deployment, unit.name),
    image: unit.image,
    ...(dockerHost === undefined ? {} : { dockerHost }),
  };
}
