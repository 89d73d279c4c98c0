/** Who may reach which port of a region's host, for a host with a firewall. Pure. */
import { consulPorts } from "../consul/common.ts";
import { STATS_PORT } from "../haproxy/haproxyCfg.ts";
import type { Listener } from "../hosts/host.ts";
import { block } from "../postgres/hba.ts";
import { hostsOf, type RegionalDeployment } from "../spec/regionalModel.ts";
import { admittedNetworks } from "./render/clientAccess.ts";
import type { AnyHost } from "./render/programs.ts";
import { allHosts, regionOf } from "./render/topology.ts";

export function listenersOf(deployment: RegionalDeployment, host: AnyHost): readonly Listener[] {
  const clients = admittedNetworks(deployment);
  const hosts = allHosts(deployment).map(({ address }) => block(address));
  switch (host.role) {
    case "server":
      return [
        tcp(consulPorts.rpc, ofRegion(deployment, host)),
        // A server that is taken out of the cluster is told to leave by one that stays.
        tcp(consulPorts.https, ofRegion(deployment, host)),
        ...gossip(deployment, host),
      ];
    case "member":
      return [
        tcp(host.port, clients),
        // Proxies ask who leads; members ask each other, those of another region too.
        tcp(host.restPort, hosts),
        ...both(consulPorts.dns, clients),
        ...gossip(deployment, host),
      ];
    case "proxy":
      return [host.writePort, host.readPort, host.pooledPort ?? []].flat().map((port) => tcp(port, clients));
  }
}

/** What its programs take beside these, for themselves alone: no firewall needs to know, and nobody else may have them. */
export const loopbackPorts: Readonly<
  Record<AnyHost["role"], readonly Pick<Listener, "port" | "protocol">[]>
> = {
  server: [],
  member: [{ port: consulPorts.https, protocol: "tcp" }],
  proxy: [{ port: STATS_PORT, protocol: "tcp" }],
};

function gossip(deployment: RegionalDeployment, host: AnyHost): Listener[] {
  return both(consulPorts.gossip, ofRegion(deployment, host));
}

/** Each region has a Consul of its own. */
function ofRegion(deployment: RegionalDeployment, { region }: AnyHost): string[] {
  return hostsOf(regionOf(deployment, region))
    .filter(({ role }) => role !== "proxy")
    .map(({ address }) => block(address));
}

function both(port: number, from: readonly string[]): Listener[] {
  return [tcp(port, from), { port, protocol: "udp", from }];
}

function tcp(port: number, from: readonly string[]): Listener {
  return { port, protocol: "tcp", from };
}
