/**
 * Where things are on a node. One place, because the renderers, the node's agent (`node/node.py`), the image and
 * the host must agree; the agent and the image repeat them, and the engine test starts a server with both.
 */

import type { Account } from "../hosts/host.ts";
import type { Deployment, Node } from "../spec/model.ts";

/** Written by `Host.files`, read-only for the server, outside the data directory, which pg_rewind overwrites. */
export const CONFIG_DIRECTORY = "/etc/understudy";

/** Keys, certificates and passwords: mode 0600, a directory of their own because their content is secret. */
export const SECRETS_DIRECTORY = `${CONFIG_DIRECTORY}/secrets`;

/** The protected volume. */
export const DATA_DIRECTORY = "/var/lib/understudy";

/** The data directory that we make, below the volume's root, so that the agent's notes lie beside it. */
export const PGDATA = `${DATA_DIRECTORY}/pgdata`;

/** A node's data directory: ours, or that of a hand-made primary which becomes the node's. */
export function dataDirectoryOf({ sites }: Deployment, node: Node): string {
  const place = sites.find(({ name }) => name === node.site)?.place;
  return place?.target === "machines" ? (place.machine.adopt ?? PGDATA) : PGDATA;
}

/** Written by the agent: the settings that follow from the node's role. */
export const ROLE_CONF = `${DATA_DIRECTORY}/state/role.conf`;

/** Put there by the agent when clients may come in. In /run, so that a restarted container lets nobody in. */
export const ADMITTED_CLIENTS = "/run/understudy/clients.conf";

export const SOCKET_DIRECTORY = "/run/postgresql";

/** The account of the server and its agent. */
export const NODE_ACCOUNT: Account = "postgres";

/** Role that streams WAL; REPLICATION and nothing else. */
export const REPLICATION_ROLE = "replicator";

/** Role that pg_rewind reads with: EXECUTE on the functions that it needs, no superuser. */
export const REWIND_ROLE = "rewinder";

/** The deployment's own client, which writes to see whether clients can; one table, nothing else. */
export const VERIFIER_ROLE = "verifier";

/** Name of the map in pg_ident.conf from certificates to these roles. */
export const CERTIFICATE_MAP = "understudy";

/** First line of every rendered file. */
export const RENDERED_HEADER = "# Rendered by Understudy; edits are overwritten.";
