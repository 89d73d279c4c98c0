/** Where the sites of a test's pair are, by target: what the stack's configuration says of it, and the nodes there. */

import { joinNetworks } from "./bridges.ts";
import type { Heal } from "./faults.ts";
import { TestMachines } from "./machines.ts";
import { ContainerNode, MachineNode, type NodeHandle, type Target } from "./nodeHandle.ts";
import { type SmallVolume, smallVolume } from "./smallVolume.ts";
import { docker } from "./stack.ts";

/** `mixed`: site-a in a container, site-b on a machine. */
export type PairTarget = Target | "mixed";

export interface PairPlacesOptions {
  readonly name: string;
  readonly target: PairTarget;
  readonly net: number;
  readonly port: number;
  readonly volumeMiB: number | undefined;
  /** On a third machine, where the target is machines; with containers there is always one. */
  readonly nameServer: boolean;
}

/** Of `deployment`. */
export interface PlacesConfig extends Record<string, unknown> {
  readonly sites: Readonly<Record<string, object>>;
  readonly database: Readonly<Record<string, unknown>>;
}

const dataDirectory = "/var/lib/understudy";

export class PairPlaces {
  readonly #options: PairPlacesOptions;
  readonly #nodes: Readonly<Record<string, NodeHandle>>;
  readonly #volumes: SmallVolume[] = [];
  #machines: TestMachines | undefined;
  #part: Heal | undefined;

  constructor(options: PairPlacesOptions) {
    this.#options = options;
    this.#nodes = { "site-a": this.#nodeOf("a"), "site-b": this.#nodeOf("b") };
  }

  node(site: string): NodeHandle {
    const node = this.#nodes[site];
    if (!node) throw new Error(`there is no ${site}`);
    return node;
  }

  /** For what a test does to a machine beside its node. */
  get machines(): TestMachines {
    if (!this.#machines) throw new Error(`${this.#options.name} has no machines, or they are not there yet`);
    return this.#machines;
  }

  async make(): Promise<PlacesConfig> {
    const { target, nameServer } = this.#options;
    if (target === "containers") {
      await this.#makeVolumes();
      return {
        ...this.#inContainers(),
        database: {},
        sites: { "site-a": this.#containerSite(0), "site-b": this.#containerSite(1) },
      };
    }
    const machines = await this.#makeMachines();
    const machine = (letter: string) => machines.config(machines.machine(letter));
    const machineSite = (letter: string) => ({ target: "machines", machine: machine(letter) });
    const from = (network: string) => ({ databases: ["app"], roles: ["app"], network });
    if (target === "machines") {
      return {
        names: {
          server: nameServer ? { kind: "machine", machine: machine("c") } : { kind: "none" },
        },
        database: { clientAccess: [from(machines.subnet)] },
        sites: { "site-a": machineSite("a"), "site-b": machineSite("b") },
      };
    }
    this.#part = await joinNetworks(this.#subnet, machines.subnet);
    return {
      ...this.#inContainers(),
      database: { clientAccess: [from(this.#subnet), from(machines.subnet)] },
      sites: { "site-a": this.#containerSite(0), "site-b": machineSite("b") },
    };
  }

  /** Takes away the site's node with everything that it had; a machine comes back bare, at its old address. */
  async lose(site: string): Promise<void> {
    const { container, target } = this.node(site);
    await docker("rm", "-f", container);
    if (target === "containers") await docker("volume", "rm", `${container}-data`, `${container}-config`);
    else await this.machines.restore();
  }

  /** First, because the stack's own removal takes the volumes that they use. */
  async removeMachines(): Promise<void> {
    await this.#machines?.remove();
  }

  async remove(): Promise<void> {
    for (const volume of this.#volumes) await volume.remove();
    await this.#part?.();
  }

  get #subnet(): string {
    return `10.${this.#options.net}.0.0/16`;
  }

  #nodeOf(letter: "a" | "b"): NodeHandle {
    const { name, target } = this.#options;
    const inContainer = target === "containers" || (target === "mixed" && letter === "a");
    return inContainer ? new ContainerNode(`${name}-site-${letter}`) : new MachineNode(`${name}-${letter}`);
  }

  #inContainers(): Record<string, unknown> {
    return {
      containers: { subnet: this.#subnet },
      names: { publishedPort: this.#options.port + 21 },
    };
  }

  #containerSite(index: number): object {
    return { target: "containers", publishedPort: this.#options.port + index };
  }

  /** A volume of the stack's own name, found by it and removed together with it. */
  async #makeVolumes(): Promise<void> {
    const { name, volumeMiB } = this.#options;
    if (volumeMiB === undefined) return;
    for (const { container } of Object.values(this.#nodes))
      this.#volumes.push(await smallVolume(name, `${container}-data`, volumeMiB));
  }

  async #makeMachines(): Promise<TestMachines> {
    const { name, net, nameServer } = this.#options;
    const count = nameServer ? 3 : 2;
    this.#machines = await TestMachines.start({ name, net: net + 50, count, ...(await this.#disks()) });
    return this.#machines;
  }

  /** A machine with a disk of its own for the data, which is where the deployment finds it: mounted and empty. */
  async #disks(): Promise<{ extra?: Record<string, string[]> }> {
    const { name, volumeMiB } = this.#options;
    if (volumeMiB === undefined) return {};
    const extra: Record<string, string[]> = {};
    for (const letter of ["a", "b"]) {
      const volume = `${name}-${letter}-data`;
      this.#volumes.push(await smallVolume(name, volume, volumeMiB, "0:0"));
      extra[letter] = ["--volume", `${volume}:${dataDirectory}`];
    }
    return { extra };
  }
}
