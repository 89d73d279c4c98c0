/** pg_ident.conf: which certificate may be which system role. */
import type { Deployment, Node } from "../spec/model.ts";
import { CERTIFICATE_MAP, RENDERED_HEADER, REPLICATION_ROLE, REWIND_ROLE, VERIFIER_ROLE } from "./paths.ts";

/**
 * The certificate's common name is the node's name (see `pki/nodeCertificate.ts`). It is written as a plain quoted
 * name, which must match as a whole; an unanchored regular expression would match a part. Only the other
 * nodes may replicate: a node has no reason to do so from itself. It may be a client of itself.
 */
export function pgIdentConf(deployment: Deployment, node: Node): string {
  const nodes = deployment.sites.map((site) => site.node);
  const peers = nodes.filter((other) => other.name !== node.name);
  return [
    RENDERED_HEADER,
    ...peers.flatMap((peer) =>
      [REPLICATION_ROLE, REWIND_ROLE].map((role) => `${CERTIFICATE_MAP} "${peer.name}" ${role}`),
    ),
    ...nodes.map(({ name }) => `${CERTIFICATE_MAP} "${name}" ${VERIFIER_ROLE}`),
    "",
  ].join("\n");
}
