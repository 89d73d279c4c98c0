import { expect, test } from "vitest";
import {
  type PgbouncerInput,
  pgbouncerIni,
  pgbouncerListen,
  pgbouncerUsers,
} from "../../../components/pgbouncer/pgbouncerIni.ts";

const input: PgbouncerInput = {
  listenAddress: "10.0.0.51",
  port: 6432,
  socketDirectory: "/run/pool",
  server: { address: "10.0.0.51", port: 5432 },
  databases: ["app", "Shop-2.x"],
  poolSize: 20,
  reservePoolSize: 5,
  maxClients: 500,
  preparedStatements: 200,
  queryWaitSeconds: 60,
  tls: { caFile: "/etc/ca.crt", certFile: "/etc/server.crt", keyFile: "/etc/server.key" },
  hbaFile: "/etc/hba.conf",
  usersFile: "/etc/secrets/users",
  listenFile: "/etc/listen.ini",
};

const settings = (text: string) =>
  Object.fromEntries([...text.matchAll(/^(\S+) = (.*)$/gm)].map(([, name, value]) => [name, value]));

test("each database is pooled by transaction, at the proxy's own write port", () => {
  const found = settings(pgbouncerIni(input));
  expect(found).toMatchObject({
    app: "host=10.0.0.51 port=5432",
    "Shop-2.x": "host=10.0.0.51 port=5432",
    pool_mode: "transaction",
    default_pool_size: "20",
    reserve_pool_size: "5",
    max_client_conn: "500",
    max_prepared_statements: "200",
    query_wait_timeout: "60",
  });
});

test("a database never gets more connections than its pool and reserve, whatever the number of roles", () => {
  expect(settings(pgbouncerIni(input))["max_db_connections"]).toBe("25");
});

test("nothing travels in the clear, and whoever answers is verified in full", () => {
  expect(settings(pgbouncerIni(input))).toMatchObject({
    client_tls_sslmode: "require",
    client_tls_cert_file: "/etc/server.crt",
    client_tls_key_file: "/etc/server.key",
    client_tls_ca_file: "/etc/ca.crt",
    server_tls_sslmode: "verify-full",
    server_tls_ca_file: "/etc/ca.crt",
    auth_type: "hba",
    auth_hba_file: "/etc/hba.conf",
    auth_file: "/etc/secrets/users",
  });
});

test("nobody is an administrator by name, and the socket is its own account's", () => {
  const all = pgbouncerIni(input) + pgbouncerListen(input);
  expect(all).not.toMatch(/admin_users|stats_users/);
  expect(settings(pgbouncerListen(input))["unix_socket_mode"]).toBe("0700");
});

test("what only a restart takes over is in a file of its own, and a reload reads it as well", () => {
  const restarts = settings(pgbouncerListen(input));
  expect(restarts).toMatchObject({
    listen_addr: "10.0.0.51",
    listen_port: "6432",
    unix_socket_dir: "/run/pool",
  });
  const reloads = pgbouncerIni(input);
  for (const name of Object.keys(restarts)) expect(reloads).not.toMatch(new RegExp(`^${name} `, "m"));
  // A second `[pgbouncer]` would set everything before it to its default again.
  expect(reloads).toMatch(/\n\[pgbouncer\]\n[^[]*\n%include \/etc\/listen\.ini\n$/);
  expect(pgbouncerListen(input)).not.toContain("[");
});

test("a name that its parser would misread is not written", () => {
  expect(() => pgbouncerIni({ ...input, databases: ["a b"] })).toThrow('cannot name the database "a b"');
});

test("roles and passwords are quoted, in an order of their own", () => {
  expect(pgbouncerUsers({ b: "x", a: 'y"z' })).toBe('"a" "y""z"\n"b" "x"\n');
  expect(pgbouncerUsers({})).toBe("");
});
