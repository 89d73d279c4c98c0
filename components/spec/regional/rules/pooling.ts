/** PgBouncer: what it can check itself, ports of its own, and pools that the server has room for. */

import { STATS_PORT } from "../../../haproxy/haproxyCfg.ts";
import { type Finding, list } from "../../rules/rule.ts";
import { numberOf } from "../../settingsInfo.ts";
import type { RegionalRule } from "./shared.ts";

const poolingPath = "deployment.database.pooling";
const accessPath = "deployment.database.clientAccess";

const ports: RegionalRule = {
  code: "E_POOLING_PORT",
  needs: [`${poolingPath}.port`],
  check({ database: { pooling }, regions }) {
    if (pooling === undefined) return [];
    const [proxy] = regions.flatMap(({ proxies }) => proxies);
    const taken: Readonly<Record<number, string>> = {
      ...(proxy
        ? { [proxy.writePort]: "HAProxy's for writes", [proxy.readPort]: "HAProxy's for reads" }
        : {}),
      [STATS_PORT]: "HAProxy's for statistics",
    };
    const owner = taken[pooling.port];
    const path = `${poolingPath}.port`;
    if (owner !== undefined)
      return [{ path, message: `${pooling.port} is ${owner} on the same host; write another port` }];
    return pooling.port < 1024
      ? [{ path, message: `${pooling.port}; PgBouncer runs without rights over ports below 1024` }]
      : [];
  },
};

/** All proxies lead to the one member that takes writes, those of other regions too. */
const size: RegionalRule = {
  code: "E_POOL_SIZE",
  needs: [
    `${poolingPath}.poolSize`,
    `${poolingPath}.reservePoolSize`,
    "deployment.regions.*.proxies",
    "deployment.database.databases",
  ],
  check({ database: { pooling, databases, settings }, regions }) {
    if (pooling === undefined) return [];
    const most = numberOf("max_connections", settings);
    const reserved = numberOf("superuser_reserved_connections", settings);
    if (most === undefined || reserved === undefined) return [];
    const proxies = regions.reduce((sum, region) => sum + region.proxies.length, 0);
    const each = pooling.poolSize + pooling.reservePoolSize;
    const needed = each * databases.length * proxies;
    if (needed <= most - reserved) return [];
    const message = `${proxies} proxies with ${each} connections for each of ${databases.length} databases could open ${needed}, and the server has ${most - reserved} (max_connections ${most}, ${reserved} of them reserved); write a smaller pool or a larger max_connections`;
    return [{ path: `${poolingPath}.poolSize`, message }];
  },
};

/** Nobody but the client has its certificate, and groups are known to the server only. */
const access: RegionalRule = {
  code: "E_POOLING_ACCESS",
  needs: [],
  check({ database: { pooling, clientAccess } }) {
    if (pooling === undefined) return [];
    return clientAccess.flatMap(({ databases, roles, method }, index): Finding[] => {
      const path = `${accessPath}[${index}]`;
      const groups = roles.filter((role) => role.startsWith("+"));
      return [
        ...(method === "cert"
          ? [
              {
                path: `${path}.method`,
                message: `"cert" cannot be pooled: PgBouncer logs in at the server itself, and has no client's key; write "scram-sha-256", or leave \`pooling\` out`,
              },
            ]
          : []),
        ...(groups.length > 0
          ? [
              {
                path: `${path}.roles`,
                message: `PgBouncer does not know who is in ${list(groups)}; name the roles, or leave \`pooling\` out`,
              },
            ]
          : []),
        ...(databases.includes("samerole")
          ? [
              {
                path: `${path}.databases`,
                message:
                  "PgBouncer does not know who is in which role, so not what `samerole` is; name the databases, or leave `pooling` out",
              },
            ]
          : []),
      ];
    });
  },
};

const databases: RegionalRule = {
  code: "E_POOLING_DATABASE",
  needs: [],
  check: ({ database: { pooling, databases: all } }) =>
    pooling === undefined
      ? []
      : all
          .filter(({ name }) => name === "pgbouncer")
          .map(({ name }) => ({
            path: `deployment.database.databases.${name}`,
            message: `"${name}" is PgBouncer's own console; give the database another name`,
          })),
};

export const poolingRules: readonly RegionalRule[] = [ports, size, access, databases];
