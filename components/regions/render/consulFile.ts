import { agentConfig } from "../../consul/agentConfig.ts";
import { serverConfig } from "../../consul/serverConfig.ts";
import { startConfig } from "../../consul/startConfig.ts";
import type { ConsulServerHost, Member, RegionalDeployment } from "../../spec/regionalModel.ts";
import { CONSUL_DATA, tlsFiles } from "./paths.ts";
import { regionOf } from "./topology.ts";

export function consulFile(deployment: RegionalDeployment, host: ConsulServerHost | Member): string {
  const { datacenter } = regionOf(deployment, host.region);
  const member = {
    datacenter,
    nodeName: host.name,
    bindAddress: host.address,
    dataDirectory: CONSUL_DATA,
    tls: tlsFiles,
  };
  return host.role === "server"
    ? serverConfig(member)
    : agentConfig({
        ...member,
        clientAddress: "127.0.0.1",
        dns: true,
        // Clients may ask any member for the one that leads.
        dnsAddresses: ["127.0.0.1", host.address],
      });
}

export function consulStartFile(deployment: RegionalDeployment, host: ConsulServerHost | Member): string {
  const { servers } = regionOf(deployment, host.region);
  return startConfig({
    serverAddresses: servers.map(({ address }) => address),
    ...(host.role === "server" ? { bootstrapExpect: servers.length } : {}),
  });
}

/** Says of a secret key no more than that it is another one. */
export function gossipKeyNote(deployment: RegionalDeployment, host: ConsulServerHost | Member): string {
  const { gossipKeyRotation: rotation = null } = regionOf(deployment, host.region).consul;
  return `${JSON.stringify({ rotation })}\n`;
}
