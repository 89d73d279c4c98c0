import { expect, test } from "vitest";
import { parseCidr } from "../../../../components/spec/ip.ts";
import {
  hostAddress,
  leastSubnetSize,
  proxyPorts,
  regionBlock,
} from "../../../../components/spec/regional/derive.ts";
import { hostsOf } from "../../../../components/spec/regionalModel.ts";
import { accepted, hosts, parseRegionalWith } from "./configuration.ts";

const subnet = parseCidr("10.86.0.0/16") ?? expect.unreachable();
const smallest = parseCidr("172.20.16.0/20") ?? expect.unreachable();

// These values are a contract: a change of them moves the hosts of every deployment that has not set its own.
test.each([
  ["region-a", "region-a-1", "member", "10.86.1.11"],
  ["region-a", "region-a-20", "member", "10.86.1.30"],
  ["region-a", "region-a-consul-5", "server", "10.86.1.35"],
  ["region-a", "region-a-proxy", "proxy", "10.86.1.51"],
  ["region-b", "region-b-proxy-2", "proxy", "10.86.2.52"],
  ["region-3", "region-3-1", "member", "10.86.3.11"],
  ["region-a", "region-a-21", "member", "10.86.1.150"],
  ["paris", "paris-1", "member", "10.86.219.11"],
  ["paris", "louvre", "member", "10.86.219.250"],
] as const)("in %s %s, a %s, has the address %s", (region, name, role, address) => {
  expect(hostAddress({ name, region }, role, subnet)).toBe(address);
});

test.each([
  ["region-a", "region-a-proxy", 15_432],
  ["region-b", "region-b-proxy", 15_433],
  ["region-a", "region-a-proxy-2", 17_432],
  ["paris", "paris-proxy", 16_428],
])(
  "in %s %s is published on %i, 1000 above for reads, 500 above for pooled clients",
  (region, name, write) => {
    expect(proxyPorts({ name, region })).toEqual({ write, read: write + 1000, pooled: write + 500 });
  },
);

test("regions stay inside the subnet and off the name server's block", () => {
  expect(smallest.size).toBe(leastSubnetSize);
  const names = Array.from({ length: 3000 }, (_, index) => `town${index * 7919}`);
  const counting = Array.from({ length: 100 }, (_, index) => `region-${index + 1}`);
  for (const block of [subnet, smallest]) {
    for (const region of [...names, ...counting]) {
      const offset = regionBlock(region, block) - block.base;
      expect(offset).toBeGreaterThan(0n);
      expect(offset).toBeLessThan(block.size);
    }
  }
  const blocks = counting.map((region) => regionBlock(region, subnet));
  expect(new Set(blocks).size).toBe(counting.length);
});

test("hosts have addresses that others of their region by number do not have", () => {
  for (let index = 0; index < 2000; index++) {
    const last = Number(
      hostAddress({ name: `host${index}x`, region: "region-a" }, "member", subnet).split(".")[3],
    );
    expect(last).toBeGreaterThanOrEqual(128);
    expect(last).toBeLessThanOrEqual(250);
  }
});

const placed = (regions: readonly string[], members: readonly string[]) => {
  const deployment = {
    regions: {
      "region-a": undefined,
      "region-b": undefined,
      ...Object.fromEntries(
        regions.map((name) => [
          name,
          { target: "containers", members: hosts(...members.map((member) => `${name}-${member}`)) },
        ]),
      ),
    },
  };
  return accepted({ active: regions[0], deployment }).regions.flatMap((region) => hostsOf(region));
};

/** Every subset and order: what a host gets depends on nobody else. */
test("nothing that is derived moves when a region or a member is added, or the file is sorted", () => {
  const regions = ["region-a", "region-b", "paris", "dc9"];
  const members = ["1", "2", "x", "7"];
  const all = new Map(placed(regions, members).map((host) => [host.name, host]));
  expect(all.size).toBe(4 * (4 + 3 + 1));
  const subsets = <T>(items: readonly T[], least: number) =>
    Array.from({ length: 1 << items.length }, (_, mask) => items.filter((_item, n) => mask & (1 << n)))
      .filter(({ length }) => length >= least)
      .map((subset, index) => (index % 2 === 0 ? subset : subset.reverse()));
  for (const someRegions of subsets(regions, 1)) {
    for (const someMembers of subsets(members, 2)) {
      for (const host of placed(someRegions, someMembers)) expect(host).toEqual(all.get(host.name));
    }
  }
});

test("regions and hosts stay in the order in which they were written", () => {
  const parsed = parseRegionalWith({
    active: "z",
    deployment: {
      regions: {
        "region-a": undefined,
        "region-b": undefined,
        z: { target: "containers", members: hosts("z-2", "z-3", "z-1") },
        a: { target: "containers" },
      },
    },
  });
  expect(parsed.ok && parsed.deployment.regions.map(({ name }) => name)).toEqual(["z", "a"]);
  expect(parsed.ok && parsed.deployment.regions[0]?.members.map(({ name }) => name)).toEqual([
    "z-2",
    "z-3",
    "z-1",
  ]);
});
