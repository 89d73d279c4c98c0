/** Whose names become host names: sites, regions, and the hosts of regions. */

import type { AnyDeployment } from "../regionalModel.ts";
import { areasOf, areaWords } from "./areas.ts";

/** Who has a record in the zone by its name, a host name therefore. */
export interface RecordOwner {
  readonly name: string;
  readonly what: "site" | "region" | "member" | "Consul server" | "proxy";
  readonly path: string;
  /** Of a host. */
  readonly region?: string;
}

export function recordOwners(deployment: AnyDeployment): readonly RecordOwner[] {
  const { one } = areaWords(deployment);
  const areas = areasOf(deployment).map(({ name, path }): RecordOwner => ({ name, path, what: one }));
  if ("sites" in deployment) return areas;
  const hosts = deployment.regions.flatMap(({ name: region, members, servers, proxies }) => {
    const owner =
      (what: RecordOwner["what"], key: string) =>
      ({ name }: { readonly name: string }): RecordOwner => ({
        name,
        what,
        region,
        path: `deployment.regions.${region}.${key}.${name}`,
      });
    return [
      ...members.map(owner("member", "members")),
      ...servers.map(owner("Consul server", "consulServers")),
      ...proxies.map(owner("proxy", "proxies")),
    ];
  });
  return [...areas, ...hosts];
}
