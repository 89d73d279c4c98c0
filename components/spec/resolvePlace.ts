/** Where sites and the name server run: from what was written to what is meant. See `resolve.ts`. */
import { nameServerAddress } from "./derive.ts";
import { type Cidr, parseAddress } from "./ip.ts";
import type { Machine, NameServerPlace, Place, SshHop } from "./model.ts";
import type { WrittenSite } from "./schema.ts";
import type { WrittenBase } from "./schemaBase.ts";
import type { WrittenHop, WrittenMachine } from "./schemaMachine.ts";
import { canonicalHost } from "./sshHost.ts";

export function resolvePlace(site: WrittenSite, sharedEngine: string | undefined): Place {
  return site.target === "machines"
    ? { target: "machines", machine: resolveMachine(site.machine) }
    : {
        target: "containers",
        dockerHost: site.dockerHost ?? sharedEngine,
        ownEngine: site.dockerHost !== undefined,
      };
}

/** The node has an address on the containers' one network, and no other node is anywhere else to it. */
export function onSharedNetwork(place: Place): boolean {
  return place.target === "containers" && !place.ownEngine;
}

/** The rules E_MACHINE and E_NAME_SERVER ask for one that is missing; the others need something to look at meanwhile. */
const noMachine: WrittenMachine = {
  host: "",
  port: 22,
  user: "root",
  knownHosts: "",
  firewall: true,
  onDestroy: "keep",
};

export function resolveMachine(written: WrittenMachine = noMachine): Machine {
  const { jump, packageMirror, firewall, onDestroy, adopt } = written;
  return {
    ssh: { ...resolveHop(written), jump: jump && resolveHop(jump) },
    packageMirror,
    firewall,
    onDestroy,
    adopt,
  };
}

function resolveHop({ host, port, user, keyFile, hostKey, knownHosts }: WrittenHop): SshHop {
  return {
    host: canonicalHost(host),
    port,
    user,
    keyFile,
    // Without the comment that a line of a .pub file ends in.
    hostKey: hostKey?.trim().split(/\s+/).slice(0, 2).join(" "),
    knownHostsFile: knownHosts,
  };
}

/** `otherwise`: the kind where nobody wrote one. */
export function resolveNameServer(
  { server, serverAddress, publishedPort }: WrittenBase["names"],
  subnet: Cidr,
  otherwise: "container" | "none",
): NameServerPlace {
  switch (server?.kind ?? otherwise) {
    case "container":
      return {
        kind: "container",
        address: canonicalAddress(serverAddress) ?? nameServerAddress(subnet),
        publishedPort,
      };
    case "machine":
      return {
        kind: "machine",
        address: canonicalAddress(server?.address ?? server?.machine?.host) ?? "",
        machine: resolveMachine(server?.machine),
      };
    case "external":
      return {
        kind: "external",
        host: canonicalHost(server?.host ?? ""),
        port: server?.port ?? 53,
        keyName: server?.keyName ?? "",
      };
    case "none":
      return { kind: "none" };
  }
}

/** One spelling per address; text that is none is kept, for the rule E_ADDRESS to show. */
export function canonicalAddress(address: string | undefined): string | undefined {
  return address === undefined ? undefined : (parseAddress(address)?.text ?? address);
}
