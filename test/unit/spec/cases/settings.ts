/** Rules about PostgreSQL's settings, durability, replication and retention. */
import type { RuleCase } from "../ruleCase.ts";

type Fields = Record<string, unknown>;
const database = (fields: Fields) => ({ deployment: { database: fields } });
const settings = (fields: Fields) => database({ settings: fields });
const role = (fields: Fields) => database({ roles: { app: { settings: fields } }, databases: { app: {} } });
const at = (name: string) => `deployment.database.settings.${name}`;
const ownImages = { "site-a": { image: "own:1" }, "site-b": { image: "own:1" } };

const managed = (name: string, value: unknown, why: string, fine: Fields): RuleCase => ({
  code: "E_GUC_MANAGED",
  wrong: settings({ [name]: value }),
  path: at(name),
  message: `${name} ${why}`,
  fine: settings(fine),
});

export const settingsCases: readonly RuleCase[] = [
  {
    code: "E_GUC_NAME",
    wrong: settings({ Work_Mem: "8MB" }),
    path: at("Work_Mem"),
    message: 'write "Work_Mem" in lower case: "work_mem"',
    fine: settings({ work_mem: "8MB" }),
  },
  {
    code: "E_GUC_NAME",
    wrong: settings({ "work mem": "8MB" }),
    path: at("work mem"),
    message: `"work mem" is not a setting's name (letters, digits, "_", and "." after an extension's name)`,
    fine: settings({ "pg_stat_statements.max": 5000 }),
  },
  {
    code: "E_GUC_UNKNOWN",
    wrong: settings({ shared_bufers: "128MB" }),
    path: at("shared_bufers"),
    message:
      'PostgreSQL 17 has no setting "shared_bufers" and would not start. Did you mean "shared_buffers"?',
    fine: settings({ timezone: "Europe/Brussels" }),
  },
  {
    code: "W_GUC_UNKNOWN",
    wrong: { deployment: { database: { version: 18, settings: { io_methd: "worker" } }, sites: ownImages } },
    path: at("io_methd"),
    message: '"io_methd" is not a setting of PostgreSQL 17, the version that we know.',
    fine: { deployment: { database: { version: 18, settings: { work_mem: 4096 } }, sites: ownImages } },
  },
  {
    code: "E_GUC_VALUE",
    wrong: settings({ work_mem: "8 megs" }),
    path: at("work_mem"),
    message: '"8 megs": work_mem takes a number from 64 to 2147483647, in kB or with a unit',
    fine: settings({ work_mem: "8 MB" }),
  },
  {
    code: "E_GUC_VALUE",
    wrong: settings({ max_connections: 0 }),
    path: at("max_connections"),
    message: "0: max_connections takes a number from 1 to 262143",
    fine: settings({ max_connections: 1 }),
  },
  {
    code: "E_GUC_VALUE",
    wrong: settings({ statement_timeout: "1MB" }),
    path: at("statement_timeout"),
    message: '"1MB": statement_timeout takes a number from 0 to 2147483647, in ms or with a unit',
    fine: settings({ statement_timeout: "1min" }),
  },
  {
    code: "E_GUC_VALUE",
    wrong: settings({ log_statement: "some" }),
    path: at("log_statement"),
    message: '"some": log_statement takes one of none, ddl, mod, all',
    fine: settings({ log_statement: "ddl" }),
  },
  {
    code: "E_GUC_VALUE",
    wrong: settings({ autovacuum: "maybe" }),
    path: at("autovacuum"),
    message: '"maybe": autovacuum takes on or off',
    fine: settings({ autovacuum: "true" }),
  },
  {
    code: "E_GUC_VALUE",
    wrong: settings({ search_path: "a\nb" }),
    path: at("search_path"),
    message: "the value has a line break or a NUL character",
    fine: settings({ search_path: "a, b" }),
  },
  {
    code: "E_GUC_LEVEL",
    wrong: role({ max_connections: 10 }),
    path: "deployment.database.roles.app.settings.max_connections",
    message: "max_connections is the server's; write it under `database.settings`",
    fine: role({ work_mem: "64MB" }),
  },
  managed("primary_conninfo", "host=x", "is not yours to set: it follows from who leads; see `active`", {
    listen_addresses: "*",
  }),
  managed(
    "synchronous_standby_names",
    "inmanta",
    "is not yours to set: it follows from who leads; see `synchronous`",
    {
      hot_standby: true,
    },
  ),
  managed(
    "hot_standby",
    "off",
    "is not yours to set: a standby is observed, and compared before a promotion, by SQL; write `standbyReads: false`",
    { hot_standby: "on" },
  ),
  managed("wal_level", "minimal", "cannot have this value: replication needs `replica` or `logical`", {
    wal_level: "logical",
  }),
  managed(
    "archive_mode",
    "always",
    "cannot have this value: `always` would make a standby archive what its primary archives; write `on`",
    { archive_mode: "on" },
  ),
  managed(
    "ssl_min_protocol_version",
    "TLSv1",
    "cannot have this value: TLS 1.0 and 1.1 are broken; write `TLSv1.2` or `TLSv1.3`",
    { ssl_min_protocol_version: "TLSv1.3" },
  ),
  managed(
    "recovery_min_apply_delay",
    "5min",
    "cannot have this value: a standby that is late on purpose could not be promoted without waiting for it",
    { recovery_min_apply_delay: 0 },
  ),
  managed("server_version", "17", "is computed by PostgreSQL and cannot be set", {
    server_version_x: undefined,
  }),
  {
    code: "E_GUC_MANAGED",
    wrong: role({ password_encryption: "scram-sha-256" }),
    path: "deployment.database.roles.app.settings.password_encryption",
    message:
      "password_encryption is not yours to set: passwords are stored for scram-sha-256, the only password method that is offered",
    fine: settings({ password_encryption: "scram-sha-256" }),
  },
  {
    code: "E_DURABILITY_LOWERED",
    wrong: role({ synchronous_commit: "local" }),
    path: "deployment.database.roles.app.settings.synchronous_commit",
    message:
      'role "app" sets local, and its commits would be lost in a failover; `synchronous: strict` promises that none is: write `on` or `remote_apply`, or another `synchronous`',
    fine: role({ synchronous_commit: "remote_apply" }),
  },
  {
    code: "E_DURABILITY_LOWERED",
    wrong: { deployment: { sites: { "site-b": { settings: { synchronous_commit: false } } } } },
    path: "deployment.sites.site-b.settings.synchronous_commit",
    message:
      "site site-b sets false, and its commits would be lost in a failover; `synchronous: strict` promises that none is: write `on` or `remote_apply`, or another `synchronous`",
    fine: database({ synchronous: "off", settings: { synchronous_commit: false } }),
  },
  {
    code: "E_DURABILITY_LOWERED",
    wrong: database({ synchronous: "off", settings: { fsync: "off" } }),
    path: at("fsync"),
    message: "the server sets fsync = off: a crash would destroy the database, not only the last commits",
    fine: settings({ fsync: "on" }),
  },
  {
    code: "E_REWIND_IMPOSSIBLE",
    wrong: settings({ full_page_writes: 0 }),
    path: at("full_page_writes"),
    message:
      "the server sets full_page_writes = off: pg_rewind could not bring an old primary back, and a crash could tear pages",
    fine: settings({ wal_log_hints: "off" }),
  },
  {
    code: "W_DURABILITY",
    wrong: database({ synchronous: "available", settings: { synchronous_commit: "local" } }),
    path: at("synchronous_commit"),
    message:
      "the server sets local: its last commits are lost in a failover even while the standby is in sync",
    fine: database({ synchronous: "available", settings: { synchronous_commit: "on" } }),
  },
  {
    code: "W_UNUSED",
    wrong: database({ degradeAfterSeconds: 10 }),
    path: "deployment.database.degradeAfterSeconds",
    message: "has no effect with `synchronous: strict`; it is for `available`",
    fine: database({ synchronous: "available", degradeAfterSeconds: 10 }),
  },
  {
    code: "E_STANDBY_PARAM",
    wrong: { deployment: { sites: { "site-a": { settings: { max_connections: 200 } } } } },
    path: "deployment.sites.site-b.settings.max_connections",
    message:
      "100 at site-b is lower than 200 at site-a: site-b could not follow it; write it once, under `database.settings`",
    fine: settings({ max_connections: 200 }),
  },
  {
    code: "E_REPLICATION_CAPACITY",
    wrong: settings({ max_wal_senders: 2 }),
    path: at("max_wal_senders"),
    message: "2; 2 sites need at least 3",
    fine: settings({ max_wal_senders: 3 }),
  },
  {
    code: "E_WAL_RETENTION",
    wrong: database({ slotWalKeepMiB: -1 }),
    path: "deployment.database.slotWalKeepMiB",
    message:
      "-1; without a limit the WAL kept for an absent standby fills the disk of the server that leads: write a size in MiB, 64 or more",
    fine: database({ slotWalKeepMiB: 64 }),
  },
  {
    code: "E_WAL_RETENTION",
    wrong: database({ slotWalKeepMiB: 512, settings: { wal_keep_size: "1GB" } }),
    path: at("wal_keep_size"),
    message:
      "1024 MiB would be kept always, beyond the limit `slotWalKeepMiB` of 512; raise that, or lower this",
    fine: database({ slotWalKeepMiB: 1024, settings: { wal_keep_size: "1GB" } }),
  },
  {
    code: "E_PG_VERSION",
    wrong: database({ version: 15 }),
    path: "deployment.database.version",
    message: "15; PostgreSQL 16, 17 and 18 are supported",
    fine: database({ version: 17 }),
  },
  {
    code: "E_PG_VERSION",
    wrong: database({ version: 16 }),
    path: "deployment.database.version",
    message: "our image has PostgreSQL 17; for 16 set `image` at site-a, site-b",
    fine: { deployment: { database: { version: 16 }, sites: ownImages } },
  },
  {
    code: "E_SECRET_PLAINTEXT",
    wrong: settings({ archive_command: "curl --user x --data password=canary %p" }),
    path: at("archive_command"),
    message:
      "the value has a password or a key in it, and configuration is not secret; let the command read a file",
    fine: settings({ archive_command: "/usr/local/bin/archive %p" }),
  },
];
