import { type ChildProcess, execFile, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { onMachine, type TestMachine, TestMachines } from "../support/machines.ts";
import { eventually } from "../support/nodes.ts";
import type { Site } from "../support/pairStack.ts";
import { type PlainPlace, type PlainPlaces, plainTls } from "./plainPlaces.ts";

const run = promisify(execFile);
const programs = "PATH=/usr/lib/postgresql/17/bin:$PATH";

/** What a deployment installs too, from the same sources; and the way in for whoever owns the server. */
const install = `set -e
export DEBIAN_FRONTEND=noninteractive
mkdir -p /etc/postgresql-common
echo 'create_main_cluster = false' > /etc/postgresql-common/createcluster.conf
apt-get -qq update
apt-get -qq install --yes --no-install-recommends postgresql-17 > /dev/null
install -d -o postgres -m 0700 /var/lib/understudy ${plainTls} /var/lib/postgresql/.ssh
install -o postgres -m 0600 /root/.ssh/authorized_keys /var/lib/postgresql/.ssh/authorized_keys`;

/**
 * Machines as those of a pair. The operator logs in beforehand and keeps the connections, so that no command of the
 * switchover pays for a login.
 */
export class PlainMachines implements PlainPlaces {
  readonly way = "through `ssh`, logged in before";
  readonly network: string;
  readonly #options: { readonly name: string; readonly net: number };
  readonly #folder: string;
  readonly #logins: ChildProcess[] = [];
  #machines: TestMachines | undefined;

  /** `net`: second number of the subnet. */
  constructor(options: { readonly name: string; readonly net: number }) {
    this.#options = options;
    this.network = `10.${options.net}.0.0/24`;
    this.#folder = mkdtempSync(join(tmpdir(), `understudy-${options.name}-ssh-`));
  }

  async make(): Promise<Readonly<Record<Site, PlainPlace>>> {
    this.#machines = await TestMachines.start({ ...this.#options, count: 2 });
    const [a, b] = await Promise.all(["a", "b"].map((letter) => this.#place(letter)));
    if (!a || !b) throw new Error("there are not two machines");
    return { "site-a": a, "site-b": b };
  }

  async remove(): Promise<void> {
    for (const login of this.#logins.splice(0)) login.kill();
    await this.#machines?.remove();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  async #place(letter: string): Promise<PlainPlace> {
    if (!this.#machines) throw new Error("the machines are not there yet");
    const machine = this.#machines.machine(letter);
    await onMachine(machine.container, install);
    const shell = await this.#login(machine, this.#machines);
    return {
      container: machine.container,
      address: machine.address,
      listens: { address: machine.address, port: 5432 },
      shell,
      sql: (statement) => shell(`psql -XAtq -v ON_ERROR_STOP=1 -d postgres <<'END'\n${statement}\nEND`),
    };
  }

  async #login({ address, container }: TestMachine, { keyFile, knownHosts }: TestMachines) {
    // The user's own configuration has no say in what is measured.
    const common = ["-F", "/dev/null", "-S", join(this.#folder, container), `postgres@${address}`];
    const verified = ["-o", "BatchMode=yes", "-o", `UserKnownHostsFile=${knownHosts}`];
    const master = ["-N", "-M", "-i", keyFile, "-o", "IdentitiesOnly=yes", ...verified];
    this.#logins.push(spawn("ssh", [...master, ...common], { stdio: "ignore" }));
    await eventually(20, `a login on ${container}`, async () => {
      await run("ssh", ["-O", "check", ...common]);
      return true;
    });
    return async (script: string) => {
      const { stdout } = await run("ssh", [...common, `${programs}; ${script}`], { maxBuffer: 1 << 28 });
      return stdout.trim();
    };
  }
}
