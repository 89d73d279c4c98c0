import { expect, test } from "vitest";
import {
  nameServerAddress,
  ordinal,
  siteAddress,
  sitePort,
  slotName,
} from "../../../components/spec/derive.ts";
import { parseCidr } from "../../../components/spec/ip.ts";
import { onlySites, parseWith, sites } from "./configuration.ts";

const subnet = parseCidr("10.86.0.0/16") ?? expect.unreachable();
const small = parseCidr("192.168.7.0/24") ?? expect.unreachable();

test.each([
  ["site-a", 1],
  ["site-z", 26],
  ["dc1", 1],
  ["site-002", 2],
  ["zone-100", 100],
  ["zone-101", undefined],
  ["site-0", undefined],
  ["paris", undefined],
  ["hosts", undefined],
  ["eu-west-1", undefined],
])("%s counts as %s", (name, number) => {
  expect(ordinal(name)).toBe(number);
});

// These values are a contract: a change of them moves the nodes of every deployment that has not set its own.
test.each([
  ["site-a", "10.86.0.11", 15_432],
  ["dc2", "10.86.0.12", 15_433],
  ["site-100", "10.86.0.110", 15_531],
  ["paris", "10.86.33.110", 16_428],
  ["eu-west-1", "10.86.208.118", 15_755],
])("%s has address %s and port %s", (name, address, port) => {
  expect([siteAddress(name, subnet), sitePort(name)]).toEqual([address, port]);
});

test("derived addresses stay off the ends, the gateway, the name server and the names that count", () => {
  const names = Array.from({ length: 5000 }, (_, index) => `town${index * 7919}`);
  for (const block of [subnet, small]) {
    for (const name of names) {
      const address = siteAddress(name, block);
      const last = Number(address.split(".")[3]);
      expect(last).toBeGreaterThan(0);
      expect(last).toBeLessThan(255);
      if (block === small) expect(last).toBeGreaterThanOrEqual(128);
    }
  }
  expect(nameServerAddress(small)).toBe("192.168.7.2");
});

test("the hash spreads: 100 towns share no address more often than chance has it", () => {
  const names = Array.from({ length: 100 }, (_, index) => `town${index}`);
  expect(new Set(names.map((name) => siteAddress(name, subnet))).size).toBeGreaterThanOrEqual(98);
});

test("adding, removing and reordering sites moves no other site", () => {
  const names = ["site-a", "site-b", "paris", "lyon", "dc9", "eu-west-1", "us-east-1"];
  const placed = (chosen: readonly string[]) => {
    const parsed = parseWith({ active: chosen[0], deployment: { sites: onlySites(...chosen) } });
    if (!parsed.ok) expect.unreachable(JSON.stringify(parsed.problems));
    return new Map(parsed.ok ? parsed.deployment.sites.map(({ name, node }) => [name, node]) : []);
  };
  const all = placed(names);
  for (let mask = 1; mask < 1 << names.length; mask++) {
    const chosen = names.filter((_, index) => mask & (1 << index));
    if (chosen.length < 2) continue;
    if (mask % 2 === 0) chosen.reverse();
    for (const [name, node] of placed(chosen)) expect(node).toEqual(all.get(name));
  }
});

test("sites stay in the order in which they were written", () => {
  const parsed = parseWith({ active: "z", deployment: { sites: onlySites("z", "m", "a") } });
  expect(parsed.ok && parsed.deployment.sites.map(({ name }) => name)).toEqual(["z", "m", "a"]);
  expect(Object.keys(sites("b", "a"))).toEqual(["b", "a"]);
});

test("slots have names that PostgreSQL takes", () => {
  expect(slotName("Site-A.x")).toBe("site_a_x");
  expect(slotName("s".repeat(70))).toHaveLength(63);
});
