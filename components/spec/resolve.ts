/**
 * From what was written to what is meant: every default filled in, every derived value derived. It decides
 * nothing: whether the result may be deployed is for `rules/`, which read it, so it must get through any input
 * that has the right types.
 */
import { siteAddress, sitePort, slotName } from "./derive.ts";
import type { Cidr } from "./ip.ts";
import type { Deployment, Site, StreamingDatabase } from "./model.ts";
import { type Beside, resolveBase, resolveCatalog, subnetOf } from "./resolveBase.ts";
import { canonicalAddress, onSharedNetwork, resolvePlace } from "./resolvePlace.ts";
import type { Written, WrittenSite } from "./schema.ts";

const postgresPort = 5432;

export function resolve(written: Written, beside: Beside): Deployment {
  const subnet = subnetOf(written);
  const sites = Object.entries(written.sites).map(([name, site]) =>
    resolveSite(name, site, subnet, written.containers.dockerHost),
  );
  const allOnMachines = Object.values(written.sites).every(({ target }) => target === "machines");
  return {
    ...resolveBase(written, beside, allOnMachines ? "none" : "container"),
    database: resolveDatabase(written, sites),
    sites,
  };
}

function resolveDatabase({ database, containers }: Written, sites: readonly Site[]): StreamingDatabase {
  return { ...database, ...resolveCatalog(database, defaultNetworks(sites, containers.subnet)) };
}

/** Where clients are without a word from the user: on the containers' network, and on the nodes' own machines. */
function defaultNetworks(sites: readonly Site[], subnet: string): string[] {
  const inContainers = sites.some(({ place }) => place.target === "containers");
  const apart = sites.filter(({ place }) => !onSharedNetwork(place)).map(({ node }) => `${node.address}/32`);
  return [...(inContainers || sites.length === 0 ? [subnet] : []), ...apart];
}

function resolveSite(name: string, site: WrittenSite, subnet: Cidr, sharedEngine: string | undefined): Site {
  const place = resolvePlace(site, sharedEngine);
  const address = canonicalAddress(site.address ?? site.machine?.host) ?? siteAddress(name, subnet);
  const publishedPort =
    place.target === "machines"
      ? undefined
      : (site.publishedPort ?? (place.ownEngine ? postgresPort : sitePort(name)));
  const direct = !onSharedNetwork(place);
  return {
    name,
    place,
    fenceCommand: site.fenceCommand,
    node: {
      name,
      site: name,
      address,
      port: direct ? (publishedPort ?? postgresPort) : postgresPort,
      client: {
        host: direct ? address : "127.0.0.1",
        port: publishedPort ?? postgresPort,
      },
      publishedPort,
      slot: slotName(name),
      memoryMiB: site.memoryMiB,
      image: site.image,
      settings: site.settings,
    },
  };
}
