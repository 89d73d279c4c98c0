/**
 * A region of containers for a test: three Consul servers, three nodes of Patroni, each with its agent, HAProxy and a
 * client. A node is a network namespace that an idle container holds; Patroni and the agent live in it, as on a machine.
 */
import { onDemandImageTag } from "../../components/hosts/containers/images.ts";
import { makeCertificates } from "../node/certificates.ts";
import { docker, dockerWith } from "../node/docker.ts";
import { until } from "../node/pair.ts";
import { type Answer, type Ask, askConsul, grants } from "./consulAdmin.ts";
import { own, removeOwned } from "./leftovers.ts";
import { datacenter, type Files, PatroniShape, type Place } from "./patroniShape.ts";

export const images = {
  consul: onDemandImageTag("consul"),
  patroni: onDemandImageTag("patroni"),
  haproxy: onDemandImageTag("haproxy"),
};

export class PatroniCluster {
  readonly shape: PatroniShape;
  readonly #name: string;

  constructor(name: string, net: string) {
    this.#name = name;
    this.shape = new PatroniShape(net);
  }

  /** The network, the volumes with everything that is rendered, and the nodes' namespaces. */
  async prepare(): Promise<void> {
    const { servers, nodes, proxy, client, subnet } = this.shape;
    await this.remove();
    own(this.#owned);
    await docker("network", "create", ...this.#label(), "--subnet", subnet, this.#name);
    const loopback = ["IP:127.0.0.1", "DNS:localhost"];
    const certificates = await makeCertificates(images.patroni, [
      ...servers.map((place) => ({ ...place, more: [`DNS:server.${datacenter}.consul`, ...loopback] })),
      ...nodes.map((place) => ({ ...place, more: [`IP:${proxy.address}`, ...loopback] })),
      client,
    ]);
    const secrets = ({ name }: Place): Files => ({
      "secrets/ca.crt": certificates.authority,
      "secrets/server.crt": certificates.leaves[name]?.certificate ?? "",
      "secrets/server.key": certificates.leaves[name]?.key ?? "",
    });
    await Promise.all([
      ...[...servers, ...nodes].map((place) =>
        this.#fill(`${place.name}-consul`, "997:997", {
          ...this.shape.consulFiles(place),
          ...secrets(place),
        }),
      ),
      ...nodes.map((place) =>
        this.#fill(place.name, "999:999", { ...this.shape.patroniFiles(place), ...secrets(place) }),
      ),
      this.#fill(client.name, "999:999", secrets(client)),
      this.#fill(proxy.name, "996:996", { ...this.shape.proxyFiles, "ca.crt": certificates.authority }),
      ...nodes.map((place) => this.#run(place.name, images.consul, this.#at(place), ["sleep", "infinity"])),
    ]);
    await this.#run(
      client.name,
      images.patroni,
      [...this.#at(client), ...this.#volume(client.name, "/etc/understudy")],
      ["sleep", "infinity"],
    );
  }

  /** Servers first: the agents' and Patroni's tokens have to exist before anybody uses them. */
  async startConsul(): Promise<void> {
    const { servers, nodes } = this.shape;
    await Promise.all(servers.map((place) => this.#consul(place, this.#at(place))));
    await until("Consul elects a leader", 60, async () => {
      const [leader] = await this.ask([{ method: "GET", path: "/v1/status/leader", token: "" }]);
      return leader !== undefined && /\d:8300/.test(leader[1]);
    });
    for (const [status, text] of await this.ask(grants(this.shape))) {
      if (status !== 200) throw new Error(`Consul answered ${status}: ${text}`);
    }
    await Promise.all(nodes.map((place) => this.#consul(place, this.#inside(place))));
  }

  async startPatroni(): Promise<void> {
    await Promise.all(
      this.shape.nodes.map((node) =>
        this.#run(`${node.name}-patroni`, images.patroni, this.patroniOptions(node), [
          "patroni",
          "/etc/understudy/patroni",
        ]),
      ),
    );
  }

  async startHaproxy(): Promise<void> {
    const { proxy } = this.shape;
    const options = [...this.#at(proxy), ...this.#volume(proxy.name, "/etc/understudy")];
    const command = ["haproxy", "-W", "-db", "-f", "/etc/understudy/haproxy.cfg"];
    await this.#run(proxy.name, images.haproxy, options, command);
  }

  /** Of a container that sees what this node's Patroni sees. */
  patroniOptions(node: Place): string[] {
    return [...this.#inside(node), ...this.#volume(node.name, "/etc/understudy")];
  }

  consulOptions(place: Place): string[] {
    return this.#volume(`${place.name}-consul`, "/etc/understudy");
  }

  proxyOptions(): string[] {
    return this.#volume(this.shape.proxy.name, "/etc/understudy");
  }

  /** Asks the first Consul server, as the client. */
  ask(asks: readonly Ask[]): Promise<Answer[]> {
    const server = this.shape.servers[0]?.address ?? "";
    return askConsul(this.container(this.shape.client.name), server, asks);
  }

  /** The members as Patroni shows them to an operator on a node. */
  async members(on: Place): Promise<{ Member: string; Role: string; State: string; TL: number }[]> {
    const text = await docker(
      "exec",
      this.container(`${on.name}-patroni`),
      "patronictl",
      "-c",
      "/etc/understudy/patroni",
      "list",
      "-f",
      "json",
    );
    return JSON.parse(text) as { Member: string; Role: string; State: string; TL: number }[];
  }

  container(name: string): string {
    return `${this.#name}-${name}`;
  }

  async remove(): Promise<void> {
    await removeOwned(this.#owned);
  }

  async #consul(place: Place, where: readonly string[]): Promise<void> {
    const files = ["consul.json", "start.json", "secrets.json"].flatMap((name) => [
      "-config-file",
      `/etc/understudy/${name}`,
    ]);
    const options = [...where, ...this.consulOptions(place)];
    await this.#run(`${place.name}-consul`, images.consul, options, ["consul", "agent", ...files]);
  }

  async #run(
    name: string,
    image: string,
    options: readonly string[],
    command: readonly string[],
  ): Promise<void> {
    await docker(
      "run",
      "-d",
      ...this.#label(),
      "--name",
      this.container(name),
      ...options,
      image,
      ...command,
    );
  }

  /** Writes files into a volume; the account owns them, mode 0600. */
  async #fill(name: string, owner: string, files: Files): Promise<void> {
    await docker("volume", "create", ...this.#label(), this.container(name));
    const script = [
      "set -e; umask 077; cd /mnt; mkdir -p secrets patroni",
      ...Object.entries(files).map(
        ([path, text]) => `echo ${Buffer.from(text).toString("base64")} | base64 -d > ${path}`,
      ),
      `chown -R ${owner} .; chmod 0700 .`,
    ].join("\n");
    const mount = ["-v", `${this.container(name)}:/mnt`, "-u", "0", "--network", "none"];
    await dockerWith(script, "run", "--rm", "-i", ...this.#label(), ...mount, images.consul, "sh");
  }

  #label(): string[] {
    return ["--label", this.#owned];
  }

  #at({ address }: Place): string[] {
    return ["--network", this.#name, "--ip", address];
  }

  #inside({ name }: Place): string[] {
    return ["--network", `container:${this.container(name)}`];
  }

  #volume(name: string, path: string): string[] {
    return ["-v", `${this.container(name)}:${path}:ro`];
  }

  get #owned(): string {
    return `understudy.test=${this.#name}`;
  }
}
