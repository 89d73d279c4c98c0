import { agentConfig } from "../../consul/agentConfig.ts";
import { serverConfig } from "../../consul/serverConfig.ts";
import type { ConsulServerHost, Member, RegionalDeployment } from "../../spec/regionalModel.ts";
import { CONSUL_DATA, tlsFiles } from "./paths.ts";
import { regionOf } from "./topology.ts";

export function consulFile(deployment: RegionalDeployment, host: ConsulServerHost | Member): string {
  const { datacenter, servers } = regionOf(deployment, host.region);
  const member = {
    datacenter,
    nodeName: host.name,
    bindAddress: host.address,
    dataDirectory: CONSUL_DATA,
    tls: tlsFiles,
    serverAddresses: servers.map(({ address }) => address),
  };
  return host.role === "server"
    ? serverConfig({ ...member, bootstrapExpect: servers.length })
    : agentConfig({
        ...member,
        clientAddress: "127.0.0.1",
        dns: true,
        // Clients may ask any member for the one that leads.
        dnsAddresses: ["127.0.0.1", host.address],
      });
}
