/** The lines of pg_hba.conf and pg_ident.conf, which Patroni writes. As for a pair: certificates for the system's roles. */
import { isIP } from "node:net";

export interface AccessInput {
  /** All other nodes that replicate from this one, also those of other regions. A certificate's CN is the node's name. */
  readonly peers: readonly { readonly name: string; readonly address: string }[];
  /** Lines for clients, rendered; between the system's own and the final refusal. */
  readonly clientRules: readonly string[];
  /** Certificates of hosts that may be clients, and as which role; `clientRules` say from where. */
  readonly clientCertificates?: readonly { readonly name: string; readonly role: string }[];
}

export const patroniRoles = { superuser: "postgres", replication: "replicator", rewind: "rewinder" } as const;

const CERTIFICATES = "understudy";
const LOCAL = "understudy-local";

export function hbaLines({ peers, clientRules }: AccessInput): readonly string[] {
  const { superuser, replication, rewind } = patroniRoles;
  return [
    `local all ${superuser} peer`,
    // Patroni asks its own server over the replication protocol.
    `local replication ${replication} peer map=${LOCAL}`,
    "local all all reject",
    "local replication all reject",
    ...peers.flatMap(({ address }) => [
      `hostssl replication ${replication} ${block(address)} cert map=${CERTIFICATES}`,
      `hostssl postgres ${rewind} ${block(address)} cert map=${CERTIFICATES}`,
    ]),
    `host all ${superuser},${replication},${rewind} all reject`,
    ...clientRules,
    "host all all all reject",
    "host replication all all reject",
  ];
}

export function identLines({ peers, clientCertificates = [] }: AccessInput): readonly string[] {
  const { superuser, replication, rewind } = patroniRoles;
  return [
    `${LOCAL} ${superuser} ${replication}`,
    ...peers.flatMap(({ name }) => [replication, rewind].map((role) => `${CERTIFICATES} "${name}" ${role}`)),
    ...clientCertificates.map(({ name, role }) => `${CERTIFICATES} "${name}" ${role}`),
  ];
}

function block(address: string): string {
  const family = isIP(address);
  return family === 0 ? address : `${address}/${family === 4 ? 32 : 128}`;
}
