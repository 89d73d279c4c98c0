import { pgbouncerIni, pgbouncerListen } from "../../pgbouncer/pgbouncerIni.ts";
import { clientLine } from "../../postgres/hba.ts";
import { CONFIG_DIRECTORY, RENDERED_HEADER } from "../../postgres/paths.ts";
import type { Proxy as ProxyHost, RegionalDeployment } from "../../spec/regionalModel.ts";
import { FILES, RUNTIME_DIRECTORY, secret, tlsFiles } from "./paths.ts";

/** A client that waits for a connection outlasts a pause, and the time that the server needs after it. */
const waitBeyondPauseSeconds = 30;

/** None without `pooling`. */
export function pgbouncerFiles(deployment: RegionalDeployment, proxy: ProxyHost): Record<string, string> {
  const { pooling, databases, clientAccess } = deployment.database;
  if (pooling === undefined) return {};
  const below = (file: string) => `${CONFIG_DIRECTORY}/${file}`;
  const input = {
    ...pooling,
    listenAddress: proxy.address,
    socketDirectory: RUNTIME_DIRECTORY,
    // Its own HAProxy. The members' certificates have the address of every proxy, so that it can be verified in full.
    server: { address: proxy.address, port: proxy.writePort },
    databases: databases.map(({ name }) => name),
    queryWaitSeconds: pooling.pauseSeconds + waitBeyondPauseSeconds,
    tls: tlsFiles,
    hbaFile: below(FILES.pgbouncerHba),
    usersFile: below(secret("pgbouncerUsers")),
    listenFile: below(FILES.pgbouncerListen),
  };
  return {
    [FILES.pgbouncer]: pgbouncerIni(input),
    [FILES.pgbouncerListen]: pgbouncerListen(input),
    // The server sees the proxy's address only, so this is where a client's is looked at.
    [FILES.pgbouncerHba]: [RENDERED_HEADER, ...clientAccess.map(clientLine), ""].join("\n"),
  };
}
