/**
 * From what was written to what is meant: every default filled in, every derived value derived. It decides
 * nothing: whether the result may be deployed is for `rules/`, which read it, so it must get through any input
 * that has the right types.
 */
import { nameServerAddress, siteAddress, sitePort, slotName } from "./derive.ts";
import { type Cidr, parseAddress, parseCidr } from "./ip.ts";
import type {
  ClientAccess,
  Database,
  Deployment,
  Failover,
  Machine,
  NameServerPlace,
  Place,
  Role,
  Site,
  SshHop,
  StreamingDatabase,
} from "./model.ts";
import type { Written, WrittenSite } from "./schema.ts";
import type { WrittenHop, WrittenMachine } from "./schemaMachine.ts";

const postgresPort = 5432;

/** Stands in for a subnet that a rule refuses, so that the other rules still have addresses to look at. */
const standInSubnet: Cidr = { version: 4, base: 0x0a56_0000n, prefix: 16, size: 65_536n, aligned: true };

export function resolve(
  written: Written,
  stack: string,
  active: string,
  failover: Failover | undefined,
): Deployment {
  const parsed = parseCidr(written.containers.subnet);
  const subnet = parsed?.version === 4 && parsed.size >= 256n ? parsed : standInSubnet;
  return {
    name: written.name ?? stack,
    domain: written.domain,
    active,
    failover,
    database: resolveDatabase(written),
    sites: Object.entries(written.sites).map(([name, site]) =>
      resolveSite(name, site, subnet, written.containers.dockerHost),
    ),
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

function resolveDatabase(written: Written): StreamingDatabase {
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
      defaultAccess(databases, login, written.containers.subnet),
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
  subnet: string,
): ClientAccess[] {
  if (databases.length === 0 || login.length === 0) return [];
  return [
    {
      databases: databases.map((database) => database.name),
      roles: login,
      network: subnet,
      method: "scram-sha-256",
    },
  ];
}

function resolveSite(name: string, site: WrittenSite, subnet: Cidr, sharedEngine: string | undefined): Site {
  const place = resolvePlace(site, sharedEngine);
  const address = canonical(site.address ?? site.machine?.host) ?? siteAddress(name, subnet);
  const publishedPort =
    place.target === "machines"
      ? undefined
      : (site.publishedPort ?? (place.ownEngine ? postgresPort : sitePort(name)));
  const direct = place.target === "machines" || place.ownEngine;
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

function resolvePlace(site: WrittenSite, sharedEngine: string | undefined): Place {
  return site.target === "machines"
    ? { target: "machines", machine: resolveMachine(site.machine) }
    : {
        target: "containers",
        dockerHost: site.dockerHost ?? sharedEngine,
        ownEngine: site.dockerHost !== undefined,
      };
}

/** The rule E_MACHINE asks for one that is missing; the other rules need something to look at meanwhile. */
function resolveMachine(written: WrittenMachine | undefined): Machine {
  if (written === undefined) {
    const ssh = {
      host: "",
      port: 22,
      user: "root",
      keyFile: undefined,
      hostKey: undefined,
      knownHostsFile: "",
    };
    return {
      ssh: { ...ssh, jump: undefined },
      packageMirror: undefined,
      firewall: true,
      onDestroy: "keep",
      adopt: undefined,
    };
  }
  const { jump, packageMirror, firewall, onDestroy, adopt } = written;
  return {
    ssh: { ...resolveHop(written), jump: jump && resolveHop(jump) },
    packageMirror,
    firewall,
    onDestroy,
    adopt,
  };
}

function resolveHop({ host, port, user, keyFile, hostKey, knownHosts }: WrittenHop): SshHop {
  return { host, port, user, keyFile, hostKey, knownHostsFile: knownHosts };
}

function resolveNameServer(written: Written, subnet: Cidr): NameServerPlace {
  const { server, serverAddress, publishedPort } = written.names;
  const allOnMachines = Object.values(written.sites).every(({ target }) => target === "machines");
  switch (server?.kind ?? (allOnMachines ? "none" : "container")) {
    case "container":
      return {
        kind: "container",
        address: canonical(serverAddress) ?? nameServerAddress(subnet),
        publishedPort,
      };
    case "machine":
      return {
        kind: "machine",
        address: canonical(server?.address ?? server?.machine?.host) ?? "",
        machine: resolveMachine(server?.machine),
      };
    case "external":
      return {
        kind: "external",
        host: server?.host ?? "",
        port: server?.port ?? 53,
        keyName: server?.keyName ?? "",
      };
    case "none":
      return { kind: "none" };
  }
}

/** One spelling per address; text that is none is kept, for the rule E_ADDRESS to show. */
function canonical(address: string | undefined): string | undefined {
  return address === undefined ? undefined : (parseAddress(address)?.text ?? address);
}
