/** Where regions are: what belongs to which target. */
import { hostMaps } from "../../rules/areas.ts";
import type { Finding } from "../../rules/rule.ts";
import type { WrittenRegion } from "../schema.ts";
import { type RegionalRule, regionPath } from "./shared.ts";

const forMachines = "is for `target: machines`; take it out, or write that target";
const forContainers = "is for `target: containers`; take it out; clients reach the proxy at its address";
const missing = "is missing; `target: machines` needs at least `machine: { host: … }` of every host";
const publishing = ["publishedWritePort", "publishedReadPort", "publishedPooledPort"] as const;

/** A field that is for the other target, or one that this target needs. */
const targetFields: RegionalRule = {
  code: "E_MACHINE",
  needs: ["deployment.regions.*.target"],
  check: (_deployment, { written }) =>
    Object.entries(written.regions).flatMap(([name, region]) => {
      const at = regionPath(name);
      return region.target === "machines" ? onMachines(at, region) : inContainers(at, region);
    }),
};

function inContainers(at: string, region: WrittenRegion): Finding[] {
  const paths = [
    ...(region.machine === undefined ? [] : [`${at}.machine`]),
    ...hostsOf(region).flatMap(({ path, host }) =>
      host.machine === undefined ? [] : [`${at}.${path}.machine`],
    ),
  ];
  return paths.map((path) => ({ path, message: forMachines }));
}

function onMachines(at: string, region: WrittenRegion): Finding[] {
  const without = hostsOf(region).filter(({ host }) => host.machine === undefined);
  const proxies = Object.entries(region.proxies ?? {}).flatMap(([name, proxy]) =>
    publishing.filter((key) => proxy[key] !== undefined).map((key) => `proxies.${name}.${key}`),
  );
  return [
    ...without.map(({ path }) => ({ path: `${at}.${path}.machine`, message: missing })),
    ...proxies.map((path) => ({ path: `${at}.${path}`, message: forContainers })),
  ];
}

function hostsOf(region: WrittenRegion) {
  return Object.values(hostMaps).flatMap((map) =>
    Object.entries(region[map] ?? {}).map(([name, host]) => ({ path: `${map}.${name}`, host })),
  );
}

export const regionMachineRules: readonly RegionalRule[] = [targetFields];
