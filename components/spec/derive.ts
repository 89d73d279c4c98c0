/**
 * Values that follow from a name. Each depends on nothing but the name (and the subnet), never on the order of
 * the sites or on the others, so that adding a site, or sorting the file, moves nothing that runs.
 *
 * Plain names (`site-a`, `dc2`) count: they get small, readable numbers. Any other name is hashed into a range
 * above those. Two names that land on one value are refused with what to set; they are never shifted.
 */
import { type Cidr, ipv4 } from "./ip.ts";

const plainName = /^(?:site|dc|node|region|zone|az|host|db|pg)(?:-([a-z])|-?0*([1-9]\d{0,2}))$/;
const plainNames = 100;

/** `site-a` → 1, `dc2` → 2; undefined for a name that does not count. */
export function ordinal(name: string): number | undefined {
  const match = plainName.exec(name);
  if (!match) return undefined;
  const number = match[1] ? match[1].charCodeAt(0) - 96 : Number(match[2]);
  return number <= plainNames ? number : undefined;
}

/** FNV-1a with a final mix, 32 bits. It is part of the contract: another hash would move every derived address. */
export function stableHash(text: string): number {
  let hash = 0x811c9dc5;
  for (const byte of Buffer.from(text, "utf8")) hash = Math.imul(hash ^ byte, 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  return (hash ^ (hash >>> 13)) >>> 0;
}

const firstOrdinalHost = 10n;
const firstHashedHost = 128n;

/** Host numbers: 1 the gateway, 2 the name server, 11 to 110 names that count, 128 and up the others. */
export function siteAddress(name: string, subnet: Cidr): string {
  const number = ordinal(name);
  if (number !== undefined) return ipv4(subnet.base + firstOrdinalHost + BigInt(number)).text;
  const room = subnet.size - 1n - firstHashedHost;
  const host = firstHashedHost + (BigInt(stableHash(name)) % room);
  const address = subnet.base + host;
  // x.y.z.0 and x.y.z.255 are legal here and yet refused by enough tools to be avoided.
  const last = address & 255n;
  return ipv4(last === 0n ? address + 1n : last === 255n ? address - 1n : address).text;
}

export function gatewayAddress(subnet: Cidr): string {
  return ipv4(subnet.base + 1n).text;
}

export function nameServerAddress(subnet: Cidr): string {
  return ipv4(subnet.base + 2n).text;
}

/** 15432 and up for names that count, 15600 to 16499 for the others. */
export function sitePort(name: string): number {
  const number = ordinal(name);
  return number === undefined ? 15_600 + (stableHash(name) % 900) : 15_431 + number;
}

/** PostgreSQL allows lower-case letters, digits and underscores in a slot's name, and 63 of them. */
export function slotName(node: string): string {
  return node
    .toLowerCase()
    .replace(/[^a-z0-9_]/g, "_")
    .slice(0, 63);
}
