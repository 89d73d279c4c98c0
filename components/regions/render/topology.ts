/** Who there is, as the renderers ask for it. */
import { slotName } from "../../spec/derive.ts";
import {
  hostsOf,
  type Member,
  type Proxy as ProxyHost,
  type Region,
  type RegionalDeployment,
} from "../../spec/regionalModel.ts";
import type { AnyHost } from "./programs.ts";

export function regionOf({ regions }: RegionalDeployment, name: string): Region {
  const region = regions.find((candidate) => candidate.name === name);
  if (region === undefined) throw new Error(`internal: region ${name} passed validation`);
  return region;
}

export function othersThan({ regions }: RegionalDeployment, { name }: Region): readonly Region[] {
  return regions.filter((region) => region.name !== name);
}

/** Of all regions. */
export function membersOf({ regions }: RegionalDeployment): readonly Member[] {
  return regions.flatMap(({ members }) => members);
}

/** Of all regions. */
export function proxiesOf({ regions }: RegionalDeployment): readonly ProxyHost[] {
  return regions.flatMap(({ proxies }) => proxies);
}

export function allHosts({ regions }: RegionalDeployment): readonly AnyHost[] {
  return regions.flatMap(hostsOf);
}

/** The permanent slot of a standby region, on whichever member leads the active one. */
export function regionSlot({ name }: Region): string {
  return slotName(name);
}
