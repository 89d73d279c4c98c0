/** consul.json of a server. It belongs on a host of its own: a session made through a server dies with that server. */
import { type ConsulMember, commonConfig, consulPorts, renderJson } from "./common.ts";

/**
 * The file of a server, without its secrets. Its certificate needs the name `server.<datacenter>.consul`, its own
 * address, and both usages (server and client).
 */
export function serverConfig(server: ConsulMember): string {
  return renderJson({
    ...commonConfig(server),
    server: true,
    // To the other servers as well: one that is declared no more is told by another to leave. It takes our certificate.
    addresses: { https: `127.0.0.1 ${server.bindAddress}` },
    ports: { http: -1, https: consulPorts.https, dns: -1, grpc: -1, grpc_tls: -1, serf_wan: -1 },
    // Consul's default, 5, is for small machines: a lost leader is then noticed after 5 to 10 s instead of 1 to 2.
    performance: { raft_multiplier: 1 },
    // Both take effect when the cluster begins; later through the API.
    // Dropping a server that is away for 9 s shrinks the quorum behind the operator's back.
    // Calling a follower ill whose last heartbeat is 200 ms old, the default, calls every busy host ill: one is due each 100 ms.
    autopilot: { cleanup_dead_servers: false, last_contact_threshold: "1s" },
  });
}
