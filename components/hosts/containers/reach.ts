import type { DockerReach } from "../../roles/desired.ts";
import type { ContainerPlace, Deployment, Node } from "../../spec/model.ts";
import { imageTag } from "./images.ts";

/** The physical name of a unit's container, and the prefix of its volumes. */
export function containerName(deployment: string, unit: string): string {
  return `${deployment}-${unit}`;
}

/** How `converge` gets to a node that runs in a container: known before any resource exists. */
export function dockerReach(deployment: Deployment, node: Node, { dockerHost }: ContainerPlace): DockerReach {
  const container = containerName(deployment.name, node.name);
  return {
    kind: "docker",
    container,
    dataVolume: `${container}-data`,
    image: node.image ?? imageTag("postgres"),
    ...(dockerHost === undefined ? {} : { dockerHost }),
  };
}
