/**
 * PgBouncer's files: a pool for each declared database, in transaction mode, in front of a port that reaches whoever
 * takes writes. Pure. PgBouncer 1.21 or newer.
 */

export interface PgbouncerInput {
  readonly listenAddress: string;
  readonly port: number;
  /** For its console, which lets in PgBouncer's own account alone. */
  readonly socketDirectory: string;
  /** The proxy's write port. Whoever answers there has this address in the certificate. */
  readonly server: { readonly address: string; readonly port: number };
  readonly databases: readonly string[];
  /** Connections to the server, for each database. */
  readonly poolSize: number;
  /** More of them, for clients that have waited for a while. */
  readonly reservePoolSize: number;
  readonly maxClients: number;
  /** For each server connection; 0: none are kept for clients. */
  readonly preparedStatements: number;
  /** A client that waits longer than this for a connection is turned away. */
  readonly queryWaitSeconds: number;
  readonly tls: { readonly caFile: string; readonly certFile: string; readonly keyFile: string };
  readonly hbaFile: string;
  /** Roles and passwords; secret. */
  readonly usersFile: string;
  /** Where `pgbouncerListen` lies. */
  readonly listenFile: string;
}

/** How soon a server that refused a login is tried again: HAProxy on the same host knows within a check who leads. */
const loginRetrySeconds = 0.5;
const connectTimeoutSeconds = 5;
/** A connection is renewed after this long, and closed when nobody has used it for that long. */
const serverLifetimeSeconds = 3600;
const serverIdleSeconds = 600;
/** One that was idle for longer is asked whether it still answers. */
const checkDelaySeconds = 5;
/** How long a client waits before the reserve is opened for it. */
const reserveSeconds = 3;

const header = "; Rendered by Understudy; edits are overwritten.";

/** What a reload takes over. */
export function pgbouncerIni(input: PgbouncerInput): string {
  const { server, tls } = input;
  return [
    header,
    "[databases]",
    ...input.databases.map((name) => `${bare(name)} = host=${server.address} port=${server.port}`),
    "",
    "[pgbouncer]",
    "pool_mode = transaction",
    `default_pool_size = ${input.poolSize}`,
    `reserve_pool_size = ${input.reservePoolSize}`,
    `reserve_pool_timeout = ${reserveSeconds}`,
    "; Over all roles: an idle connection of one makes room for another's.",
    `max_db_connections = ${input.poolSize + input.reservePoolSize}`,
    `max_client_conn = ${input.maxClients}`,
    `max_prepared_statements = ${input.preparedStatements}`,
    "; What drivers send at a login, and what no pool can keep for one client.",
    "ignore_startup_parameters = extra_float_digits",
    "",
    "auth_type = hba",
    `auth_hba_file = ${input.hbaFile}`,
    `auth_file = ${input.usersFile}`,
    "client_tls_sslmode = require",
    `client_tls_cert_file = ${tls.certFile}`,
    `client_tls_key_file = ${tls.keyFile}`,
    "; A client needs no certificate, and PgBouncer does not start without this.",
    `client_tls_ca_file = ${tls.caFile}`,
    "client_tls_protocols = secure",
    "server_tls_sslmode = verify-full",
    `server_tls_ca_file = ${tls.caFile}`,
    "server_tls_protocols = secure",
    "",
    `server_connect_timeout = ${connectTimeoutSeconds}`,
    `server_login_retry = ${loginRetrySeconds}`,
    `server_lifetime = ${serverLifetimeSeconds}`,
    `server_idle_timeout = ${serverIdleSeconds}`,
    "server_check_query = select 1",
    `server_check_delay = ${checkDelaySeconds}`,
    `query_wait_timeout = ${input.queryWaitSeconds}`,
    "tcp_keepalive = 1",
    "tcp_keepidle = 10",
    "tcp_keepintvl = 5",
    "tcp_keepcnt = 3",
    "log_connections = 0",
    "log_disconnections = 0",
    // Inside the section: each `[pgbouncer]` sets everything to its default again.
    `%include ${input.listenFile}`,
    "",
  ].join("\n");
}

/** What only a restart takes over: settings of the section `[pgbouncer]`, without its name. */
export function pgbouncerListen(
  input: Pick<PgbouncerInput, "listenAddress" | "port" | "socketDirectory">,
): string {
  return [
    header,
    `listen_addr = ${input.listenAddress}`,
    `listen_port = ${input.port}`,
    `unix_socket_dir = ${input.socketDirectory}`,
    "unix_socket_mode = 0700",
    "",
  ].join("\n");
}

/** `auth_file`, by role. Secret: PgBouncer has to prove to the server that it knows the password itself. */
export function pgbouncerUsers(passwords: Readonly<Record<string, string>>): string {
  const quoted = (text: string) => `"${text.replaceAll('"', '""')}"`;
  const lines = Object.entries(passwords).map(([role, password]) => `${quoted(role)} ${quoted(password)}\n`);
  return lines.sort().join("");
}

/** Its parser takes no quotes around a name. */
function bare(name: string): string {
  if (!/^[A-Za-z_][A-Za-z0-9_.-]*$/.test(name))
    throw new Error(`pgbouncer.ini cannot name the database ${JSON.stringify(name)}`);
  return name;
}
