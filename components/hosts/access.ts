/** From how a node is reached to the way there. A new target adds a row. */
import type { DesiredNode, Reach } from "../roles/desired.ts";
import type { NodeAccess } from "../roles/session.ts";
import { DockerAccess } from "./containers/session.ts";

const ways: {
  readonly [K in Reach["kind"]]: (node: string, reach: Extract<Reach, { kind: K }>) => NodeAccess;
} = {
  docker: (node, reach) => new DockerAccess(node, reach),
};

export function accessTo(nodes: readonly DesiredNode[]): Map<string, NodeAccess> {
  return new Map(nodes.map(({ name, reach }) => [name, ways[reach.kind](name, reach)]));
}

export async function closeAll(access: ReadonlyMap<string, NodeAccess>): Promise<void> {
  await Promise.allSettled([...access.values()].map((node) => node.close()));
}
