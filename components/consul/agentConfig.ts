/** consul.json of the client agent on a database host. Patroni talks to it over the loopback interface. */
import { type ConsulMember, commonConfig, consulPorts, renderJson } from "./common.ts";

export interface ConsulAgentInput extends ConsulMember {
  /** Where programs of this host reach the agent; `127.0.0.1` unless they have another network. */
  readonly clientAddress: string;
  /** Also answer DNS on `clientAddress`. */
  readonly dns: boolean;
  /** Where DNS is answered instead. */
  readonly dnsAddresses?: readonly string[];
}

/** The file of an agent, without its secrets. Its certificate needs `clientAddress` and both usages. */
export function agentConfig(agent: ConsulAgentInput): string {
  return renderJson({
    ...commonConfig(agent),
    server: false,
    client_addr: agent.clientAddress,
    ...(agent.dnsAddresses === undefined ? {} : { addresses: { dns: agent.dnsAddresses.join(" ") } }),
    ports: {
      http: -1,
      https: consulPorts.https,
      dns: agent.dns ? consulPorts.dns : -1,
      grpc: -1,
      grpc_tls: -1,
      serf_wan: -1,
    },
    // The health check of Patroni's service asks its REST interface, with our authority and this certificate.
    enable_agent_tls_for_checks: true,
  });
}
