/** Addresses as numbers, so that two spellings of one address are one address. */

export interface Cidr {
  readonly version: 4 | 6;
  readonly base: bigint;
  readonly prefix: number;
  readonly size: bigint;
  /** False when the block is written with host bits, such as 10.86.1.0/16. */
  readonly aligned: boolean;
}

export interface Address {
  readonly version: 4 | 6;
  readonly value: bigint;
  /** The one spelling that this package writes. */
  readonly text: string;
}

/** Reads IPv4 (leading zeros are decimal, as people mean them), IPv6, and IPv4 inside IPv6, which is IPv4. */
export function parseAddress(text: string): Address | undefined {
  return text.includes(":") ? parseIpv6(text) : parseIpv4(text);
}

function parseIpv4(text: string): Address | undefined {
  if (!/^\d{1,4}(\.\d{1,4}){3}$/.test(text)) return undefined;
  const octets = text.split(".").map(Number);
  if (octets.some((octet) => octet > 255)) return undefined;
  return ipv4(octets.reduce((sum, octet) => sum * 256n + BigInt(octet), 0n));
}

export function ipv4(value: bigint): Address {
  const text = [24n, 16n, 8n, 0n].map((shift) => String((value >> shift) & 255n)).join(".");
  return { version: 4, value, text };
}

function parseIpv6(text: string): Address | undefined {
  const tail = /^(.*:)(\d+\.\d+\.\d+\.\d+)$/.exec(text);
  let plain = text.toLowerCase();
  if (tail) {
    const embedded = parseIpv4(tail[2] ?? "");
    if (!embedded) return undefined;
    const words = [(embedded.value >> 16n).toString(16), (embedded.value & 0xffffn).toString(16)];
    plain = `${tail[1]}${words.join(":")}`.toLowerCase();
  }
  const halves = plain.split("::");
  if (halves.length > 2) return undefined;
  const [head = [], rest = []] = halves.map((half) => (half === "" ? [] : half.split(":")));
  const missing = 8 - head.length - rest.length;
  if (halves.length === 2 ? missing < 1 : missing !== 0) return undefined;
  const words = [...head, ...Array<string>(missing).fill("0"), ...rest];
  if (!words.every((word) => /^[0-9a-f]{1,4}$/.test(word))) return undefined;
  const value = words.reduce((sum, word) => sum * 65_536n + BigInt(`0x${word}`), 0n);
  if (value >> 32n === 0xffffn) return ipv4(value & 0xffff_ffffn);
  return { version: 6, value, text: words.map((word) => Number.parseInt(word, 16).toString(16)).join(":") };
}

export function parseCidr(text: string): Cidr | undefined {
  const [host = "", bits = "", ...more] = text.split("/");
  const address = parseAddress(host);
  if (!address || more.length > 0 || !/^\d{1,3}$/.test(bits)) return undefined;
  const width = address.version === 4 ? 32 : 128;
  const prefix = Number(bits);
  if (prefix > width) return undefined;
  const size = 1n << BigInt(width - prefix);
  const base = (address.value / size) * size;
  return { version: address.version, base, prefix, size, aligned: base === address.value };
}

export function contains(block: Cidr, address: Address): boolean {
  return (
    block.version === address.version &&
    address.value >= block.base &&
    address.value < block.base + block.size
  );
}

export function covers(outer: Cidr, inner: Cidr): boolean {
  return (
    outer.version === inner.version &&
    inner.base >= outer.base &&
    inner.base + inner.size <= outer.base + outer.size
  );
}
