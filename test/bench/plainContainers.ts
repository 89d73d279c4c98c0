import { sql } from "../support/nodes.ts";
import type { PairStack, Site } from "../support/pairStack.ts";
import { docker } from "../support/stack.ts";
import { type PlainPlace, type PlainPlaces, plainTls } from "./plainPlaces.ts";

export interface PlainContainersOptions {
  readonly name: string;
  /** Second number of the subnet. */
  readonly net: number;
  /** First of two. */
  readonly port: number;
}

/** Containers of the same image, and with the same memory, as those of a pair. */
export class PlainContainers implements PlainPlaces {
  readonly way = "through `docker exec`";
  readonly network: string;
  readonly #like: PairStack;
  readonly #options: PlainContainersOptions;

  constructor(like: PairStack, options: PlainContainersOptions) {
    this.#like = like;
    this.#options = options;
    this.network = `10.${options.net}.0.0/24`;
  }

  async make(): Promise<Readonly<Record<Site, PlainPlace>>> {
    await docker("network", "create", "--subnet", this.network, this.#options.name);
    return { "site-a": await this.#create("site-a", 0), "site-b": await this.#create("site-b", 1) };
  }

  async #create(site: Site, index: number): Promise<PlainPlace> {
    const { name, net, port } = this.#options;
    const [image = "", memory = "0"] = (
      await docker("inspect", "-f", "{{.Config.Image}} {{.HostConfig.Memory}}", this.#like.container(site))
    ).split(" ");
    const container = this.#container(site);
    const address = `10.${net}.0.${11 + index}`;
    const run = ["run", "-d", "--init", "--name", container, "--network", name];
    const place = ["--ip", address, "--memory", memory, "-v", "/var/lib/understudy"];
    const publish = ["-p", `127.0.0.1:${port + index}:5432`];
    await docker(...run, ...place, ...publish, image, "sleep", "infinity");
    const shell = (script: string) => docker("exec", container, "sh", "-c", script);
    await shell(`mkdir -m 0700 ${plainTls}`);
    return {
      container,
      address,
      listens: { address: "127.0.0.1", port: port + index },
      shell,
      sql: (statement) => sql(container, statement),
    };
  }

  async remove(): Promise<void> {
    for (const site of ["site-a", "site-b"] as const)
      await docker("rm", "-f", "-v", this.#container(site)).catch(() => undefined);
    await docker("network", "rm", this.#options.name).catch(() => undefined);
  }

  #container(site: Site): string {
    return `${this.#options.name}-${site}`;
  }
}
