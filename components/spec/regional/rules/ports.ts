/** Ports of regions: one owner each on a host, and none of ours is SSH's. */
import { consulPorts } from "../../../consul/common.ts";
import type { Region } from "../../regionalModel.ts";
import { wholeHostMaps } from "../../rules/areas.ts";
import {
  besideSsh,
  type Listening,
  nameServerListening,
  nameServerPort,
  portsTwice,
} from "../../rules/ports.ts";
import { type HostAt, hostsAt, type RegionalRule, regionPath } from "./shared.ts";

const ports: RegionalRule = {
  code: "E_PORT_CLASH",
  needs: ["deployment.names.server.kind", "deployment.regions.*.target", ...wholeHostMaps],
  check: (deployment) => [
    ...portsTwice([
      ...nameServerPort(deployment.names),
      ...deployment.regions.flatMap((region) => publishedOf(region)),
    ]),
    ...besideSsh([...hostsAt(deployment).flatMap(listeningOf), ...nameServerListening(deployment.names)]),
  ],
};

function listeningOf({ path, host }: HostAt): Listening[] {
  if (host.place.target !== "machines") return [];
  return [{ path: `${path}.machine`, ssh: host.place.machine.ssh, ports: portsOf(host) }];
}

function portsOf(host: HostAt["host"]): Listening["ports"] {
  const consul = { [consulPorts.gossip]: "Consul", [consulPorts.https]: "Consul" };
  switch (host.role) {
    case "server":
      return { ...consul, [consulPorts.rpc]: "Consul" };
    case "member":
      return {
        ...consul,
        [consulPorts.dns]: "Consul",
        [host.port]: "PostgreSQL",
        [host.restPort]: "Patroni",
      };
    case "proxy":
      return {
        [host.writePort]: "HAProxy",
        [host.readPort]: "HAProxy",
        ...(host.pooledPort === undefined ? {} : { [host.pooledPort]: "PgBouncer" }),
      };
  }
}

function publishedOf({ name: region, proxies }: Region) {
  return proxies.flatMap(({ name, published }) => {
    if (published === undefined) return [];
    const path = `${regionPath(region)}.proxies.${name}`;
    return [
      { who: `${name} (writes)`, path: `${path}.publishedWritePort`, port: published.write },
      { who: `${name} (reads)`, path: `${path}.publishedReadPort`, port: published.read },
      ...(published.pooled === undefined
        ? []
        : [{ who: `${name} (pooled)`, path: `${path}.publishedPooledPort`, port: published.pooled }]),
    ];
  });
}

export const regionPortRules: readonly RegionalRule[] = [ports];
