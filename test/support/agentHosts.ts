/**
 * The hosts of one small region as containers that run our agent, without Pulumi: what is rendered, installed into
 * their volumes, and conversations with them. Every name begins with the given one, and `remove` leaves none behind.
 */
import { randomBytes, randomUUID } from "node:crypto";
import { secretsConfig } from "../../components/consul/secretsConfig.ts";
import { childProgram } from "../../components/hosts/childProgram.ts";
import { accountNumbers, onDemandImageTag } from "../../components/hosts/containers/images.ts";
import type { Account } from "../../components/hosts/host.ts";
import { LineSession } from "../../components/hosts/lineSession.ts";
import { secretsYml } from "../../components/patroni/patroniYml.ts";
import { timingProfiles } from "../../components/patroni/timing.ts";
import { pgbouncerUsers } from "../../components/pgbouncer/pgbouncerIni.ts";
import { agentSources } from "../../components/regions/agentSources.ts";
import { accessOf, tokenNames } from "../../components/regions/render/access.ts";
import { hostFiles } from "../../components/regions/render/hostFiles.ts";
import type { AnyHost } from "../../components/regions/render/programs.ts";
import type { UnitSession } from "../../components/regions/session.ts";
import type { UnitVerbs } from "../../components/regions/verbs.ts";
import type { CallLimits } from "../../components/roles/conversation.ts";
import { hostsOf, type Region, type RegionalDeployment } from "../../components/spec/regionalModel.ts";
import { makeCertificates } from "../node/certificates.ts";
import { docker, dockerWith } from "../node/docker.ts";
import { own, removeOwned } from "./leftovers.ts";

type Files = Readonly<Record<string, string>>;

const place = { target: "containers", dockerHost: undefined, ownEngine: false } as const;

const accounts: Readonly<Record<AnyHost["role"], Account>> = {
  server: "consul",
  member: "postgres",
  proxy: "haproxy",
};

const imagesOf = { server: "consul", member: "patroni", proxy: "haproxy" } as const;

export class AgentHosts {
  readonly deployment: RegionalDeployment;
  readonly region: Region;
  readonly managementToken = randomUUID();
  readonly tokens: Readonly<Record<string, string>>;
  gossipKey = randomBytes(32).toString("base64");
  readonly #name: string;
  #certificates: Awaited<ReturnType<typeof makeCertificates>> | undefined;

  constructor(name: string, net: string) {
    this.#name = name;
    this.deployment = sampleOf(net);
    this.region = this.deployment.regions[0] as Region;
    const { tokens } = accessOf(this.deployment, this.region);
    this.tokens = Object.fromEntries(Object.keys(tokens).map((token) => [token, randomUUID()]));
  }

  get hosts(): readonly AnyHost[] {
    return hostsOf(this.region);
  }

  host(name: string): AnyHost {
    const found = this.hosts.find((one) => one.name === name);
    if (found === undefined) throw new Error(`there is no host ${name}`);
    return found;
  }

  certificateOf(name: string): string {
    return this.#certificates?.leaves[name]?.certificate ?? "";
  }

  container(name: string): string {
    return `${this.#name}-${name}`;
  }

  async prepare(): Promise<void> {
    await this.remove();
    own(this.#owned);
    const net = this.hosts[0]?.address.replace(/\.\d+$/, "");
    await docker("network", "create", ...this.#label(), "--subnet", `${net}.0/24`, this.#name);
    await this.certify(this.hosts);
    await Promise.all(this.hosts.map((host) => this.install(host.name)));
  }

  /** New certificates for all of them. */
  async certify(hosts: readonly AnyHost[]): Promise<void> {
    this.#certificates = await makeCertificates(
      onDemandImageTag("patroni"),
      hosts.map((host) => ({
        name: host.name,
        address: host.address,
        more: [
          "IP:127.0.0.1",
          "DNS:localhost",
          ...(host.role === "server" ? [`DNS:server.${this.region.datacenter}.consul`] : []),
        ],
      })),
    );
  }

  /** Writes everything that the host reads; `changes` over what is rendered. */
  async install(name: string, changes: Files = {}): Promise<void> {
    const host = this.host(name);
    const { files, secrets } = this.contentOf(this.deployment, host);
    const below = Object.entries(secrets).map(([file, text]) => [`secrets/${file}`, text]);
    const all: Files = { ...files, ...Object.fromEntries(below), ...changes };
    await this.#fill(this.container(name), accountNumbers[accounts[host.role]], all);
  }

  /** What a host of this deployment reads: below its configuration directory, and below the secret one in there. */
  contentOf(deployment: RegionalDeployment, host: AnyHost): { files: Files; secrets: Files } {
    const { name } = host;
    const leaf = this.#certificates?.leaves[name];
    const secrets: Files = {
      "ca.crt": this.#certificates?.authority ?? "",
      "server.crt": leaf?.certificate ?? "",
      "server.key": leaf?.key ?? "",
      ...(host.role === "proxy" ? {} : { "consul.json": this.#consulSecrets(host) }),
      ...(host.role === "server" ? { "tokens.json": JSON.stringify(this.tokens) } : {}),
      ...(host.role === "proxy" && host.pooledPort !== undefined
        ? { "pgbouncer.users": pgbouncerUsers({ app: "not a secret of anybody's" }) }
        : {}),
      ...(host.role === "member"
        ? { "patroni.yml": secretsYml({ consulToken: this.tokens[tokenNames.patroni(name)] ?? "" }) }
        : {}),
    };
    const files: Files = {
      ...agentSources(),
      ...hostFiles(deployment, host),
      "certificate.json": "{}\n",
    };
    return { files, secrets };
  }

  async run(name: string): Promise<void> {
    const host = this.host(name);
    await docker(
      "run",
      "-d",
      ...this.#label(),
      ...["--name", this.container(name), "--hostname", name, "--network", this.#name, "--ip", host.address],
      ...[
        "-v",
        `${this.container(name)}:/etc/understudy:ro`,
        "-v",
        `${this.container(name)}-data:/var/lib/understudy`,
      ],
      ...["--stop-timeout", "60", "--security-opt", "no-new-privileges"],
      onDemandImageTag(imagesOf[host.role]),
      ...["python3", "/etc/understudy/agent.py", "run"],
    );
  }

  session(name: string): UnitSession {
    const command = ["exec", "-i", this.container(name), "python3", "/etc/understudy/agent.py", "serve"];
    return new LineSession<UnitVerbs>(name, childProgram(["docker", ...command]));
  }

  /** One verb in a conversation of its own. */
  async call<V extends keyof UnitVerbs>(
    name: string,
    verb: V,
    args: UnitVerbs[V]["args"],
    limits?: CallLimits,
  ): Promise<UnitVerbs[V]["result"]> {
    const session = this.session(name);
    try {
      return await session.call(verb, args, limits);
    } finally {
      await session.close();
    }
  }

  /** Beside a container that is stopped. */
  async callBeside<V extends keyof UnitVerbs>(
    name: string,
    verb: V,
    args: UnitVerbs[V]["args"],
  ): Promise<UnitVerbs[V]["result"]> {
    const beside = ["run", "--rm", "-i", "--volumes-from", this.container(name), "--network", "none"];
    const image = onDemandImageTag(imagesOf[this.host(name).role]);
    const command = ["--entrypoint", "python3", image, "/etc/understudy/agent.py", "serve", "--offline"];
    const session = new LineSession<UnitVerbs>(name, childProgram(["docker", ...beside, ...command]));
    try {
      return await session.call(verb, args);
    } finally {
      await session.close();
    }
  }

  async remove(): Promise<void> {
    await removeOwned(this.#owned);
  }

  #consulSecrets(host: AnyHost): string {
    return secretsConfig({
      gossipKey: this.gossipKey,
      agentToken: this.tokens[tokenNames.agent(host.name)] ?? "",
      defaultToken: this.tokens[tokenNames.dns] ?? "",
      ...(host.role === "server" ? { initialManagementToken: this.managementToken } : {}),
    });
  }

  async #fill(volume: string, owner: string, files: Files): Promise<void> {
    await docker("volume", "create", ...this.#label(), volume);
    await docker("volume", "create", ...this.#label(), `${volume}-data`);
    const script = [
      "set -e; umask 077; cd /mnt; mkdir -p secrets patroni",
      ...Object.entries(files).map(
        ([path, text]) =>
          `echo ${Buffer.from(text).toString("base64")} | base64 -d > ${path}.new; mv ${path}.new ${path}`,
      ),
      `chown -R ${owner} .; chmod 0700 .`,
    ].join("\n");
    const mount = ["-v", `${volume}:/mnt`, "-u", "0", "--network", "none"];
    await dockerWith(
      script,
      "run",
      "--rm",
      "-i",
      ...this.#label(),
      ...mount,
      onDemandImageTag("consul"),
      "sh",
    );
  }

  #label(): [string, string] {
    return ["--label", this.#owned];
  }

  get #owned(): string {
    return `understudy.test=${this.#name}`;
  }
}

function sampleOf(net: string): RegionalDeployment {
  const base = (name: string, last: number) => ({
    name,
    region: "region-a",
    place,
    address: `${net}.${last}`,
    memoryMiB: 512,
  });
  return {
    name: "orders",
    domain: "ha.example.test",
    active: "region-a",
    failover: undefined,
    database: {
      kind: "patroni",
      version: 17,
      synchronous: "off",
      settings: {},
      clientAccess: [{ databases: ["app"], roles: ["app"], network: `${net}.0/24`, method: "scram-sha-256" }],
      roles: [],
      databases: [],
      slotWalKeepMiB: 1024,
      stepTimeoutSeconds: 30,
      scope: "orders",
      namespace: "/service/",
      profile: "fast",
      timing: timingProfiles.fast,
      maximumLagMiB: 1,
      sessionChecks: [],
    },
    regions: [
      {
        name: "region-a",
        datacenter: "region-a",
        leader: undefined,
        servers: [1, 2, 3].map((n) => ({ ...base(`consul-${n}`, 20 + n), role: "server" as const })),
        members: [
          { ...base("member-1", 11), role: "member", port: 5432, restPort: 8008, settings: {}, tags: {} },
        ],
        proxies: [
          {
            ...base("proxy", 31),
            role: "proxy",
            writePort: 5432,
            readPort: 5433,
            client: { write: { host: "127.0.0.1", port: 0 }, read: { host: "127.0.0.1", port: 0 } },
            published: undefined,
          },
        ],
        consul: { snapshotEveryHours: 6, snapshotsKept: 8 },
        fenceCommand: undefined,
      },
    ],
  } as unknown as RegionalDeployment;
}
