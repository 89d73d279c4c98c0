/**
 * Two nodes in containers, without Pulumi: the rendered configuration, the image, the agent, and what the tests
 * do to them. Every name begins with a prefix and a number of its own, and `remove` leaves none of them behind.
 */
import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { accountNumbers, imageTag } from "../../components/hosts/containers/images.ts";
import { bundleDocument } from "../../components/hosts/containers/install.ts";
import { DockerAccess } from "../../components/hosts/containers/session.ts";
import { pythonStart } from "../../components/hosts/pythonScript.ts";
import { nodeFiles } from "../../components/postgres/files.ts";
import type { NodeReport } from "../../components/roles/facts.ts";
import type { CallLimits, Session, Verbs } from "../../components/roles/session.ts";
import type { Deployment, MachinePlace, Synchronous } from "../../components/spec/model.ts";
import { ensureImage } from "../../scripts/toolchain/nodeImages.ts";
import { Progress } from "../../scripts/toolchain/progress.ts";
import { type Leaf, makeCertificates } from "./certificates.ts";
import { docker, dockerWith } from "./docker.ts";

/** Of every start and stop that is expected to go well. */
export const limit = { timeoutSeconds: 30 } as const;

export const appPassword = "canary-4f1c9e";

export interface PairOptions {
  readonly synchronous: Synchronous;
  readonly degradeAfterSeconds?: number;
  readonly standbyReads?: boolean;
  readonly settings?: Readonly<Record<string, string | number>>;
  /** What the names of its containers begin with. */
  readonly prefix?: string;
  /** Data directory below /var/lib/postgresql that is the first node's, made by hand. */
  readonly adopt?: string;
}

export class Pair {
  readonly a: TestNode;
  readonly b: TestNode;
  readonly name: string;
  options: PairOptions;
  readonly #network: string;

  private constructor(name: string, subnet: string, options: PairOptions) {
    this.name = name;
    this.options = options;
    this.#network = `${name}-net`;
    this.a = new TestNode(this, "site-a", `${subnet}.11`);
    this.b = new TestNode(this, "site-b", `${subnet}.12`);
  }

  /** Containers that run an idle agent, with everything installed and no data directory. */
  static async create(options: PairOptions): Promise<Pair> {
    await ensureImage("postgres", new Progress({ quiet: true }));
    const pair = new Pair(
      `${options.prefix ?? "agt"}-${randomBytes(4).toString("hex")}`,
      freeSubnet(),
      options,
    );
    const certificates = await makeCertificates(imageTag("postgres"), pair.nodes);
    await docker("network", "create", "--subnet", pair.#subnet(), pair.#network);
    for (const node of pair.nodes) {
      node.authority = certificates.authority;
      node.leaf = certificates.leaves[node.name] ?? node.leaf;
    }
    await Promise.all(pair.nodes.map((node) => node.install().then(() => node.create(pair.#network))));
    return pair;
  }

  get nodes(): readonly TestNode[] {
    return [this.a, this.b];
  }

  /** From nothing to a pair that streams. */
  async bringUp(): Promise<void> {
    await this.a.call("initdb", {});
    await this.a.call("start", limit);
    await this.a.call("slots", { ensure: [this.b.slot], drop: [] });
    await this.b.call("clone", { from: this.a.name });
    await this.b.call("start", limit);
    await this.awaitSync();
  }

  async awaitSync(): Promise<number> {
    return (await this.a.call("awaitStandby", { standby: this.b.name, ...limit })).ms;
  }

  /** The application's role, database and table. */
  async addApplication(): Promise<void> {
    const role = ["CREATE ROLE app LOGIN", "CREATE DATABASE app OWNER app"];
    await this.a.call("sql", { database: "postgres", statements: role });
    await this.a.call("password", { role: "app" });
    const table = "CREATE TABLE public.t (n int)";
    await this.a.call("sql", { database: "app", statements: [table, "ALTER TABLE public.t OWNER TO app"] });
  }

  /** To the renderers a node that adopts is on a machine; the container stands for it. */
  #place(name: string): Deployment["sites"][number]["place"] {
    const { adopt } = this.options;
    if (adopt === undefined || name !== this.a.name) {
      return { target: "containers", dockerHost: undefined, ownEngine: false };
    }
    return { target: "machines", machine: { adopt } as MachinePlace["machine"] };
  }

  #subnet(): string {
    return `${this.a.address.replace(/\d+$/, "0")}/24`;
  }

  deployment(): Deployment {
    const database: Deployment["database"] = {
      kind: "streaming",
      version: 17,
      synchronous: this.options.synchronous,
      degradeAfterSeconds: this.options.degradeAfterSeconds ?? 30,
      standbyReads: this.options.standbyReads ?? true,
      settings: this.options.settings ?? {},
      clientAccess: [
        { databases: ["app"], roles: ["app"], network: this.#subnet(), method: "scram-sha-256" },
      ],
      roles: [
        {
          name: "app",
          login: true,
          createDb: false,
          createRole: false,
          connectionLimit: -1,
          memberOf: [],
          settings: {},
        },
      ],
      databases: [{ name: "app", owner: "app", extensions: [], settings: {} }],
      slotWalKeepMiB: 1024,
      stepTimeoutSeconds: 60,
    };
    return {
      name: this.name,
      domain: "ha.example.test",
      active: this.a.name,
      failover: undefined,
      repair: {},
      database,
      sites: this.nodes.map(({ name, address, slot }) => ({
        name,
        place: this.#place(name),
        fenceCommand: undefined,
        node: {
          name,
          site: name,
          address,
          port: 5432,
          client: { host: "127.0.0.1", port: 0 },
          publishedPort: 0,
          slot,
          memoryMiB: 512,
          image: undefined,
          settings: {},
        },
      })),
      names: {
        floating: "db.ha.example.test",
        ttlSeconds: 5,
        server: { kind: "container", address: "", publishedPort: 0 },
      },
      certificates: {
        caValidityDays: 1,
        validityHours: 48,
        renewBeforeHours: 1,
        ownCaCertificate: undefined,
      },
      containers: { subnet: this.#subnet(), dockerHost: undefined },
    } as Deployment;
  }

  async remove(): Promise<void> {
    await Promise.all(this.nodes.map((node) => node.remove()));
    await docker("network", "rm", this.#network).catch(() => undefined);
  }
}

export class TestNode {
  readonly name: string;
  readonly address: string;
  readonly slot: string;
  readonly container: string;
  authority = "";
  leaf: Leaf = { certificate: "", key: "" };
  password = appPassword;
  readonly #pair: Pair;
  readonly #access: DockerAccess;

  constructor(pair: Pair, name: string, address: string) {
    this.#pair = pair;
    this.name = name;
    this.address = address;
    this.slot = name.replaceAll("-", "_");
    this.container = `${pair.name}-${name}`;
    const reach = {
      kind: "docker",
      container: this.container,
      dataVolume: `${this.container}-data`,
      image: imageTag("postgres"),
    } as const;
    this.#access = new DockerAccess(name, reach);
  }

  async create(network: string): Promise<void> {
    const command = ["python3", "/etc/understudy/node.py", "run"];
    await docker(
      ...["run", "--detach", "--name", this.container, "--hostname", this.name, "--network", network],
      ...[
        "--ip",
        this.address,
        "--user",
        accountNumbers.postgres,
        "--stop-timeout",
        "60",
        "--security-opt",
        "no-new-privileges",
      ],
      ...["--volume", `${this.container}-config:/etc/understudy:ro`],
      ...["--volume", `${this.container}-old:/var/lib/postgresql`],
      ...["--volume", `${this.container}-data:/var/lib/understudy`, imageTag("postgres"), ...command],
    );
  }

  /** Renders and writes everything that the deployment would. `edit` may change a plain file. */
  async install(edit: (name: string, text: string) => string = (_, text) => text): Promise<void> {
    const deployment = this.#pair.deployment();
    const node = deployment.sites.find((site) => site.name === this.name)?.node;
    if (!node) throw new Error(`no node ${this.name}`);
    const plain = { ...agentFiles(), ...nodeFiles(deployment, node), "certificate.json": "{}\n" };
    const secret = {
      "ca.crt": `${this.authority}\n`,
      "server.crt": this.leaf.certificate,
      "server.key": this.leaf.key,
      "passwords/app": this.password,
    };
    const edited = Object.entries(plain).map(([name, text]) => [name, edit(name, text)]);
    await this.#write("config", "", false, Object.fromEntries(edited));
    await this.#write("secrets", "secrets", true, secret);
  }

  async #write(
    bundle: string,
    directory: string,
    secret: boolean,
    files: Readonly<Record<string, string>>,
  ): Promise<void> {
    const lines = Object.fromEntries(Object.entries(files).map(([name, text]) => [name, text.split("\n")]));
    const document = bundleDocument({
      bundle,
      directory,
      owner: accountNumbers.postgres,
      secret,
      files: lines,
    });
    const args = ["run", "--rm", "-i", "--network", "none", "--user", "0:0"];
    const mount = ["--volume", `${this.container}-config:/target`, "--entrypoint", "python3"];
    await dockerWith(document, ...args, ...mount, imageTag("postgres"), "-Ic", pythonStart);
  }

  session(): Promise<Session> {
    return this.#access.open();
  }

  /** A conversation of its own, which a test may cut off. */
  newAccess(): DockerAccess {
    return new DockerAccess(this.name, {
      kind: "docker",
      container: this.container,
      dataVolume: `${this.container}-data`,
      image: imageTag("postgres"),
    });
  }

  async call<V extends keyof Verbs>(
    verb: V,
    args: Verbs[V]["args"],
    limits: CallLimits = {},
  ): Promise<Verbs[V]["result"]> {
    return (await this.session()).call(verb, args, { timeoutMs: 90_000, ...limits });
  }

  observe(catalog = false): Promise<NodeReport> {
    return this.call("observe", { catalog });
  }

  /** As the superuser, on the node's socket; does not wait for a standby. */
  sql(statement: string, database = "postgres"): Promise<string> {
    const local = ["--env", "PGOPTIONS=-csynchronous_commit=local"];
    return docker("exec", ...local, this.container, "psql", "-XAtq", "-d", database, "-c", statement);
  }

  /** As an application would: over TLS, checked in full, from the other node's network. */
  clientSql(statement: string, seconds = 10): Promise<string> {
    const uri = `host=${this.address} user=app dbname=app sslmode=verify-full sslrootcert=/etc/understudy/secrets/ca.crt connect_timeout=5`;
    // The password by environment and file, as psql asks; argv of a container is readable on its host.
    const program = `PGPASSWORD="$(cat /etc/understudy/secrets/passwords/app)" timeout ${seconds} psql -XAtq -d "${uri}" -c "${statement}"`;
    return this.exec("sh", "-c", program);
  }

  exec(...command: readonly string[]): Promise<string> {
    return docker("exec", this.container, ...command);
  }

  /** The postmaster's number in the container. */
  async postmaster(): Promise<string> {
    return (await this.exec("head", "-1", "/var/lib/understudy/pgdata/postmaster.pid")).trim();
  }

  async logs(): Promise<string> {
    return new Promise((resolve) => {
      execFile("docker", ["logs", this.container], { maxBuffer: 1 << 26 }, (_, out, err) =>
        resolve(out + err),
      );
    });
  }

  /** Ends the conversation too: its program dies with the container. */
  async close(): Promise<void> {
    await this.#access.close();
  }

  async remove(): Promise<void> {
    await this.close();
    await docker("rm", "--force", this.container).catch(() => undefined);
    const volumes = ["config", "data", "old"].map((volume) => `${this.container}-${volume}`);
    await docker("volume", "rm", "--force", ...volumes).catch(() => undefined);
  }
}

/** Waits for a condition, with a limit. */
export async function until<T>(
  what: string,
  seconds: number,
  probe: () => Promise<T | undefined | false>,
): Promise<T> {
  const end = performance.now() + seconds * 1000;
  let last: unknown = "not yet";
  while (performance.now() < end) {
    try {
      const value = await probe();
      if (value !== undefined && value !== false) return value;
    } catch (error) {
      last = error;
    }
    await sleep(50);
  }
  throw new Error(`${what}: not within ${seconds} s (${last})`);
}

function agentFiles(): Record<string, string> {
  const folder = new URL("../../components/postgres/node/", import.meta.url);
  const names = readdirSync(folder).filter((name) => name.endsWith(".py"));
  return Object.fromEntries(names.map((name) => [name, readFileSync(new URL(name, folder), "utf8")]));
}

function freeSubnet(): string {
  const [one = 0, two = 0] = randomBytes(2);
  return `10.${200 + (one % 50)}.${two}`;
}
