/**
 * From what was written to what is meant: every default filled in, every derived value derived. It decides
 * nothing: whether the result may be deployed is for `rules/`, which read it, so it must get through any input
 * that has the right types.
 */
import { siteAddress, sitePort, slotName } from "./derive.ts";
import { type Cidr, parseCidr } from "./ip.ts";
import type { ClientAccess, Database, Deployment, Failover, Role, Site, StreamingDatabase } from "./model.ts";
import { canonicalAddress, onSharedNetwork, resolveNameServer, resolvePlace } from "./resolvePlace.ts";
import type { Written, WrittenSite } from "./schema.ts";

const postgresPort = 5432;

/** Stands in for a subnet that a rule refuses, so that the other rules still have addresses to look at. */
const standInSubnet: Cidr = { version: 4, base: 0x0a56_0000n, prefix: 16, size: 65_536n, aligned: true };

/** What the other configuration keys say. */
export interface Beside {
  /** The stack's name. */
  readonly stack: string;
  readonly active: string;
  readonly failover: Failover | undefined;
  readonly repair: Readonly<Record<string, string>>;
}

export function resolve(written: Written, { stack, active, failover, repair }: Beside): Deployment {
  const parsed = parseCidr(written.containers.subnet);
  const subnet = parsed?.version === 4 && parsed.size >= 256n ? parsed : standInSubnet;
  const sites = Object.entries(written.sites).map(([name, site]) =>
    resolveSite(name, site, subnet, written.containers.dockerHost),
  );
  return {
    name: written.name ?? stack,
    domain: written.domain,
    active,
    failover,
    repair,
    database: resolveDatabase(written, sites),
    sites,
    names: {
      floating: written.names.floating ?? `db.${written.domain}`,
      ttlSeconds: written.names.ttlSeconds,
      server: resolveNameServer(written, subnet),
    },
    certificates: {
      caValidityDays: written.certificates.caValidityDays,
      validityHours: written.certificates.validityHours,
      renewBeforeHours: written.certificates.renewBeforeHours,
      ownCaCertificate: written.certificates.ownCaCertificate,
    },
    containers: { subnet: written.containers.subnet, dockerHost: written.containers.dockerHost },
  };
}

function resolveDatabase(written: Written, sites: readonly Site[]): StreamingDatabase {
  const { clientAccess, roles: writtenRoles, databases: writtenDatabases, ...rest } = written.database;
  const roles = Object.entries(writtenRoles ?? { app: defaultRole }).map(([name, role]) => ({
    name,
    ...role,
  }));
  const login = roles.filter((role) => role.login).map((role) => role.name);
  const databases: Database[] = Object.entries(writtenDatabases ?? { app: defaultDatabase }).map(
    ([name, database]) => ({ name, ...database, owner: database.owner ?? defaultOwner(name, roles, login) }),
  );
  return {
    ...rest,
    roles,
    databases,
    // The rule E_HBA_WEAK refuses any other method before anybody else sees this.
    clientAccess:
      (clientAccess as readonly ClientAccess[] | undefined) ??
      defaultAccess(databases, login, defaultNetworks(sites, written.containers.subnet)),
  };
}

const defaultRole = {
  login: true,
  createDb: false,
  createRole: false,
  connectionLimit: -1,
  memberOf: [],
  settings: {},
};
const defaultDatabase = { owner: undefined, extensions: [], settings: {} };

/** Empty when nothing can be said: the rule E_OWNER_UNKNOWN asks for it. */
function defaultOwner(database: string, roles: readonly Role[], login: readonly string[]): string {
  if (roles.some((role) => role.name === database)) return database;
  return login.length === 1 ? (login[0] ?? "") : "";
}

function defaultAccess(
  databases: readonly Database[],
  login: readonly string[],
  networks: readonly string[],
): ClientAccess[] {
  if (databases.length === 0 || login.length === 0) return [];
  return networks.map((network) => ({
    databases: databases.map((database) => database.name),
    roles: login,
    network,
    method: "scram-sha-256",
  }));
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
