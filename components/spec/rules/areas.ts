/** What a rule sees of sites and regions alike: where they stand in the configuration, and the servers in them. */
import type { FenceCommand, Machine, Place, SettingValue } from "../model.ts";
import { type AnyDeployment, hostsOf } from "../regionalModel.ts";

/** A site or a region: what `active` names. */
export interface Area {
  readonly name: string;
  readonly path: string;
  readonly fenceCommand: FenceCommand | undefined;
}

/** A server of PostgreSQL. */
export interface Server {
  readonly name: string;
  /** "site site-a" or "member region-a-1", for messages. */
  readonly who: string;
  readonly path: string;
  readonly place: Place;
  readonly settings: Readonly<Record<string, SettingValue>>;
  /** Image of the user's. */
  readonly image: string | undefined;
}

/** What has a container or a machine of its own: a site's node, or a region's host. */
export interface PlacedHost {
  readonly name: string;
  /** Where it stands in the configuration. */
  readonly path: string;
  readonly place: Place;
  readonly address: string;
}

export function placedHosts(deployment: AnyDeployment): readonly PlacedHost[] {
  if ("sites" in deployment) {
    return deployment.sites.map(({ name, place, node: { address } }) => ({
      name,
      path: `deployment.sites.${name}`,
      place,
      address,
    }));
  }
  return deployment.regions.flatMap(hostsOf).map(({ name, region, role, place, address }) => ({
    name,
    path: `deployment.regions.${region}.${hostMaps[role]}.${name}`,
    place,
    address,
  }));
}

/** A region's maps of hosts, by the role of those in it. */
export const hostMaps = { member: "members", server: "consulServers", proxy: "proxies" } as const;

export interface HostOnMachine extends PlacedHost {
  readonly machine: Machine;
}

export function hostsOnMachines(deployment: AnyDeployment): readonly HostOnMachine[] {
  return placedHosts(deployment).flatMap((host) =>
    host.place.target === "machines" ? [{ ...host, machine: host.place.machine }] : [],
  );
}

/** For messages, and for the configuration's paths. */
export interface AreaWords {
  readonly one: "site" | "region";
  readonly many: "sites" | "regions";
}

export function areaWords(deployment: AnyDeployment): AreaWords {
  return "sites" in deployment ? { one: "site", many: "sites" } : { one: "region", many: "regions" };
}

export function areasOf(deployment: AnyDeployment): readonly Area[] {
  const { many } = areaWords(deployment);
  const areas = "sites" in deployment ? deployment.sites : deployment.regions;
  return areas.map(({ name, fenceCommand }) => ({ name, path: `deployment.${many}.${name}`, fenceCommand }));
}

export function serversOf(deployment: AnyDeployment): readonly Server[] {
  if ("sites" in deployment) {
    return deployment.sites.map(({ name, place, node: { settings, image } }) => ({
      name,
      who: `site ${name}`,
      path: `deployment.sites.${name}`,
      place,
      settings,
      image,
    }));
  }
  return deployment.regions.flatMap(({ name: region, members }) =>
    members.map(({ name, place, settings }) => ({
      name,
      who: `member ${name}`,
      path: `deployment.regions.${region}.members.${name}`,
      place,
      settings,
      image: undefined,
    })),
  );
}

/** For the `needs` of a rule about sites or regions. */
export const wholeAreas = ["deployment.sites", "deployment.regions"] as const;

/** For the `needs` of a rule about where sites or regions are. */
export const areaTargets = ["deployment.sites.*.target", "deployment.regions.*.target"] as const;

/** For the `needs` of a rule about each host of a region. */
export const wholeHostMaps = [
  "deployment.regions",
  ...Object.values(hostMaps).map((map) => `deployment.regions.*.${map}`),
] as const;
