/** What a user may write under `deployment.database.pooling` with `kind: patroni`. */
import { z } from "zod";
import { field } from "../field.ts";
import { port } from "../schemaMachine.ts";

export const pooling = z.strictObject({
  port: field(port().default(6432), {
    description: "Port of every proxy where pooled clients connect.",
    effect: "replace",
    source: "PgBouncer `listen_port`",
  }),
  poolSize: field(z.int().min(1).max(10_000).default(20), {
    description:
      "Connections to the server that each proxy opens at most for one database, whatever the number of its clients and roles. Those of all proxies have to fit into `max_connections`.",
    effect: "reload",
    unit: "connections",
    source: "PgBouncer `default_pool_size`, `max_db_connections`",
  }),
  reservePoolSize: field(z.int().min(0).max(10_000).default(0), {
    description: "More of them, for clients that have waited for 3 s.",
    effect: "reload",
    unit: "connections",
    source: "PgBouncer `reserve_pool_size`",
  }),
  maxClients: field(z.int().min(1).max(100_000).default(500), {
    description: "Clients that one proxy takes at once; further ones are turned away.",
    effect: "reload",
    unit: "connections",
    source: "PgBouncer `max_client_conn`",
  }),
  preparedStatements: field(z.int().min(0).max(100_000).default(200), {
    description:
      "Statements that drivers prepare in the protocol, kept for each server connection; 0: such drivers must prepare none.",
    effect: "reload",
    source: "PgBouncer `max_prepared_statements`",
  }),
  pauseSeconds: field(z.int().min(5).max(300).default(30), {
    description:
      "The longest that clients are held back while another member or region takes over as planned. Then they go on, whatever has become of it and of whoever started it.",
    effect: "reload",
    unit: "s",
  }),
});
