import { type HaproxyInput, haproxyCfg, initialState, STATS_PORT } from "../../haproxy/haproxyCfg.ts";
import type { Member, Proxy as ProxyHost, RegionalDeployment } from "../../spec/regionalModel.ts";
import { admittedNetworks } from "./clientAccess.ts";
import { parametersOf } from "./parameters.ts";
import { FILES, RUNTIME_DIRECTORY, tlsFiles } from "./paths.ts";
import { membersOf, regionOf } from "./topology.ts";

const leastConnections = 1_000;
/** Peers that vanish are noticed by keepalives; this is for sessions that somebody forgot. */
const sessionIdleSeconds = 86_400;

export function haproxyFiles(deployment: RegionalDeployment, proxy: ProxyHost): Record<string, string> {
  const input: HaproxyInput = {
    listenAddress: proxy.address,
    writePort: proxy.writePort,
    readPort: proxy.readPort,
    statsPort: STATS_PORT,
    caFile: tlsFiles.caFile,
    adminSocket: `${RUNTIME_DIRECTORY}/haproxy.sock`,
    stateFile: `/etc/understudy/${FILES.haproxyState}`,
    maxConnections: Math.max(leastConnections, 2 * maxConnections(deployment)),
    sessionIdleSeconds,
    checks: deployment.database.timing.haproxy,
    // Of all regions: only the one member that takes writes answers for them, so every proxy reaches it.
    servers: membersOf(deployment).map(serverOf),
    readServers: regionOf(deployment, proxy.region).members.map(serverOf),
    readsWithoutReplica: "primary",
    admitted: admittedNetworks(deployment),
  };
  return { [FILES.haproxy]: haproxyCfg(input), [FILES.haproxyState]: initialState(input) };
}

function serverOf({ name, address, port, restPort }: Member) {
  return { name, address, postgresPort: port, restPort };
}

function maxConnections(deployment: RegionalDeployment): number {
  return Number(parametersOf(deployment).dynamic.max_connections ?? 0);
}
