/**
 * Machines for a test: containers with systemd and sshd that nothing was installed on. What a test does to them from
 * outside goes through Docker, so that it works while SSH does not.
 */
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ensureMachineImage, type Release } from "../../scripts/toolchain/machines/image.ts";
import {
  booted,
  bringUpMachines,
  inside,
  type Machines,
  removeMachines,
} from "../../scripts/toolchain/machines/machines.ts";
import { bringUpMirror, type Mirror } from "../../scripts/toolchain/machines/mirror.ts";
import { ensureMirrorImage, ensurePackagesImage } from "../../scripts/toolchain/machines/mirrorImages.ts";
import {
  MACHINES_LABEL,
  type MachineName,
  type MachinesWish,
} from "../../scripts/toolchain/machines/names.ts";
import { Progress } from "../../scripts/toolchain/progress.ts";
import { disown, own } from "./leftovers.ts";
import { docker } from "./stack.ts";

export type TestMachine = MachineName;

export interface TestMachinesOptions {
  /** Prefix: the machines are `<name>-a`, `<name>-b`, …, reached at 10.<net>.0.11, 10.<net>.0.12, … */
  readonly name: string;
  /** Second number of the subnet, 10.<net>.0.0/24. */
  readonly net: number;
  readonly count?: number;
  readonly release?: Release;
  /** By the machine's letter: more arguments for `docker run`, e.g. a volume that can be filled. */
  readonly extra?: Readonly<Record<string, readonly string[]>>;
  /** By the machine's letter: another image than a bare machine's. */
  readonly images?: Readonly<Record<string, string>>;
}

export class TestMachines {
  readonly name: string;
  /** Of the network that they are on, and from whose first address this machine's clients come. */
  readonly subnet: string;
  readonly #wish: MachinesWish;
  readonly #folder: string;
  readonly #made: Machines;
  readonly #bringUp: () => Promise<Machines>;

  private constructor(wish: MachinesWish, folder: string, made: Machines, bringUp: () => Promise<Machines>) {
    this.name = wish.name;
    this.subnet = wish.subnet;
    this.#wish = wish;
    this.#folder = folder;
    this.#made = made;
    this.#bringUp = bringUp;
  }

  /** Some that an earlier run left behind under the name are removed first: they are not bare any more. */
  static async start(options: TestMachinesOptions): Promise<TestMachines> {
    const { name, count = 2, release = "trixie", extra, images } = options;
    const progress = new Progress({ quiet: true });
    const folder = mkdtempSync(join(tmpdir(), `understudy-${name}-machines-`));
    await removeMachines(name, folder);
    own(`${MACHINES_LABEL}=${name}`);
    const image = await ensureMachineImage(release, progress);
    const subnet = `10.${options.net}.0.0/24`;
    const wish = { name, count, subnet, ...(extra && { extra }), ...(images && { images }) };
    const bringUp = () => bringUpMachines(wish, image, progress, folder);
    const made = await bringUp().catch(async (error: unknown) => {
      // Nobody has them yet who could remove them.
      await removeMachines(name, folder);
      throw error;
    });
    return new TestMachines(wish, folder, made, bringUp);
  }

  get machines(): readonly TestMachine[] {
    return this.#made.machines;
  }

  get keyFile(): string {
    return this.#made.keyFile;
  }

  get knownHosts(): string {
    return this.#made.knownHosts;
  }

  /** `letter`: "a" for the first. */
  machine(letter: string): TestMachine {
    const found = this.machines.find(({ container }) => container === `${this.name}-${letter}`);
    if (!found) throw new Error(`${this.name} has no machine ${letter}`);
    return found;
  }

  /** What a stack's configuration says of it, under `machine`. */
  config({ address }: TestMachine, more: Record<string, unknown> = {}): Record<string, unknown> {
    return { host: address, keyFile: this.keyFile, knownHosts: this.knownHosts, ...more };
  }

  /** Another user with the same key, and what sudo lets him do: e.g. `NOPASSWD: ALL`. */
  async addUser({ container }: TestMachine, user: string, sudo?: string): Promise<void> {
    const home = `/home/${user}`;
    const rule = sudo === undefined ? "" : `echo '${user} ALL=(ALL) ${sudo}' > /etc/sudoers.d/${user};`;
    await onMachine(
      container,
      `set -e; useradd --create-home --shell /bin/sh ${user}; install -d -m 700 -o ${user} ${home}/.ssh;
       install -m 600 -o ${user} /root/.ssh/authorized_keys ${home}/.ssh/authorized_keys; ${rule}`,
    );
  }

  /** An apt repository beside them, which goes with them. `packages`: those of regions; none otherwise. */
  async mirror(content: "packages" | "nothing"): Promise<Mirror> {
    const progress = new Progress({ quiet: true });
    const image = content === "packages" ? ensurePackagesImage(progress) : ensureMirrorImage(progress);
    return await bringUpMirror(this.#wish, this.#made, await image);
  }

  /** Those that are not there any more come back as new ones: bare, and with other host keys, which become known. */
  async restore(): Promise<void> {
    await this.#bringUp();
  }

  async remove(): Promise<void> {
    await removeMachines(this.name, this.#folder);
    disown(`${MACHINES_LABEL}=${this.name}`);
  }
}

/** Runs a script as root; what it printed. Fails when it does. */
export async function onMachine(container: string, script: string, input?: string): Promise<string> {
  const { code, stdout, stderr } = await inside(container, script, input);
  if (code !== 0) throw new Error(`on ${container}: exit code ${code}: ${stderr}\n${script}`);
  return stdout.trim();
}

/** In order: services are stopped, what is in /run is gone, what is enabled comes up again. */
export async function reboot(container: string): Promise<void> {
  await docker("restart", container);
  await booted(container);
}

/** Back on after a power cut. */
export async function powerOn(container: string): Promise<void> {
  await docker("start", container);
  await booted(container);
}

/** Logins that sshd has let in since the machine's beginning, each on a connection of its own. */
export async function loginsOf(container: string): Promise<number> {
  return Number(await onMachine(container, "journalctl --quiet --unit ssh --grep '^Accepted ' | wc -l"));
}

const volatile = [
  "/var/log",
  "/var/cache",
  "/var/lib/systemd",
  "/var/tmp",
  "/etc/machine-id",
  "/etc/.updated",
];

/**
 * Everything on its disks that a deployment could change, as one text to compare: names, modes, owners and contents, which
 * units are enabled or masked, and the firewall. `without`: directories whose content is somebody's own business.
 */
export async function machineFingerprint(
  container: string,
  without: readonly string[] = [],
): Promise<string> {
  const prune = [...volatile, ...without].map((path) => `-path ${path}`).join(" -o ");
  const find = `find / -xdev \\( ${prune} \\) -prune -o`;
  return await onMachine(
    container,
    `${find} -printf '%M %u:%g %p %l\\n' | sort
     ${find} -type f -print0 | sort -z | xargs -0 sha256sum
     systemctl list-unit-files --no-legend --no-pager --state enabled,masked,enabled-runtime,masked-runtime
     if command -v nft > /dev/null; then nft --stateless list ruleset; fi`,
  );
}
