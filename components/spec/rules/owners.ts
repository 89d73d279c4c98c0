/** Who has an address in a deployment: the name server of ours, and every node. */
import type { Deployment, DeploymentBase, Place } from "../model.ts";
import type { Written } from "../schema.ts";
import type { WrittenBase } from "../schemaBase.ts";
import { machineKey } from "../sshHost.ts";
import type { RuleContext } from "./rule.ts";

export interface Owner {
  readonly who: string;
  readonly nameServer: boolean;
  readonly path: string;
  readonly address: string;
  /** As the user wrote it; undefined when it is derived. */
  readonly written: string | undefined;
  /** Undefined: on the containers' network. */
  readonly apart: Apart | undefined;
}

/** A host's own address, which the user has and we cannot choose. */
interface Apart {
  /** The machine's, from which an address is derived where it is one; undefined: a Docker host. */
  readonly host: string | undefined;
  /** Equal: the same machine. */
  readonly key: string;
}

/** `name`: whose engine it is, where it has one of its own. */
export function apartOf(name: string, place: Place): Apart | undefined {
  if (place.target === "machines") {
    return { host: place.machine.ssh.host, key: machineKey(place.machine.ssh) };
  }
  return place.ownEngine ? { host: undefined, key: name } : undefined;
}

/** The name server comes first: where a site has its address, the site is the one to move. */
export function owners(deployment: Deployment, { written }: RuleContext<Written>): Owner[] {
  const nodes = deployment.sites.map(({ name, place, node }) => ({
    who: name,
    nameServer: false,
    path: `deployment.sites.${name}.address`,
    address: node.address,
    written: written.sites[name]?.address,
    apart: apartOf(name, place),
  }));
  return [...nameServerOwner(deployment, written), ...nodes];
}

export function nameServerOwner({ names: { server } }: DeploymentBase, written: WrittenBase): Owner[] {
  if (server.kind !== "container" && server.kind !== "machine") return [];
  const own = { who: "the name server", nameServer: true };
  const { address } = server;
  if (server.kind === "container") {
    const path = "deployment.names.serverAddress";
    return [{ ...own, path, address, written: written.names.serverAddress, apart: undefined }];
  }
  const { ssh } = server.machine;
  const path = "deployment.names.server.address";
  const apart = { host: ssh.host, key: machineKey(ssh) };
  return [{ ...own, path, address, written: written.names.server?.address, apart }];
}
