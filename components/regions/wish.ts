/** What is looked up in the wish again and again. Pure. */
import type { DesiredHost, DesiredMember, DesiredProxy, DesiredRegion, RegionsDesired } from "./desired.ts";

export function allHosts({ regions }: Pick<RegionsDesired, "regions">): DesiredHost[] {
  return regions.flatMap(({ servers, members, proxies }) => [...servers, ...members, ...proxies]);
}

export function regionNamed({ regions }: Pick<RegionsDesired, "regions">, name: string): DesiredRegion {
  const region = regions.find((candidate) => candidate.name === name);
  if (!region) throw new Error(`internal: there is no region ${name} in the wish`);
  return region;
}

/** The region that the host is in. */
export function regionOfHost({ regions }: Pick<RegionsDesired, "regions">, host: string): DesiredRegion {
  const region = regions.find((candidate) =>
    allHosts({ regions: [candidate] }).some(({ name }) => name === host),
  );
  if (!region) throw new Error(`internal: there is no host ${host} in the wish`);
  return region;
}

export function membersOf(desired: RegionsDesired, region: string): readonly DesiredMember[] {
  return regionNamed(desired, region).members;
}

/** Where a client finds whoever takes writes. `floating`: by the name that moves, else by the proxy's own. */
export function writeTarget({ clientName, address, writePort }: DesiredProxy, floating: string | undefined) {
  return { name: floating ?? clientName, address, port: writePort };
}

/** What the region has in Consul while it follows the other one. */
export function standbyClusterOf(
  desired: RegionsDesired,
  region: string,
  of: string,
): Readonly<Record<string, unknown>> {
  const config = regionNamed(desired, region).standbyClusterOf[of];
  if (!config) throw new Error(`internal: the wish does not say how ${region} follows ${of}`);
  return config;
}
