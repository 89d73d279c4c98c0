/** Rules about client access, roles and databases. */
import type { RuleCase } from "../ruleCase.ts";

type Fields = Record<string, unknown>;
const database = (fields: Fields) => ({ deployment: { database: fields } });
const rule = (fields: Fields = {}) => ({
  databases: ["app"],
  roles: ["app"],
  network: "10.0.0.0/8",
  ...fields,
});
const access = (...rules: Fields[]) => database({ clientAccess: rules });
const at = (field: string, index = 0) => `deployment.database.clientAccess[${index}]${field}`;
const roles = (fields: Fields, rest: Fields = {}) => database({ roles: { app: {}, ...fields }, ...rest });

export const accessCases: readonly RuleCase[] = [
  {
    code: "E_HBA_WEAK",
    wrong: access(rule({ method: "trust" })),
    path: at(".method"),
    message: '"trust" is refused; write "scram-sha-256" (password) or "cert" (client certificate)',
    fine: access(rule({ method: "cert" })),
  },
  {
    code: "E_HBA_WEAK",
    wrong: access(rule({ databases: ["replication"], network: "0.0.0.0/0" })),
    also: ["W_HBA_OPEN"].slice(1),
    path: at(".databases"),
    message: "replication is for the deployment's nodes alone, by certificate; take it out",
    fine: access(rule({ databases: ["all"] })),
  },
  {
    code: "E_HBA_WEAK",
    wrong: access(rule({ type: "host" })),
    path: at(".type"),
    message: "every rule is `hostssl`; there is no other kind",
    fine: access(rule()),
  },
  {
    code: "E_HBA_NETWORK",
    wrong: access(rule({ network: "10.0.0.1" })),
    path: at(".network"),
    message: '"10.0.0.1" is not a CIDR block, e.g. 10.0.0.0/8',
    fine: access(rule({ network: "10.0.0.1/32" })),
  },
  {
    code: "E_HBA_NETWORK",
    wrong: access(rule({ network: "fd00::1/64" })),
    path: at(".network"),
    message: '"fd00::1/64" has bits set beyond its /64',
    fine: access(rule({ network: "fd00::/64" })),
  },
  {
    code: "E_HBA_NAME",
    wrong: access(rule({ roles: ["/^a"] })),
    path: at(".roles"),
    message: '"/^a" would be a regular expression; list the names themselves',
    fine: access(rule({ roles: ["+app"] })),
  },
  {
    code: "E_HBA_SHADOWED",
    wrong: access(rule({ databases: ["all"] }), rule({ network: "10.1.0.0/16" })),
    path: at("", 1),
    message:
      "can never match: clientAccess[0] comes first and matches all of it; put this one before it, or take it out",
    fine: access(rule({ network: "10.1.0.0/16" }), rule({ databases: ["all"] })),
  },
  {
    code: "E_HBA_SHADOWED",
    wrong: access(rule({ roles: ["app", "replicator"] })),
    path: at(".roles"),
    message: "can never match for replicator: the deployment's own rules for its roles come first",
    fine: access(rule({ roles: ["app"] })),
  },
  {
    code: "W_HBA_OPEN",
    wrong: access(rule({ network: "0.0.0.0/0" })),
    path: at(".network"),
    message: "0.0.0.0/0 is every address; name the networks of your clients",
    fine: access(rule({ network: "0.0.0.0/1" })),
  },
  {
    code: "W_HBA_UNKNOWN",
    wrong: access(rule({ roles: ["ap"] })),
    path: at(".roles"),
    message: '"ap" is not declared in `roles`',
    fine: access(rule({ roles: ["all"] })),
  },
];

const long = "r".repeat(64);

export const catalogCases: readonly RuleCase[] = [
  {
    code: "E_IDENT",
    wrong: roles({ [long]: {} }, { databases: { app: {} } }),
    path: `deployment.database.roles.${long}`,
    message: `"${long}" is 64 bytes; PostgreSQL would cut it at 63`,
    fine: roles({ [long.slice(1)]: {} }, { databases: { app: {} } }),
  },
  {
    code: "E_IDENT",
    wrong: roles({ pg_me: {} }),
    path: "deployment.database.roles.pg_me",
    message: '"pg_me" begins with "pg_", which is reserved for PostgreSQL',
    fine: roles({ my_pg: {} }),
  },
  {
    code: "E_IDENT",
    wrong: roles({ rewinder: {} }),
    path: "deployment.database.roles.rewinder",
    message: `"rewinder" is a role of the deployment's own`,
    fine: roles({ winder: {} }),
  },
  {
    code: "E_IDENT",
    wrong: roles({ verifier: {} }),
    path: "deployment.database.roles.verifier",
    message: `"verifier" is a role of the deployment's own`,
    fine: roles({ verifiers: {} }),
  },
  {
    code: "E_IDENT",
    wrong: roles({ App: {} }),
    path: "deployment.database.roles.App",
    message:
      '"App" and "app" differ in case only, and SQL without quotes takes both for "app"; rename one of them',
    fine: roles({ Apps: {} }),
  },
  {
    code: "E_IDENT",
    wrong: roles({ "a/b": {} }),
    path: "deployment.database.roles.a/b",
    message: '"a/b" may have letters, digits, "_", "-" and ".", and begins with a letter or "_"',
    fine: roles({ "a-b": {} }),
  },
  {
    code: "E_IDENT",
    wrong: database({ databases: { replication: {} } }),
    path: "deployment.database.databases.replication",
    message: `"replication" is a word or a database of PostgreSQL's own`,
    fine: database({ databases: { replications: {} } }),
  },
  {
    code: "E_IDENT",
    wrong: database({ databases: { app: { extensions: ["hstore", "hstore"] } } }),
    path: "deployment.database.databases.app.extensions",
    message: '"hstore" is listed twice',
    fine: database({ databases: { app: { extensions: ["hstore", "uuid-ossp"] } } }),
  },
  {
    code: "E_OWNER_UNKNOWN",
    wrong: roles({ batch: {} }, { databases: { shop: {} } }),
    path: "deployment.database.databases.shop.owner",
    message: 'no role is called "shop", and there is not exactly one login role to own it; set `owner`',
    fine: roles({ batch: { login: false } }, { databases: { shop: {} } }),
  },
  {
    code: "E_OWNER_UNKNOWN",
    wrong: roles({ batch: {} }, { databases: { shop: { owner: "bacth" } } }),
    path: "deployment.database.databases.shop.owner",
    message: '"bacth" is not a declared role; declare it under `roles`. Did you mean "batch"?',
    fine: roles({ batch: {} }, { databases: { shop: { owner: "batch" } } }),
  },
  {
    code: "E_MEMBER_UNKNOWN",
    wrong: roles({ batch: { memberOf: ["pg_monitr"] } }),
    path: "deployment.database.roles.batch.memberOf",
    message: '"pg_monitr" is not a declared role. Did you mean "pg_monitor"?',
    fine: roles({ batch: { memberOf: ["pg_monitor", "app"] } }),
  },
  {
    code: "E_ROLE_CYCLE",
    wrong: roles({ a: { memberOf: ["a"] } }),
    path: "deployment.database.roles.a.memberOf",
    message: '"a" would be a member of itself',
    fine: roles({ a: { memberOf: ["b"] }, b: {} }),
  },
  {
    code: "W_ROLE_POWERFUL",
    wrong: roles({ a: { memberOf: ["pg_read_server_files"] } }),
    path: "deployment.database.roles.a.memberOf",
    message: "members of pg_read_server_files reach the server's files, and with them its keys and passwords",
    fine: roles({ a: { memberOf: ["pg_read_all_data"] } }),
  },
  {
    code: "W_CONNECTION_LIMIT",
    wrong: roles({ a: { connectionLimit: 101 } }),
    path: "deployment.database.roles.a.connectionLimit",
    message: "101 is more than the server's max_connections, 100",
    fine: roles({ a: { connectionLimit: 100 } }),
  },
];
