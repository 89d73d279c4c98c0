/** PgBouncer in front of the proxies. */
import type { RuleCase } from "../../ruleCase.ts";
import { database } from "../configuration.ts";

const pooling = (fields: object, more: object = {}) => database({ pooling: fields, ...more });
const port = "deployment.database.pooling.port";
const network = "10.0.0.0/8";
const access = (fields: object) =>
  pooling({}, { clientAccess: [{ databases: ["app"], roles: ["app"], network, ...fields }] });

export const poolingCases: readonly RuleCase[] = [
  {
    code: "E_POOLING_PORT",
    wrong: pooling({ port: 5432 }),
    path: port,
    message: "5432 is HAProxy's for writes on the same host; write another port",
    fine: pooling({ port: 5434 }),
  },
  {
    code: "E_POOLING_PORT",
    wrong: pooling({ port: 7000 }),
    path: port,
    message: "7000 is HAProxy's for statistics on the same host; write another port",
    fine: pooling({ port: 7001 }),
  },
  {
    code: "E_POOLING_PORT",
    wrong: pooling({ port: 80 }),
    path: port,
    message: "80; PgBouncer runs without rights over ports below 1024",
    fine: pooling({ port: 1024 }),
  },
  {
    code: "E_POOL_SIZE",
    wrong: pooling({ poolSize: 44, reservePoolSize: 5 }),
    path: "deployment.database.pooling.poolSize",
    message:
      "2 proxies with 49 connections for each of 1 databases could open 98, and the server has 97 (max_connections 100, 3 of them reserved); write a smaller pool or a larger max_connections",
    fine: pooling({ poolSize: 44, reservePoolSize: 4 }),
  },
  {
    code: "E_POOL_SIZE",
    wrong: pooling({ poolSize: 100 }, { settings: { max_connections: 202 } }),
    path: "deployment.database.pooling.poolSize",
    message:
      "2 proxies with 100 connections for each of 1 databases could open 200, and the server has 199 (max_connections 202, 3 of them reserved); write a smaller pool or a larger max_connections",
    fine: pooling({ poolSize: 100 }, { settings: { max_connections: 203 } }),
  },
  {
    code: "E_POOLING_ACCESS",
    wrong: access({ method: "cert" }),
    path: "deployment.database.clientAccess[0].method",
    message:
      '"cert" cannot be pooled: PgBouncer logs in at the server itself, and has no client\'s key; write "scram-sha-256", or leave `pooling` out',
    fine: access({ method: "scram-sha-256" }),
  },
  {
    code: "E_POOLING_ACCESS",
    wrong: access({ roles: ["+app"] }),
    path: "deployment.database.clientAccess[0].roles",
    message: "PgBouncer does not know who is in [+app]; name the roles, or leave `pooling` out",
    fine: access({}),
  },
  {
    code: "E_POOLING_ACCESS",
    wrong: access({ databases: ["samerole"] }),
    path: "deployment.database.clientAccess[0].databases",
    message:
      "PgBouncer does not know who is in which role, so not what `samerole` is; name the databases, or leave `pooling` out",
    fine: access({ databases: ["sameuser"] }),
  },
  {
    code: "E_POOLING_DATABASE",
    wrong: pooling({}, { databases: { pgbouncer: {} } }),
    path: "deployment.database.databases.pgbouncer",
    message: '"pgbouncer" is PgBouncer\'s own console; give the database another name',
    fine: pooling({}, { databases: { bouncer: {} } }),
  },
];
