/**
 * Rules of nftables for the ports of one unit. Pure.
 *
 * The table is ours alone and its chains accept what they say nothing about, so that no mistake in it can lock anybody
 * out of the machine. Of TCP, attempts to connect are judged and not what belongs to a connection: a list of addresses
 * that becomes shorter cuts nobody off, and the machine needs no connection tracking for it.
 */
import { isIPv6 } from "node:net";
import type { Listener, Program } from "../host.ts";

export const FIREWALL_DIRECTORY = "/etc/understudy-firewall";
export const FIREWALL_UNIT = "understudy-firewall.service";
export const TABLE = "inet understudy";

export function chainFile(program: Program): string {
  return `${FIREWALL_DIRECTORY}/${program}.chain`;
}

const header = "# Rendered by Understudy; edits are overwritten.";

/** One chain for each unit on the machine, in a file of its own. */
export function chain(program: Program, listens: readonly Listener[]): string {
  const rules = [...listens]
    .sort((a, b) => a.port - b.port || a.protocol.localeCompare(b.protocol))
    .flatMap(port);
  return [
    header,
    `chain ${program} {`,
    "\ttype filter hook input priority filter; policy accept;",
    '\tiifname "lo" accept',
    ...rules.map((rule) => `\t${rule}`),
    "}",
    "",
  ].join("\n");
}

/** All chains at once: nft takes a file as one transaction, so there is no moment without rules or with half of them. */
export function table(): string {
  return [
    header,
    `table ${TABLE}`,
    `delete table ${TABLE}`,
    `table ${TABLE} {`,
    `\tinclude "${FIREWALL_DIRECTORY}/*.chain"`,
    "}",
    "",
  ].join("\n");
}

function port({ port, protocol, from }: Listener): string[] {
  const of = `${protocol} dport ${port}`;
  const everybody = ["0.0.0.0/0", "::/0"];
  if (everybody.every((network) => from.includes(network))) return [];
  return [
    ...(protocol === "tcp" ? [`${of} tcp flags & (fin | syn | rst | ack) != syn accept`] : []),
    ...[...new Set(from)].sort().map((network) => `${of} ${source(network)} accept`),
    `${of} counter drop`,
  ];
}

function source(network: string): string {
  const family = isIPv6(network.split("/")[0] ?? "") ? "ip6" : "ip";
  if (network.endsWith("/0")) return `meta nfproto ${family === "ip" ? "ipv4" : "ipv6"}`;
  return `${family} saddr ${network}`;
}

/**
 * Loads the table at boot, and again when nftables.service is restarted or reloaded, which empties everything. `nft -f` by
 * hand, and a first start of nftables.service, are not noticed by systemd: they show as drift.
 */
export function firewallUnit(units: readonly string[]): string {
  const load = `/usr/sbin/nft --file ${FIREWALL_DIRECTORY}/table.nft`;
  return [
    header,
    "[Unit]",
    "Description=Understudy: who may connect to the deployment's ports",
    "After=nftables.service",
    "PartOf=nftables.service",
    "ReloadPropagatedFrom=nftables.service",
    `Before=${units.join(" ")}`,
    "",
    "[Service]",
    "Type=oneshot",
    "RemainAfterExit=yes",
    `ExecStart=${load}`,
    `ExecReload=${load}`,
    `ExecStop=-/usr/sbin/nft delete table ${TABLE}`,
    "ProtectSystem=strict",
    "ProtectHome=yes",
    "PrivateTmp=yes",
    "NoNewPrivileges=yes",
    "CapabilityBoundingSet=CAP_NET_ADMIN",
    "",
    "[Install]",
    "WantedBy=multi-user.target nftables.service",
    "",
  ].join("\n");
}
