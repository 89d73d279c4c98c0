/** Where the hosts of a test's regions are, by target: what the stack's configuration says of them, and the hosts there. */
import { ensureStockedMachineImage } from "../../scripts/toolchain/machines/mirrorImages.ts";
import { Progress } from "../../scripts/toolchain/progress.ts";
import { type TestMachine, TestMachines } from "./machines.ts";
import { ContainerNode, MachineNode, type NodeHandle, type Target } from "./nodeHandle.ts";
import type { RegionName } from "./regionFacts.ts";

export interface RegionPlacesOptions {
  readonly name: string;
  readonly target: Target;
  /** Second number of the subnet. */
  readonly net: number;
  /** First of the ports that are published where the regions are in containers. */
  readonly port: number;
  readonly regions: readonly RegionName[];
  /** The proxies have PgBouncer. */
  readonly pooled: boolean;
}

/** Of the regions that there are. */
export type WrittenRegions = Record<RegionName, Record<string, unknown>>;

const members = (region: string) => [1, 2, 3].map((number) => `${region}-${number}`);
const servers = (region: string) => [1, 2, 3].map((number) => `${region}-consul-${number}`);
const proxy = (region: string) => `${region}-proxy`;
const hostsOf = (region: string) => [...members(region), ...servers(region), proxy(region)];
const letterAt = (index: number) => String.fromCharCode("a".charCodeAt(0) + index);

function byRegion(regions: readonly [string, Record<string, unknown>][]): WrittenRegions {
  return Object.fromEntries(regions) as WrittenRegions;
}

export class RegionPlaces {
  readonly target: Target;
  readonly #options: RegionPlacesOptions;
  /** By host: the letter of its machine. */
  readonly #letters: ReadonlyMap<string, string>;
  #machines: TestMachines | undefined;

  constructor(options: RegionPlacesOptions) {
    this.#options = options;
    this.target = options.target;
    const hosts = options.regions.flatMap(hostsOf);
    this.#letters = new Map(hosts.map((host, index) => [host, letterAt(index)]));
  }

  node(host: string): NodeHandle {
    const { name, target } = this.#options;
    if (target === "containers") return new ContainerNode(`${name}-${host}`);
    const letter = this.#letters.get(host);
    if (letter === undefined) throw new Error(`${name} has no host ${host}`);
    return new MachineNode(`${name}-${letter}`);
  }

  /** Where the name server is published. */
  get namesPort(): number {
    const { port, regions } = this.#options;
    return port + 2 * regions.length;
  }

  /** For what a test does to a machine beside its host's unit. */
  get machines(): TestMachines {
    if (!this.#machines) throw new Error(`${this.#options.name} has no machines, or they are not there yet`);
    return this.#machines;
  }

  /** Of `deployment`. */
  inContainers(): { readonly regions: WrittenRegions } & Record<string, unknown> {
    const { net, port, regions, pooled } = this.#options;
    const pooledPort = this.namesPort + 1;
    const written = regions.map((region, index): [string, Record<string, unknown>] => {
      const write = port + 2 * index;
      const published = {
        ...{ publishedWritePort: write, publishedReadPort: write + 1 },
        ...(pooled ? { publishedPooledPort: pooledPort + index } : {}),
      };
      const proxies = { [proxy(region)]: published };
      return [region, { target: "containers", proxies }];
    });
    return {
      containers: { subnet: `10.${net}.0.0/16` },
      names: { publishedPort: this.namesPort },
      regions: byRegion(written),
    };
  }

  /**
   * Brings the machines up. One host of each role of the first region is bare, and gets what Debian does not have from a
   * mirror; the others have their packages, because fourteen installations prove no more than three.
   */
  async onMachines(): Promise<{
    readonly regions: WrittenRegions;
    readonly clientAccess: readonly object[];
  }> {
    const { name, net, regions } = this.#options;
    const [first = "region-a"] = regions;
    const bare = new Set([members(first)[0], servers(first)[0], proxy(first)]);
    const stocked = await ensureStockedMachineImage(new Progress({ quiet: true }));
    const images = [...this.#letters]
      .filter(([host]) => !bare.has(host))
      .map(([, letter]) => [letter, stocked]);
    this.#machines = await TestMachines.start({
      ...{ name, net, count: this.#letters.size },
      images: Object.fromEntries(images),
    });
    const { source } = await this.#machines.mirror("packages");
    const { keyFile, knownHosts } = this.#machines;
    const placed = (hosts: readonly string[], more: Readonly<Record<string, unknown>> = {}) =>
      Object.fromEntries(
        hosts.map((host) => [host, { machine: { host: this.#machine(host).address }, ...more }]),
      );
    const region = (region: string) => ({
      target: "machines",
      machine: { keyFile, knownHosts, packageMirror: source },
      members: placed(members(region)),
      consulServers: placed(servers(region)),
      proxies: placed([proxy(region)]),
    });
    const network = this.#machines.subnet;
    return {
      regions: byRegion(regions.map((name) => [name, region(name)])),
      clientAccess: [{ databases: ["app"], roles: ["app"], network }],
    };
  }

  async removeMachines(): Promise<void> {
    await this.#machines?.remove();
  }

  #machine(host: string): TestMachine {
    return this.machines.machine(this.#letters.get(host) ?? "");
  }
}
