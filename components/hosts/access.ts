/** From how a host is reached to the way there. A new target adds a case. */
import type { UnitAccess } from "../regions/session.ts";
import type { UnitVerbs } from "../regions/verbs.ts";
import type { AccessOf, Look } from "../roles/conversation.ts";
import type { Reach } from "../roles/desired.ts";
import type { NodeAccess, Verbs } from "../roles/session.ts";
import { nodeAgent, type Observable, type ReportOf, unitAgent } from "./agentAccess.ts";
import { DockerAccess } from "./containers/session.ts";
import { MachineAccess } from "./machines/session.ts";
import { SshPool } from "./machines/ssh/connection.ts";

export interface Reached {
  readonly name: string;
  readonly reach: Reach;
}

/** Pools that nobody else closes. */
const owned = new WeakMap<object, SshPool>();

/** To a pair's nodes. `pool`: the connections of somebody who also asks the machines other things, and closes it. */
export function accessTo(nodes: readonly Reached[], pool?: SshPool): Map<string, NodeAccess> {
  return waysTo<Verbs>(nodes, nodeAgent, pool);
}

/** To the hosts of regions. */
export function accessToUnits(hosts: readonly Reached[], pool?: SshPool): Map<string, UnitAccess> {
  return waysTo<UnitVerbs>(hosts, unitAgent, pool);
}

export async function closeAll(access: ReadonlyMap<string, { close(): Promise<void> }>): Promise<void> {
  await Promise.allSettled([...access.values()].map((host) => host.close()));
  await owned.get(access)?.close();
}

function waysTo<V extends Observable<V>>(
  hosts: readonly Reached[],
  agent: string,
  pool: SshPool | undefined,
): Map<string, AccessOf<V, Look<ReportOf<V>>>> {
  const shared = pool ?? new SshPool();
  const access = new Map(hosts.map(({ name, reach }) => [name, wayTo<V>(name, reach, agent, shared)]));
  if (pool === undefined) owned.set(access, shared);
  return access;
}

function wayTo<V extends Observable<V>>(
  host: string,
  reach: Reach,
  agent: string,
  pool: SshPool,
): AccessOf<V, Look<ReportOf<V>>> {
  switch (reach.kind) {
    case "docker":
      return new DockerAccess<V>(host, reach, {}, agent);
    case "machine":
      return new MachineAccess<V>(host, reach, pool, {}, agent);
  }
}
