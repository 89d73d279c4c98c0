/**
 * Values of a region that follow from names, as in `../derive.ts`: each depends on the host's name, its region's and
 * the subnet, never on how many others there are.
 *
 * A region has a /24 of its own: its ordinal is the block's number, another name is hashed into the blocks above.
 * Block 0 is the name server's. Inside it hosts that end in a number count up from their role's first address; the
 * others are hashed above all of those.
 */
import { ordinal, sitePort, stableHash } from "../derive.ts";
import { type Cidr, ipv4 } from "../ip.ts";
import type { RegionalHost } from "../regionalModel.ts";

export type HostRole = "member" | "server" | "proxy";

const block = 256n;
/** The fewest addresses that have room for regions by name: a /20. */
export const leastSubnetSize = 16n * block;

export function regionBlock(region: string, subnet: Cidr): bigint {
  const blocks = Number(subnet.size / block);
  const firstHashed = Math.max(1, Math.min(101, Math.floor(blocks / 2)));
  const number = ordinal(region);
  const index =
    number !== undefined && number < firstHashed
      ? number
      : firstHashed + (stableHash(region) % Math.max(1, blocks - firstHashed));
  return subnet.base + BigInt(index) * block;
}

/** Host numbers by role: the first, and how many count. */
const counted: Readonly<Record<HostRole, readonly [first: number, count: number]>> = {
  member: [11, 20],
  server: [31, 20],
  proxy: [51, 70],
};
const firstHashedHost = 128;
const hashedHosts = 123;

export function hostAddress(
  { name, region }: Pick<RegionalHost, "name" | "region">,
  role: HostRole,
  subnet: Cidr,
): string {
  const [first, count] = counted[role];
  const number = hostNumber(name, region);
  const host =
    number !== undefined && number <= count
      ? first + number - 1
      : firstHashedHost + (stableHash(name) % hashedHosts);
  return ipv4(regionBlock(region, subnet) + BigInt(host)).text;
}

/** `region-a-2` → 2; the proxy without a number is the first. */
function hostNumber(name: string, region: string): number | undefined {
  if (name === defaultProxy(region)) return 1;
  const digits = /-0*([1-9]\d{0,2})$/.exec(name)?.[1];
  return digits === undefined ? undefined : Number(digits);
}

export const defaultMembers = (region: string) => [1, 2, 3].map((number) => `${region}-${number}`);
export const defaultServers = (region: string) => [1, 2, 3].map((number) => `${region}-consul-${number}`);
export const defaultProxy = (region: string) => `${region}-proxy`;

const apart = 1000;
const pooledApart = 500;

/** The write port of a region's first proxy is the port that a site of this name would have; its read port 1000 above, that of pooled clients 500. */
export function proxyPorts({ name, region }: Pick<RegionalHost, "name" | "region">) {
  const write = sitePort(region) + 2 * apart * (Math.min(hostNumber(name, region) ?? 1, 20) - 1);
  return { write, read: write + apart, pooled: write + pooledApart };
}
