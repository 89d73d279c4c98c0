/** What the rules about regions have in common. */
import {
  type ConsulServerHost,
  hostsOf,
  type Member,
  type Proxy as ProxyHost,
  type RegionalDeployment,
} from "../../regionalModel.ts";
import { hostMaps } from "../../rules/areas.ts";
import type { Rule } from "../../rules/rule.ts";
import type { WrittenRegional } from "../schema.ts";

export type RegionalRule = Rule<RegionalDeployment, WrittenRegional>;

export const regionPath = (name: string) => `deployment.regions.${name}`;

export interface HostAt {
  readonly name: string;
  readonly path: string;
  readonly host: Member | ConsulServerHost | ProxyHost;
}

export function hostsAt({ regions }: RegionalDeployment): readonly HostAt[] {
  return regions.flatMap((region) =>
    hostsOf(region).map((host) => ({
      name: host.name,
      path: `${regionPath(region.name)}.${hostMaps[host.role]}.${host.name}`,
      host,
    })),
  );
}

export function membersAt(deployment: RegionalDeployment): readonly HostAt[] {
  return hostsAt(deployment).filter(({ host }) => host.role === "member");
}

/** As the user wrote it; undefined: it is derived. */
export function writtenAddress(at: HostAt, written: WrittenRegional): string | undefined {
  return writtenHost(at, written)?.address;
}

export function writtenHost({ host }: HostAt, { regions }: WrittenRegional) {
  return regions[host.region]?.[hostMaps[host.role]]?.[host.name];
}
