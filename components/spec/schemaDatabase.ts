/** What a user may write under `deployment.database`. */
import { z } from "zod";
import { field } from "./field.ts";

export const settingValue = z.union([z.string(), z.number(), z.boolean()]);
export const settings = z.record(z.string(), settingValue);

export const clientAccess = z.strictObject({
  databases: field(z.array(z.string()).min(1), {
    description: "Databases that may be reached: names, `all`, `sameuser` or `samerole`.",
    effect: "reload",
  }),
  roles: field(z.array(z.string()).min(1), {
    description: "Roles that may log in: names, `+group` for the members of a group, or `all`.",
    effect: "reload",
  }),
  network: field(z.string(), {
    description: "Network that clients come from, as a CIDR block.",
    effect: "reload",
  }),
  method: field(z.string().default("scram-sha-256"), {
    description:
      "`scram-sha-256` (password), or `cert` (a client certificate of the deployment's CA whose common name is the role). Every rule is `hostssl`; nothing weaker is accepted.",
    effect: "reload",
    source: "PostgreSQL 20.1",
  }),
});

export const role = z.strictObject({
  login: field(z.boolean().default(true), {
    description: "May log in. A login role gets a generated password, kept as a secret.",
    effect: "reload",
  }),
  createDb: field(z.boolean().default(false), { description: "May create databases.", effect: "reload" }),
  createRole: field(z.boolean().default(false), { description: "May create roles.", effect: "reload" }),
  connectionLimit: field(z.int().min(-1).default(-1), {
    description: "Connections that the role may have at once; -1: no limit.",
    effect: "reload",
    unit: "connections",
  }),
  memberOf: field(z.array(z.string()).default([]), {
    description: "Roles that it is a member of: declared ones, or PostgreSQL's own such as `pg_monitor`.",
    effect: "reload",
  }),
  settings: field(settings.default({}), {
    description: "Settings for sessions of this role (`ALTER ROLE … SET`).",
    effect: "reload",
  }),
});

export const database = z.strictObject({
  owner: field(z.string().optional(), {
    description: "Role that owns it.",
    effect: "reload",
    derived: "the role of the same name, or the only login role",
  }),
  extensions: field(z.array(z.string()).default([]), {
    description: "Extensions created in it. One that is no longer listed is reported, not dropped.",
    effect: "reload",
  }),
  settings: field(settings.default({}), {
    description: "Settings for sessions in this database (`ALTER DATABASE … SET`).",
    effect: "reload",
  }),
});

/** Whichever kind the database is of. */
export const databaseBase = {
  settings: field(settings.default({}), {
    description:
      "Any settings of postgresql.conf, over our defaults. One that the deployment owns is refused with the reason.",
    effect: "restart",
    source: "PostgreSQL 19",
  }),
  clientAccess: field(z.array(clientAccess).min(1).optional(), {
    description:
      "Who may connect from where, in the order of pg_hba.conf; rules for replication come before and a final reject after. Clients on the Docker host arrive with the gateway's address, which is inside the subnet. The firewall of a machine follows.",
    effect: "reload",
    derived:
      "the declared databases and login roles, by password, from `containers.subnet` where a site or region is in containers, and from the nodes that are not on that network; with such nodes, a warning asks for your clients' networks",
  }),
  roles: field(z.record(z.string(), role).optional(), {
    description: "Roles by name. One that is no longer declared is reported, not dropped.",
    effect: "reload",
    derived: "one login role, `app`",
  }),
  databases: field(z.record(z.string(), database).optional(), {
    description: "Databases by name. One that is no longer declared is reported, not dropped.",
    effect: "reload",
    derived: "one database, `app`",
  }),
  slotWalKeepMiB: field(z.int().default(1024), {
    description:
      "WAL kept for an absent standby. Beyond it the standby must be rebuilt; without a limit the active site's disk would fill (`max_slot_wal_keep_size`).",
    effect: "reload",
    unit: "MiB",
    source: "PostgreSQL 19.6.1",
  }),
  stepTimeoutSeconds: field(z.int().min(5).max(3600).default(60), {
    description: "Longest time for one stop, start or promotion before the step is given up.",
    effect: "none",
    unit: "s",
  }),
} as const;

/** Each has a schema of its own; the kind is looked at before the schema is chosen. */
export const databaseKinds = ["streaming", "patroni"] as const;

export const streamingDatabase = z.strictObject({
  kind: field(z.enum(["streaming"]), {
    description:
      "How it is replicated. `streaming`: one server at each site, one of them primary; the operator fails over. `patroni`: regions, which fail over by themselves inside; see there.",
    effect: "destroys data",
  }),
  version: field(z.int().default(17), {
    description:
      "PostgreSQL's major version, 16 to 18. 17 is in the image that we build; another one needs `image` at every site in containers, and packages on machines. A data directory of another major version is refused, not upgraded.",
    effect: "replace",
  }),
  synchronous: field(z.enum(["strict", "available", "off"]).default("strict"), {
    description:
      "How far an acknowledged commit has travelled. `strict`: it is on disk on two sites, and commits wait while no standby is there. `available`: the same until a standby has been missing for `degradeAfterSeconds`; then commits stop waiting, and the deployment says so until it has resynchronised. `off`: it is on the active site alone.",
    effect: "reload",
    source: "PostgreSQL 26.2.8",
  }),
  degradeAfterSeconds: field(z.int().min(1).max(86_400).default(30), {
    description: "With `synchronous: available`: how long commits wait for a missing standby.",
    effect: "none",
    unit: "s",
  }),
  standbyReads: field(z.boolean().default(true), {
    description:
      "Clients may log in on a standby and read there. `false` turns them away (what `hot_standby = off` is used for), while the standby can still be observed and its position compared before a promotion.",
    effect: "reload",
  }),
  settings: databaseBase.settings,
  clientAccess: databaseBase.clientAccess,
  roles: databaseBase.roles,
  databases: databaseBase.databases,
  slotWalKeepMiB: databaseBase.slotWalKeepMiB,
  stepTimeoutSeconds: databaseBase.stepTimeoutSeconds,
});

export interface WrittenCatalog {
  readonly clientAccess?: readonly z.output<typeof clientAccess>[] | undefined;
  readonly roles?: Readonly<Record<string, z.output<typeof role>>> | undefined;
  readonly databases?: Readonly<Record<string, z.output<typeof database>>> | undefined;
}
