/**
 * Who may connect: pg_hba.conf (the same whether clients are let in or not) and clients.conf (their lines, which
 * the node's agent puts in force when they may come in). The first line that matches decides; there is no
 * second chance, so every file of ours ends in a refusal.
 *
 * Needs PostgreSQL 16 or newer: before, pg_hba.conf had no `include_if_exists`.
 */
import { isIP } from "node:net";
import { gatewayAddress } from "../spec/derive.ts";
import { parseCidr } from "../spec/ip.ts";
import type { ClientAccess, Deployment, Node } from "../spec/model.ts";
import {
  ADMITTED_CLIENTS,
  CERTIFICATE_MAP,
  RENDERED_HEADER,
  REPLICATION_ROLE,
  REWIND_ROLE,
  VERIFIER_ROLE,
} from "./paths.ts";

/** Words that mean something other than a name. Anything else that a user writes is a name, and is quoted. */
const databaseWords = new Set(["all", "sameuser", "samerole"]);
const roleWords = new Set(["all"]);

export function pgHbaConf(deployment: Deployment, node: Node): string {
  const peers = deployment.sites.map((site) => site.node).filter((other) => other.name !== node.name);
  return [
    RENDERED_HEADER,
    "# The node's agent, as the operating system's user postgres. Nobody else has a socket.",
    "local all postgres peer",
    "local all all reject",
    "local replication all reject",
    "# The other node: a certificate of the deployment's authority, from its address, for its role.",
    ...peers.flatMap((peer) => [
      `hostssl replication ${REPLICATION_ROLE} ${block(peer.address)} cert map=${CERTIFICATE_MAP}`,
      `hostssl postgres ${REWIND_ROLE} ${block(peer.address)} cert map=${CERTIFICATE_MAP}`,
    ]),
    "# Nobody else is one of the system's roles, whatever `all` in a client's line would say.",
    `host all postgres,${REPLICATION_ROLE},${REWIND_ROLE} all reject`,
    "# Clients, while the node's agent lets them in.",
    `include_if_exists ${ADMITTED_CLIENTS}`,
    "# `all` does not cover replication, and `host` covers connections with and without TLS.",
    "host all all all reject",
    "host replication all all reject",
    "",
  ].join("\n");
}

/**
 * In the order of `clientAccess`, which `spec` has filled in where the user said nothing. Before them the
 * deployment's own client, which comes from a node: it gets in when the others do, so that what it finds is true.
 */
export function clientsConf(deployment: Deployment, node: Node): string {
  return [
    RENDERED_HEADER,
    ...[...deployment.sites.map((site) => site.node.address), ...ownGateway(deployment, node)].map(
      (address) => `hostssl postgres ${VERIFIER_ROLE} ${block(address)} cert map=${CERTIFICATE_MAP}`,
    ),
    `host all ${VERIFIER_ROLE} all reject`,
    ...deployment.database.clientAccess.map(clientLine),
    "",
  ].join("\n");
}

/** Behind an engine of its own, a node that connects to its published address arrives as its network's gateway. */
function ownGateway({ sites, containers }: Deployment, node: Node): string[] {
  const place = sites.find((site) => site.node.name === node.name)?.place;
  const subnet = parseCidr(containers.subnet);
  return place?.target === "containers" && place.ownEngine && subnet !== undefined
    ? [gatewayAddress(subnet)]
    : [];
}

export function clientLine(access: ClientAccess): string {
  const databases = access.databases.map((name) => token(name, databaseWords)).join(",");
  const roles = access.roles.map((name) => token(name, roleWords)).join(",");
  return `hostssl ${databases} ${roles} ${access.network} ${access.method}`;
}

/** `+role` (its members) keeps its sign. A name that begins with `/` would be a regular expression, even quoted. */
function token(name: string, words: ReadonlySet<string>): string {
  if (words.has(name)) {
    return name;
  }
  const sign = name.startsWith("+") ? "+" : "";
  const bare = name.slice(sign.length);
  if (bare === "" || bare.startsWith("/") || /[\n\r\0]/.test(bare)) {
    throw new Error(`pg_hba.conf cannot name ${JSON.stringify(name)}`);
  }
  return `${sign}"${bare.replaceAll('"', '""')}"`;
}

/** One address as a CIDR block; a host name stays as it is. */
export function block(address: string): string {
  const family = isIP(address);
  return family === 0 ? address : `${address}/${family === 4 ? 32 : 128}`;
}
