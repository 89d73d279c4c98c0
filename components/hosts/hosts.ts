import * as docker from "@pulumi/docker";
import type * as pulumi from "@pulumi/pulumi";
import { NAME_SERVER_UNIT } from "../dns/zone.ts";
import type { SshRoute } from "../roles/desired.ts";
import type { Deployment, Machine, Site } from "../spec/model.ts";
import { ContainerHost } from "./containers/containerHost.ts";
import { LocalImages } from "./containers/localImages.ts";
import { MARK_LABEL, type Presence } from "./containers/presence.ts";
import type { Host } from "./host.ts";
import { MachineHost } from "./machines/machineHost.ts";

export interface HostsArgs {
  readonly deployment: Deployment;
  /** What the Docker engines have of the deployment; see `containers/presence.ts`. */
  readonly presence: Presence;
  /** The ways to the machines, by the name of the host: a site's, or the name server's unit. */
  readonly routes: Readonly<Record<string, SshRoute>>;
  /** By the name of the host: another value has everything on the machine written again. Config `repair`. */
  readonly repair: Readonly<Record<string, string>>;
}

interface Engine {
  readonly provider: docker.Provider;
  readonly images: LocalImages;
  readonly network: docker.Network;
}

/** The one place that knows which kind of host a site has. Docker engines are set up when the first site asks. */
export class Hosts {
  readonly #name: string;
  readonly #args: HostsArgs;
  readonly #parent: pulumi.Resource;
  readonly #engines = new Map<string, Engine>();
  readonly #machines = new Map<string, MachineHost>();

  constructor(name: string, args: HostsArgs, parent: pulumi.Resource) {
    this.#name = name;
    this.#args = args;
    this.#parent = parent;
  }

  ofSite({ name, place, node }: Site): Host {
    if (place.target === "machines") return this.#machine(name, node.address, place.machine);
    const { dockerHost, ownEngine } = place;
    return this.#container(name, node.address, dockerHost, ownEngine ? `${this.#name}-${name}` : this.#name);
  }

  ofNameServer(): Host {
    const { server } = this.#args.deployment.names;
    if (server.kind === "machine") return this.#machine(NAME_SERVER_UNIT, server.address, server.machine);
    const address = server.kind === "container" ? server.address : "";
    return this.#container(
      NAME_SERVER_UNIT,
      address,
      this.#args.deployment.containers.dockerHost,
      this.#name,
    );
  }

  #container(name: string, address: string, dockerHost: string | undefined, engine: string): Host {
    const { deployment, presence } = this.#args;
    return new ContainerHost(name, {
      deployment: deployment.name,
      site: name,
      address,
      dockerHost,
      ownEngine: engine !== this.#name,
      presence,
      ...this.#engine(engine, dockerHost),
    });
  }

  #machine(name: string, address: string, machine: Machine): Host {
    const route = this.#args.routes[name];
    if (route === undefined) throw new Error(`internal: no way to the machine of ${name}`);
    const known = this.#machines.get(name);
    if (known) return known;
    const { deployment, repair } = this.#args;
    const host = new MachineHost(
      name,
      { deployment: deployment.name, address, machine, route, repair: repair[name] },
      this.#parent,
    );
    this.#machines.set(name, host);
    return host;
  }

  #engine(name: string, dockerHost: string | undefined): Engine {
    const known = this.#engines.get(name);
    if (known) return known;
    const parent = this.#parent;
    // Explicit, because a later change of DOCKER_HOST in somebody's shell must not move a deployment.
    const provider = new docker.Provider(
      `${name}-docker`,
      { host: dockerHost ?? "unix:///var/run/docker.sock" },
      { parent },
    );
    const images = new LocalImages(`${name}-images`, { dockerHost }, { parent });
    const network = new docker.Network(`${name}-network`, this.#networkArgs(), { parent, provider });
    const engine = { provider, images, network };
    this.#engines.set(name, engine);
    return engine;
  }

  #networkArgs(): docker.NetworkArgs {
    const { deployment, presence } = this.#args;
    return {
      name: deployment.name,
      driver: "bridge",
      ipamConfigs: [{ subnet: deployment.containers.subnet }],
      labels: [
        { label: "understudy.deployment", value: deployment.name },
        { label: MARK_LABEL, value: presence.networks[deployment.name] ?? presence.fresh },
      ],
    };
  }
}
