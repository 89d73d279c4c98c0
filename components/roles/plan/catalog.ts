/**
 * The roles, databases and extensions that the deployment declares: created and altered, never dropped. What it
 * no longer declares stays and is named, because it may hold data; the attributes and settings of what it
 * declares are exactly as declared.
 */

import type { Database, Role, SettingValue } from "../../spec/model.ts";
import type { DesiredCatalog } from "../desired.ts";
import type { CatalogFacts, DatabaseFacts, RoleFacts } from "../facts.ts";
import type { Notice, Step } from "../steps.ts";
import type { Contribution, Fleet } from "./fleet.ts";
import { identifier, isSet, reset, set } from "./sql.ts";

/** Where statements that belong to no database run. */
const maintenance = "postgres";

/** What is to be done on whoever takes writes. */
export type CatalogWork =
  | {
      readonly kind: "sql";
      readonly database: string;
      readonly statements: readonly string[];
      readonly summary: string;
    }
  | { readonly kind: "password"; readonly role: string };

export function catalog(fleet: Fleet): Contribution {
  const { active, desired } = fleet;
  if (active.catalog === null) return { notices: active.state === "primary" ? [unseen(active.name)] : [] };
  return {
    steps: catalogWork(desired.catalog, active.catalog).map((work): Step => ({ ...work, node: active.name })),
    notices: undeclared(desired.catalog, active.catalog),
  };
}

export function catalogWork(wish: DesiredCatalog, found: CatalogFacts): CatalogWork[] {
  return [
    ...sql(
      maintenance,
      "roles",
      wish.roles.flatMap((role) => roleStatements(role, found.roles[role.name])),
    ),
    ...sql(
      maintenance,
      "memberships",
      wish.roles.flatMap((role) => memberships(role, found)),
    ),
    ...wish.roles.filter((role) => needsPassword(role, found)).map(password),
    ...sql(
      maintenance,
      "databases",
      wish.databases.flatMap((database) => databaseStatements(database, found.databases[database.name])),
    ),
    ...wish.databases.flatMap((database) =>
      sql(database.name, "extensions", extensions(database, found.databases[database.name])),
    ),
  ];
}

export function unseen(name: string): Notice {
  return {
    code: "N_CATALOG_UNSEEN",
    message: `Roles and databases are compared when ${name} answers; what is missing of them is made then.`,
  };
}

function sql(database: string, subject: string, statements: readonly string[]): CatalogWork[] {
  if (statements.length === 0) return [];
  return [{ kind: "sql", database, statements, summary: `${subject}: ${count(statements.length)}` }];
}

function count(statements: number): string {
  return statements === 1 ? "1 statement" : `${statements} statements`;
}

function roleStatements(role: Role, found: RoleFacts | undefined): string[] {
  const name = identifier(role.name);
  const wanted = attributes(role);
  const present = found ? [...attributes(found), ...privileges(found)] : [];
  const missing = [...wanted, ...privileges({ superuser: false, replication: false })].filter(
    (attribute) => !present.includes(attribute),
  );
  const exists = found !== undefined;
  return [
    ...(exists ? [] : [`CREATE ROLE ${name} ${wanted.join(" ")}`]),
    ...(exists && missing.length > 0 ? [`ALTER ROLE ${name} ${missing.join(" ")}`] : []),
    ...settings(`ROLE ${name}`, role.settings, found?.settings ?? {}),
  ];
}

function attributes(role: Pick<Role, "login" | "createDb" | "createRole" | "connectionLimit">): string[] {
  return [
    role.login ? "LOGIN" : "NOLOGIN",
    role.createDb ? "CREATEDB" : "NOCREATEDB",
    role.createRole ? "CREATEROLE" : "NOCREATEROLE",
    `CONNECTION LIMIT ${role.connectionLimit}`,
  ];
}

/** No declared role has them; one that got them by hand loses them. */
function privileges(role: Pick<RoleFacts, "superuser" | "replication">): string[] {
  return [role.superuser ? "SUPERUSER" : "NOSUPERUSER", role.replication ? "REPLICATION" : "NOREPLICATION"];
}

function memberships(role: Role, found: CatalogFacts): string[] {
  const present = found.roles[role.name]?.memberOf ?? [];
  return role.memberOf
    .filter((group) => !present.includes(group))
    .map((group) => `GRANT ${identifier(group)} TO ${identifier(role.name)}`);
}

/** Compared on the node, with the file there: no password comes near the plan. */
function needsPassword(role: Role, found: CatalogFacts): boolean {
  return role.login && found.roles[role.name]?.passwordMatches !== true;
}

function password(role: Role): CatalogWork {
  return { kind: "password", role: role.name };
}

function databaseStatements(database: Database, found: DatabaseFacts | undefined): string[] {
  const name = identifier(database.name);
  const owner = identifier(database.owner);
  const missing = found === undefined;
  return [
    ...(missing ? [`CREATE DATABASE ${name} OWNER ${owner}`] : []),
    ...(!missing && found.owner !== database.owner ? [`ALTER DATABASE ${name} OWNER TO ${owner}`] : []),
    ...settings(`DATABASE ${name}`, database.settings, found?.settings ?? {}),
  ];
}

function extensions(database: Database, found: DatabaseFacts | undefined): string[] {
  const present = found?.extensions ?? ["plpgsql"];
  return database.extensions
    .filter((extension) => !present.includes(extension))
    .map((extension) => `CREATE EXTENSION IF NOT EXISTS ${identifier(extension)} CASCADE`);
}

function settings(
  target: string,
  wish: Readonly<Record<string, SettingValue>>,
  found: Readonly<Record<string, string>>,
): string[] {
  const stored = lowerCased(found);
  const wanted = lowerCased(wish);
  const changed = Object.entries(wanted).filter(([name, value]) => !isSet(name, stored[name], value));
  const surplus = Object.keys(stored).filter((name) => !Object.hasOwn(wanted, name));
  return [
    ...changed.sort(byName).map(([name, value]) => set(target, name, value)),
    ...surplus.sort().map((name) => reset(target, name)),
  ];
}

function lowerCased<T>(record: Readonly<Record<string, T>>): Record<string, T> {
  return Object.fromEntries(Object.entries(record).map(([name, value]) => [name.toLowerCase(), value]));
}

function byName(a: readonly [string, unknown], b: readonly [string, unknown]): number {
  return a[0] < b[0] ? -1 : 1;
}

export function undeclared(wish: DesiredCatalog, found: CatalogFacts): Notice[] {
  const roles = new Map(wish.roles.map((role) => [role.name, role]));
  const databases = new Map(wish.databases.map((database) => [database.name, database]));
  return [
    ...Object.entries(found.roles).flatMap(([name, facts]) => {
      const role = roles.get(name);
      if (role) return surplusMemberships(role, facts);
      return isOurs(name, facts) ? [] : [left("role", name)];
    }),
    ...Object.entries(found.databases).flatMap(([name, facts]) => {
      const database = databases.get(name);
      if (database) return surplusExtensions(database, facts);
      return name === maintenance || name.startsWith("template") ? [] : [left("database", name)];
    }),
  ];
}

/** Made by the node for itself (`postgres/paths.ts` has the names). */
const serviceRoles = ["replicator", "rewinder", "verifier"];

/** Roles that the node makes for itself or PostgreSQL brings; they are nobody's to declare. */
function isOurs(name: string, facts: RoleFacts): boolean {
  return facts.superuser || facts.replication || name.startsWith("pg_") || serviceRoles.includes(name);
}

function left(kind: "role" | "database", name: string): Notice {
  return {
    code: "N_UNDECLARED",
    message: `The ${kind} "${name}" exists and is not declared; it is left alone. To be rid of it: DROP ${kind.toUpperCase()} ${identifier(name)}.`,
  };
}

/** Not revoked: a role with CREATEROLE becomes a member of each role that it makes, and needs that. */
function surplusMemberships(role: Role, facts: RoleFacts): Notice[] {
  return facts.memberOf
    .filter((group) => !role.memberOf.includes(group))
    .map((group) => ({
      code: "N_UNDECLARED",
      message: `The role "${role.name}" is a member of "${group}", which is not declared. To end it: REVOKE ${identifier(group)} FROM ${identifier(role.name)}.`,
    }));
}

function surplusExtensions(database: Database, facts: DatabaseFacts): Notice[] {
  return facts.extensions
    .filter((extension) => extension !== "plpgsql" && !database.extensions.includes(extension))
    .map((extension) => ({
      code: "N_UNDECLARED",
      message: `The database "${database.name}" has the extension "${extension}", which is not declared; it is left alone. To be rid of it: DROP EXTENSION ${identifier(extension)}.`,
    }));
}
