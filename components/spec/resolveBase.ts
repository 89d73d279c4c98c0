/** From what was written to what is meant, as far as deployments of every kind have it. See `resolve.ts`. */
import { type Cidr, parseCidr } from "./ip.ts";
import type { ClientAccess, Database, DatabaseBase, DeploymentBase, Failover, Role } from "./model.ts";
import { resolveNameServer } from "./resolvePlace.ts";
import type { WrittenBase } from "./schemaBase.ts";
import type { WrittenCatalog } from "./schemaDatabase.ts";

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

export function subnetOf({ containers }: WrittenBase): Cidr {
  const parsed = parseCidr(containers.subnet);
  return parsed?.version === 4 && parsed.size >= 256n ? parsed : standInSubnet;
}

/** `nameServer`: its kind where nobody wrote one. */
export function resolveBase(
  written: WrittenBase,
  { stack, active, failover, repair }: Beside,
  nameServer: "container" | "none",
): DeploymentBase {
  const { domain, names, certificates, containers } = written;
  return {
    name: written.name ?? stack,
    domain,
    active,
    failover,
    repair,
    names: {
      floating: names.floating ?? `db.${domain}`,
      ttlSeconds: names.ttlSeconds,
      server: resolveNameServer(names, subnetOf(written), nameServer),
    },
    certificates: {
      caValidityDays: certificates.caValidityDays,
      validityHours: certificates.validityHours,
      renewBeforeHours: certificates.renewBeforeHours,
      ownCaCertificate: certificates.ownCaCertificate,
    },
    containers: { subnet: containers.subnet, dockerHost: containers.dockerHost },
  };
}

/** `networks`: where clients are without a word from the user. */
export function resolveCatalog(
  written: WrittenCatalog,
  networks: readonly string[],
): Pick<DatabaseBase, "roles" | "databases" | "clientAccess"> {
  const roles = Object.entries(written.roles ?? { app: defaultRole }).map(([name, role]) => ({
    name,
    ...role,
  }));
  const login = roles.filter((role) => role.login).map((role) => role.name);
  const databases: Database[] = Object.entries(written.databases ?? { app: defaultDatabase }).map(
    ([name, database]) => ({ name, ...database, owner: database.owner ?? defaultOwner(name, roles, login) }),
  );
  return {
    roles,
    databases,
    // The rule E_HBA_WEAK refuses any other method before anybody else sees this.
    clientAccess:
      (written.clientAccess as readonly ClientAccess[] | undefined) ??
      defaultAccess(databases, login, networks),
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
