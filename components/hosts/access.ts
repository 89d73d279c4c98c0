/** From how a node is reached to the way there. A new target adds a case. */
import type { DesiredNode, Reach } from "../roles/desired.ts";
import type { NodeAccess } from "../roles/session.ts";
import { DockerAccess } from "./containers/session.ts";
import { MachineAccess } from "./machines/session.ts";
import { SshPool } from "./machines/ssh/connection.ts";

/** Pools that nobody else closes. */
const owned = new WeakMap<ReadonlyMap<string, NodeAccess>, SshPool>();

/** `pool`: the connections of somebody who also asks the machines other things, and closes it. */
export function accessTo(nodes: readonly DesiredNode[], pool?: SshPool): Map<string, NodeAccess> {
  const shared = pool ?? new SshPool();
  const access = new Map(nodes.map(({ name, reach }) => [name, wayTo(name, reach, shared)]));
  if (pool === undefined) owned.set(access, shared);
  return access;
}

export async function closeAll(access: ReadonlyMap<string, NodeAccess>): Promise<void> {
  await Promise.allSettled([...access.values()].map((node) => node.close()));
  await owned.get(access)?.close();
}

function wayTo(node: string, reach: Reach, pool: SshPool): NodeAccess {
  switch (reach.kind) {
    case "docker":
      return new DockerAccess(node, reach);
    case "machine":
      return new MachineAccess(node, reach, pool);
  }
}
