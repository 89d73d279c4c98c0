/** From how a node is reached to the way there. A new target adds a row. */
import type { DesiredNode, Reach } from "../roles/desired.ts";
import type { NodeAccess } from "../roles/session.ts";
import { DockerAccess } from "./containers/session.ts";

const ways: {
  readonly [K in Reach["kind"]]: (node: string, reach: Extract<Reach, { kind: K }>) => NodeAccess;
} = {
  docker: (node, reach) => new DockerAccess(node, reach),
  machine: () => {
    throw new Error("internal: machines are not built yet");
  },
};

export function accessTo(nodes: readonly DesiredNode[]): Map<string, NodeAccess> {
  return new Map(nodes.map(({ name, reach }) => [name, wayTo(name, reach)]));
}

export async function closeAll(access: ReadonlyMap<string, NodeAccess>): Promise<void> {
  await Promise.allSettled([...access.values()].map((node) => node.close()));
}

function wayTo(node: string, reach: Reach): NodeAccess {
  return reach.kind === "docker" ? ways.docker(node, reach) : ways.machine(node, reach);
}
