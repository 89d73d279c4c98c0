/** haproxy.cfg of a site: one port that reaches whoever takes writes, one that reaches the replicas. */

/** Of the page of statistics, on loopback. */
export const STATS_PORT = 7000;

export interface HaproxyServer {
  /** The Patroni member; its certificate names it. */
  readonly name: string;
  readonly address: string;
  readonly postgresPort: number;
  readonly restPort: number;
}

/** Structurally Patroni's `CheckTiming`; a product does not import another one. */
export interface HaproxyChecks {
  readonly intervalMs: number;
  readonly fastIntervalMs: number;
  readonly downIntervalMs: number;
  readonly timeoutMs: number;
  readonly fall: number;
  readonly rise: number;
}

export interface HaproxyInput {
  readonly listenAddress: string;
  readonly writePort: number;
  readonly readPort: number;
  /** Statistics and metrics, on the loopback interface only. */
  readonly statsPort: number;
  /** The deployment's authority, by which Patroni's REST interface is verified. */
  readonly caFile: string;
  /** Written by HAProxy's account. */
  readonly adminSocket: string;
  /** Where `initialState` lies. */
  readonly stateFile: string;
  readonly maxConnections: number;
  /** A session in which neither side says anything for this long is cut. */
  readonly sessionIdleSeconds: number;
  readonly checks: HaproxyChecks;
  readonly servers: readonly HaproxyServer[];
  /** Of which the replicas take reads; absent: `servers`. */
  readonly readServers?: readonly HaproxyServer[];
  /** CIDR blocks from which connections are taken; absent: from anywhere. */
  readonly admitted?: readonly string[];
  /** Where reads go while there is no replica. */
  readonly readsWithoutReplica: "primary" | "nowhere";
  /** A replica further behind takes no reads. */
  readonly maximumReadLagBytes?: number;
}

const WRITE = "postgres_write";
const READ = "postgres_read";

export function haproxyCfg(input: HaproxyInput): string {
  const { checks } = input;
  const lag = input.maximumReadLagBytes === undefined ? "" : `?lag=${input.maximumReadLagBytes}`;
  return [
    "# Rendered by Understudy; edits are overwritten.",
    "global",
    "    log stdout format raw local0 info",
    `    maxconn ${input.maxConnections}`,
    `    stats socket ${input.adminSocket} mode 0600 level admin`,
    `    server-state-file ${input.stateFile}`,
    "    ssl-default-server-options ssl-min-ver TLSv1.2",
    "",
    "defaults",
    "    log global",
    "    mode tcp",
    "    option dontlognull",
    // A peer that vanished without a word is noticed by the system, not after the idle time.
    "    option clitcpka",
    "    option srvtcpka",
    "    clitcpka-idle 10s",
    "    clitcpka-intvl 5s",
    "    clitcpka-cnt 3",
    "    srvtcpka-idle 10s",
    "    srvtcpka-intvl 5s",
    "    srvtcpka-cnt 3",
    // A retry waits for a second first, and one whose server goes down in that second hangs until its client gives up
    // and is never let go (seen with 3.0). Clients of a database try again themselves, and sooner.
    "    retries 0",
    "    timeout connect 4s",
    `    timeout client ${input.sessionIdleSeconds}s`,
    `    timeout server ${input.sessionIdleSeconds}s`,
    `    timeout check ${checks.timeoutMs}ms`,
    "    # Every server begins as down (see the file): nobody is sent to one that was never asked.",
    "    load-server-state-from-file global",
    "",
    "frontend write",
    "    option tcplog",
    `    bind ${bind(input.listenAddress, input.writePort)}`,
    ...admission(input),
    `    default_backend ${WRITE}`,
    "",
    "frontend read",
    "    option tcplog",
    `    bind ${bind(input.listenAddress, input.readPort)}`,
    ...admission(input),
    ...(input.readsWithoutReplica === "primary"
      ? [`    use_backend ${WRITE} if { nbsrv(${READ}) lt 1 }`]
      : []),
    `    default_backend ${READ}`,
    "",
    ...backend(WRITE, "/primary", input.servers, input),
    "",
    ...backend(READ, `/replica${lag}`, readServers(input), input),
    "",
    "frontend stats",
    "    mode http",
    `    bind 127.0.0.1:${input.statsPort}`,
    "    timeout client 10s",
    "    http-request use-service prometheus-exporter if { path /metrics }",
    "    stats enable",
    "    stats uri /",
    "",
  ].join("\n");
}

/**
 * HAProxy takes a server for up until its first check says otherwise, and 3.0 has no `init-state`. This file, which
 * it reads at every start and reload, says that all are down. HAProxy goes by the names and ignores the numbers.
 */
export function initialState(input: Pick<HaproxyInput, "servers" | "readServers">): string {
  const backends = [
    [WRITE, input.servers],
    [READ, readServers(input)],
  ] as const;
  const lines = backends.flatMap(([backendName, servers], backendIndex) =>
    servers.map((server, index) =>
      stateColumns
        .map(([column, value]) => {
          if (column === "be_id") return backendIndex + 1;
          if (column === "be_name") return backendName;
          if (column === "srv_id") return index + 1;
          if (column === "srv_name") return server.name;
          if (column === "srv_addr") return server.address;
          if (column === "srv_port") return server.postgresPort;
          if (column === "srv_check_port") return server.restPort;
          return value;
        })
        .join(" "),
    ),
  );
  return ["1", `# ${stateColumns.map(([column]) => column).join(" ")}`, ...lines, ""].join("\n");
}

/** Version 1 of the file, as `show servers state` prints it; `srv_op_state` 0 is "stopped". */
const stateColumns: readonly (readonly [column: string, value: string])[] = [
  ["be_id", ""],
  ["be_name", ""],
  ["srv_id", ""],
  ["srv_name", ""],
  ["srv_addr", ""],
  ["srv_op_state", "0"],
  ["srv_admin_state", "0"],
  ["srv_uweight", "1"],
  ["srv_iweight", "1"],
  ["srv_time_since_last_change", "0"],
  ["srv_check_status", "1"],
  ["srv_check_result", "0"],
  ["srv_check_health", "0"],
  ["srv_check_state", "6"],
  ["srv_agent_state", "0"],
  ["bk_f_forced_id", "0"],
  ["srv_f_forced_id", "0"],
  ["srv_fqdn", "-"],
  ["srv_port", ""],
  ["srvrecord", "-"],
  ["srv_use_ssl", "0"],
  ["srv_check_port", ""],
  ["srv_check_addr", "-"],
  ["srv_agent_addr", "-"],
  ["srv_agent_port", "0"],
];

function readServers({ servers, readServers }: Pick<HaproxyInput, "servers" | "readServers">) {
  return readServers ?? servers;
}

/** PostgreSQL sees the proxy's address only, so this is where a client's is looked at. */
function admission({ admitted }: HaproxyInput): string[] {
  if (admitted === undefined) return [];
  return [
    ...admitted.map((network) => `    acl admitted src ${network}`),
    "    tcp-request connection reject if !admitted",
  ];
}

function backend(
  name: string,
  check: string,
  servers: readonly HaproxyServer[],
  { checks, caFile }: Pick<HaproxyInput, "checks" | "caFile">,
): string[] {
  return [
    `backend ${name}`,
    "    balance leastconn",
    "    option httpchk",
    `    http-check send meth HEAD uri ${check}`,
    "    http-check expect status 200",
    // A session to a server that lost its role is cut by the host's agent (regions/agent/lostsessions.py), which says why
    // HAProxy is not asked to (`on-marked-down shutdown-sessions`). A client that is refused brings the next check
    // forward, and no more: by itself it takes no server down.
    `    default-server inter ${checks.intervalMs}ms fastinter ${checks.fastIntervalMs}ms downinter ${checks.downIntervalMs}ms ` +
      `fall ${checks.fall} rise ${checks.rise} observe layer4 error-limit 1 on-error fastinter`,
    ...servers.map(
      (server) =>
        `    server ${server.name} ${bind(server.address, server.postgresPort)} check port ${server.restPort} ` +
        `check-ssl verify required ca-file ${caFile} verifyhost ${server.name} check-sni ${server.name}`,
    ),
  ];
}

function bind(address: string, port: number): string {
  return address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;
}
