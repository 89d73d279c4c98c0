import * as docker from "@pulumi/docker";
import type * as pulumi from "@pulumi/pulumi";
import { NAME_SERVER_UNIT } from "../dns/zone.ts";
import type { SshRoute } from "../roles/desired.ts";
import type { Machine, Site } from "../spec/model.ts";
import type { AnyDeployment, RegionalHost } from "../spec/regionalModel.ts";
import { ContainerHost } from "./containers/containerHost.ts";
import { SHARED_ENGINE } from "./containers/engines.ts";
import { LocalImages } from "./containers/localImages.ts";
import { leftAlone, MARK_LABEL, type Presence } from "./containers/presence.ts";
import type { Host, Program } from "./host.ts";
import { MachineHost } from "./machines/machineHost.ts";

export interface HostsArgs {
  readonly deployment: AnyDeployment;
  /** What the Docker engines have of the deployment, by the engine's key; see `containers/engines.ts`. */
  readonly presence: Readonly<Record<string, Presence>>;
  /** The ways to the machines, by the name of the host: a site's, a region's host's, or the name server's unit. */
  readonly routes: Readonly<Record<string, SshRoute>>;
  /** Machines that do not answer; see `MachineHostArgs.silent`. */
  readonly silentMachines: readonly string[];
  /** A preview that reached nobody; see `MachineHostArgs.unseen`. */
  readonly unseen: boolean;
  /** By the name of the host: another value has everything on the machine written again. Config `repair`. */
  readonly repair: Readonly<Record<string, string>>;
}

interface EngineKey {
  readonly key: string;
  readonly dockerHost: string | undefined;
}

interface Engine {
  readonly provider: docker.Provider;
  readonly images: LocalImages;
  readonly network: docker.Network;
}

/** The one place that knows which kind of host a site or a region's host has. Docker engines are set up when the first site asks. */
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
    if (place.target === "machines") return this.#machine(name, node.address, place.machine, "postgres");
    const { dockerHost, ownEngine } = place;
    return this.#container(name, node.address, { key: ownEngine ? name : SHARED_ENGINE, dockerHost });
  }

  /** Of a region. `program`: what is to run there. */
  ofHost({ name, place, address }: RegionalHost, program: Program): Host {
    if (place.target === "machines") return this.#machine(name, address, place.machine, program);
    const { dockerHost, ownEngine } = place;
    return this.#container(name, address, { key: ownEngine ? name : SHARED_ENGINE, dockerHost });
  }

  ofNameServer(): Host {
    const { server } = this.#args.deployment.names;
    if (server.kind === "machine")
      return this.#machine(NAME_SERVER_UNIT, server.address, server.machine, "dns");
    const address = server.kind === "container" ? server.address : "";
    const { dockerHost } = this.#args.deployment.containers;
    return this.#container(NAME_SERVER_UNIT, address, { key: SHARED_ENGINE, dockerHost });
  }

  #container(name: string, address: string, { key, dockerHost }: EngineKey): Host {
    return new ContainerHost(name, {
      deployment: this.#args.deployment.name,
      site: name,
      address,
      dockerHost,
      ownEngine: key !== SHARED_ENGINE,
      presence: this.#presence(key),
      ...this.#engine({ key, dockerHost }),
    });
  }

  #machine(name: string, address: string, machine: Machine, program: Program): Host {
    const route = this.#args.routes[name];
    if (route === undefined) throw new Error(`internal: no way to the machine of ${name}`);
    const known = this.#machines.get(name);
    if (known) return known;
    const { deployment, repair, silentMachines, unseen } = this.#args;
    const host = new MachineHost(
      name,
      {
        deployment: deployment.name,
        address,
        machine,
        route,
        program,
        database: deployment.database,
        repair: repair[name],
        silent: silentMachines.includes(name),
        unseen,
      },
      this.#parent,
    );
    this.#machines.set(name, host);
    return host;
  }

  #engine({ key, dockerHost }: EngineKey): Engine {
    const known = this.#engines.get(key);
    if (known) return known;
    const parent = this.#parent;
    const name = key === SHARED_ENGINE ? this.#name : `${this.#name}-${key}`;
    const provider = new docker.Provider(
      `${name}-docker`,
      {
        // Explicit, because a later change of DOCKER_HOST in somebody's shell must not move a deployment.
        host: dockerHost ?? "unix:///var/run/docker.sock",
        // Whoever can only preview, or has lost this engine with its site, asks it nothing.
        disableDockerDaemonCheck: true,
      },
      { parent },
    );
    const images = new LocalImages(`${name}-images`, { dockerHost }, { parent });
    const presence = this.#presence(key);
    const network = new docker.Network(`${name}-network`, this.#networkArgs(presence), {
      parent,
      provider,
      ...leftAlone(presence, ["labels"]),
    });
    const engine = { provider, images, network };
    this.#engines.set(key, engine);
    return engine;
  }

  #presence(key: string): Presence {
    const presence = this.#args.presence[key];
    if (presence === undefined)
      throw new Error(`internal: the engine ${key || "of the deployment"} was not looked at`);
    return presence;
  }

  #networkArgs(presence: Presence): docker.NetworkArgs {
    const { deployment } = this.#args;
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
