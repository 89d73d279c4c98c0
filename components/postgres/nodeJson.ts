/** node.json: what the node's agent (`node/node.py`) needs to know of the deployment. No secret, no role. */
import type { Deployment, Node, Synchronous } from "../spec/model.ts";
import { dataDirectoryOf, REPLICATION_ROLE, REWIND_ROLE, VERIFIER_ROLE } from "./paths.ts";

export interface NodeJson {
  readonly deployment: string;
  readonly node: string;
  readonly majorVersion: number;
  readonly binDirectory: string;
  readonly dataDirectory: string;
  readonly port: number;
  readonly synchronous: Synchronous;
  readonly degradeAfterSeconds: number;
  /** Whether clients are let in while the node is a standby. */
  readonly standbyReads: boolean;
  readonly peers: readonly {
    readonly name: string;
    readonly address: string;
    readonly port: number;
    readonly slot: string;
  }[];
  /** The slot that this node uses on whichever node it follows. */
  readonly slot: string;
  readonly replicationRole: string;
  readonly rewindRole: string;
  readonly verifierRole: string;
}

/** Pretty and in a fixed order: its diff is read at preview. */
export function nodeJson(deployment: Deployment, node: Node): string {
  const { database } = deployment;
  const content: NodeJson = {
    deployment: deployment.name,
    node: node.name,
    majorVersion: database.version,
    // Debian's layout, which the node image has and an image of the user's must have.
    binDirectory: `/usr/lib/postgresql/${database.version}/bin`,
    dataDirectory: dataDirectoryOf(deployment, node),
    port: node.port,
    synchronous: database.synchronous,
    degradeAfterSeconds: database.degradeAfterSeconds,
    standbyReads: database.standbyReads,
    peers: deployment.sites
      .map((site) => site.node)
      .filter((other) => other.name !== node.name)
      .map(({ name, address, port, slot }) => ({ name, address, port, slot })),
    slot: node.slot,
    replicationRole: REPLICATION_ROLE,
    rewindRole: REWIND_ROLE,
    verifierRole: VERIFIER_ROLE,
  };
  return `${JSON.stringify(content, null, 2)}\n`;
}
