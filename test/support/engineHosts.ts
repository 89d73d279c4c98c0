/**
 * Docker hosts of their own for sites, each an engine inside a container that is reached as `ssh://root@<address>`.
 * `docker` and the provider run the user's `ssh`, which reads the user's files: a test puts an `ssh` of its own first
 * on PATH, which knows the key and the hosts and nothing else.
 */
import { execFile, spawn } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { promisify } from "node:util";
import { imageTag } from "../../components/hosts/containers/images.ts";
import { eventually } from "./nodes.ts";
import { docker } from "./stack.ts";

const run = promisify(execFile);
const image = "understudy-test/engine-host";

export interface EngineHost {
  readonly container: string;
  readonly address: string;
  readonly dockerHost: string;
}

export class EngineHosts {
  readonly #name: string;
  readonly #subnet: string;
  readonly #folder: string;
  readonly hosts: EngineHost[] = [];

  /** `net`: second number of the subnet. */
  constructor(name: string, net: number) {
    this.#name = name;
    this.#subnet = `10.${net}.0`;
    this.#folder = mkdtempSync(join(tmpdir(), `understudy-${name}-`));
  }

  get subnet(): string {
    return `${this.#subnet}.0/24`;
  }

  /** For every program that uses `docker` or the provider. */
  get environment(): NodeJS.ProcessEnv {
    return { PATH: [join(this.#folder, "bin"), process.env["PATH"]].join(delimiter) };
  }

  async start(count: number): Promise<void> {
    await run("docker", ["build", "--quiet", "--tag", image, "test/support/engine-host"]);
    await run("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", join(this.#folder, "key")]);
    await docker("network", "create", "--subnet", this.subnet, this.#name);
    for (let n = 0; n < count; n += 1) this.hosts.push(await this.#startOne(n));
    this.#writeSsh();
    await Promise.all(this.hosts.map((host) => this.#ready(host)));
  }

  /** Runs `docker` on one of them, past SSH. */
  async inside({ container }: EngineHost, ...args: string[]): Promise<string> {
    return await docker("exec", container, "docker", ...args);
  }

  async remove(): Promise<void> {
    for (const { container } of this.hosts) {
      await docker("rm", "-f", container);
      await docker("volume", "rm", "-f", container);
    }
    await docker("network", "rm", this.#name).catch(() => undefined);
    rmSync(this.#folder, { recursive: true, force: true });
  }

  async #startOne(n: number): Promise<EngineHost> {
    const container = `${this.#name}-${n + 1}`;
    const address = `${this.#subnet}.${n + 11}`;
    const rights = ["SYS_ADMIN", "NET_ADMIN", "SYS_PTRACE"].flatMap((name) => ["--cap-add", name]);
    const open = ["seccomp=unconfined", "systempaths=unconfined", "apparmor=unconfined"];
    await docker(
      ...["run", "--detach", "--name", container, "--network", this.#name, "--ip", address, ...rights],
      ...open.flatMap((option) => ["--security-opt", option]),
      // The engine inside finds its own group only by the names that the kernel has for it.
      ...["--cgroupns", "host", "--volume", "/sys/fs/cgroup:/sys/fs/cgroup:rw", "--tmpfs", "/run"],
      ...["--volume", `${container}:/var/lib/docker`, image],
    );
    return { container, address, dockerHost: `ssh://root@${address}` };
  }

  /** Reachable, trusted, and with our images, which would take minutes to build on each. */
  async #ready({ container }: EngineHost): Promise<void> {
    await docker("exec", container, "mkdir", "-p", "-m", "700", "/root/.ssh");
    await docker("cp", join(this.#folder, "key.pub"), `${container}:/root/.ssh/authorized_keys`);
    await docker("exec", container, "chown", "root:root", "/root/.ssh/authorized_keys");
    await eventually(60, `the engine in ${container}`, async () => {
      await docker("exec", container, "docker", "version");
      return true;
    });
    for (const tag of [imageTag("postgres"), "debian:trixie-slim"]) await copyImage(tag, container);
  }

  #writeSsh(): void {
    mkdirSync(join(this.#folder, "bin"));
    const wrapper = join(this.#folder, "bin", "ssh");
    const options = [
      `-i ${join(this.#folder, "key")}`,
      "-o IdentitiesOnly=yes",
      `-o UserKnownHostsFile=${join(this.#folder, "known_hosts")}`,
      // The first connection of a test to a host that the test made.
      "-o StrictHostKeyChecking=accept-new",
    ];
    writeFileSync(wrapper, `#!/bin/sh\nexec /usr/bin/ssh ${options.join(" ")} "$@"\n`);
    chmodSync(wrapper, 0o755);
  }
}

function copyImage(tag: string, container: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const save = spawn("docker", ["save", tag], { stdio: ["ignore", "pipe", "inherit"] });
    const load = spawn("docker", ["exec", "-i", container, "docker", "load"], {
      stdio: [save.stdout, "ignore", "inherit"],
    });
    load.on("error", reject);
    load.on("close", (code) =>
      code === 0 ? resolve() : reject(new Error(`${tag} was not copied to ${container} (exit ${code})`)),
    );
  });
}
