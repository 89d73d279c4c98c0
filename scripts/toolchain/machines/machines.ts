/**
 * Containers that are machines to whoever logs in: systemd, sshd, and nothing of ours. Made for trying the target
 * `machines` and for its tests. Everything is found again by its label.
 */
import { chmodSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import ssh2 from "ssh2";
import { type CommandResult, lastLines } from "../command.ts";
import { docker } from "../docker.ts";
import { readIfThere } from "../files.ts";
import { projectFolder } from "../paths.ts";
import { SetUpProblem } from "../problem.ts";
import type { Progress } from "../progress.ts";
import {
  knownHostsLines,
  MACHINES_LABEL,
  type MachineName,
  type MachinesWish,
  machineNames,
  networkName,
  runArguments,
} from "./names.ts";

const BOOT_MS = 60_000;

export interface Machines {
  readonly machines: readonly MachineName[];
  readonly network: string;
  /** Private key of root's on all of them. */
  readonly keyFile: string;
  readonly knownHosts: string;
}

export function machinesFolder(name: string): string {
  return join(projectFolder, "machines", name);
}

/** Makes the machines be there and running, and known: what is there already stays as it is. */
export async function bringUpMachines(
  wish: MachinesWish,
  image: string,
  progress: Progress,
  folder: string = machinesFolder(wish.name),
): Promise<Machines> {
  const machines = machineNames(wish);
  const network = networkName(wish.name);
  const keyFile = join(folder, "id_ed25519");
  const knownHosts = join(folder, "known_hosts");
  const publicKey = ensureKeyPair(keyFile);
  await ensureNetwork(wish, network);
  const lines = await progress.during("machines: booting", () =>
    Promise.all(
      machines.map(async (machine) => {
        await ensureRunning(machine, network, wish.name, image);
        await booted(machine.container);
        await authorise(machine.container, publicKey);
        return await hostKeys(machine);
      }),
    ),
  );
  writeFileSync(knownHosts, lines.join(""));
  return { machines, network, keyFile, knownHosts };
}

/** Removes every machine of that name, its network and its keys; returns what it removed, in words. */
export async function removeMachines(name: string, folder: string = machinesFolder(name)): Promise<string[]> {
  const filter = ["--filter", `label=${MACHINES_LABEL}=${name}`];
  const removed: string[] = [];
  for (const [kind, list, remove] of [
    ["machine", ["ps", "--all", "--format", "{{.ID}} {{.Names}}"], ["rm", "--force", "--volumes"]],
    ["network", ["network", "ls", "--format", "{{.ID}} {{.Name}}"], ["network", "rm"]],
  ] as const) {
    const found = await succeed(docker([...list, ...filter]), `Docker cannot be asked for a ${kind}`);
    for (const line of found.split("\n").filter((each) => each !== "")) {
      const [id = "", label] = line.split(" ");
      await succeed(docker([...remove, id]), `The ${kind} ${label} cannot be removed`);
      removed.push(`${kind} ${label}`);
    }
  }
  rmSync(folder, { recursive: true, force: true });
  return removed;
}

/** Waits until a machine has booted and its sshd answers for itself. */
export async function booted(container: string): Promise<void> {
  const limit = Date.now() + BOOT_MS;
  let last = "";
  while (Date.now() < limit) {
    const { stdout, stderr } = await inside(
      container,
      "systemctl is-system-running --wait; systemctl is-active ssh; ls /etc/ssh/ssh_host_ed25519_key.pub",
    );
    // Degraded: some unit failed for want of hardware. What counts is that nothing is still being started.
    if (/^(running|degraded)\nactive\n\/etc/.test(stdout)) return;
    last = `${stdout} ${stderr}`.trim();
    await sleep(200);
  }
  throw new SetUpProblem(
    `The machine ${container} did not boot within ${BOOT_MS / 1000} s: ${last}`,
    `Look into it: docker logs ${container}; docker exec ${container} journalctl -b`,
  );
}

/** Runs a script as root of the machine, without SSH. */
export async function inside(container: string, script: string, input?: string): Promise<CommandResult> {
  const args = ["exec", ...(input === undefined ? [] : ["-i"]), container, "sh", "-c", script];
  return await docker(args, input === undefined ? {} : { input });
}

/** A key pair in OpenSSH's own format, which every client reads; returns the public one. */
function ensureKeyPair(keyFile: string): string {
  const known = readIfThere(`${keyFile}.pub`);
  if (known !== undefined && readIfThere(keyFile) !== undefined) return known;
  const pair = ssh2.utils.generateKeyPairSync("ed25519", { comment: "understudy test machines" });
  mkdirSync(dirname(keyFile), { recursive: true });
  writeFileSync(keyFile, pair.private, { mode: 0o600 });
  chmodSync(keyFile, 0o600);
  writeFileSync(`${keyFile}.pub`, `${pair.public}\n`);
  return `${pair.public}\n`;
}

async function ensureNetwork({ name, subnet }: MachinesWish, network: string): Promise<void> {
  const there = await docker([
    "network",
    "inspect",
    "--format",
    "{{(index .IPAM.Config 0).Subnet}}",
    network,
  ]);
  if (there.code === 0) {
    if (there.stdout.trim() === subnet) return;
    throw new SetUpProblem(
      `The network ${network} is ${there.stdout.trim()}, not ${subnet}.`,
      `Remove it first: npm run machines -- down --name ${name}`,
    );
  }
  const label = `${MACHINES_LABEL}=${name}`;
  await succeed(
    docker(["network", "create", "--subnet", subnet, "--label", label, network]),
    `The network ${network} (${subnet}) cannot be made`,
  );
}

async function ensureRunning(
  machine: MachineName,
  network: string,
  name: string,
  image: string,
): Promise<void> {
  const { container } = machine;
  const there = await docker(["container", "inspect", "--format", "{{.State.Running}}", container]);
  if (there.stdout.trim() === "true") return;
  if (there.code === 0) {
    await succeed(docker(["start", container]), `The machine ${container} cannot be started`);
    return;
  }
  const args = [
    ...runArguments(network, machine),
    "--label",
    `${MACHINES_LABEL}=${name}`,
    machine.image ?? image,
  ];
  await succeed(docker(args), `The machine ${container} cannot be started`);
  await useProxy(container, process.env);
}

/** The way in for the holder of the key, as a cloud sets it up at the first boot. */
async function authorise(container: string, publicKey: string): Promise<void> {
  const script = "umask 077 && mkdir -p /root/.ssh && cat > /root/.ssh/authorized_keys";
  await succeed(inside(container, script, publicKey), `root of ${container} cannot be given a key`);
}

/** Through Docker and not over the network: what is written down here is what a connection is checked against. */
async function hostKeys({ container, address }: MachineName): Promise<string> {
  const keys = await succeed(
    inside(container, "cat /etc/ssh/ssh_host_*_key.pub"),
    `The host keys of ${container} cannot be read`,
  );
  return knownHostsLines(address, keys);
}

/** Where packages are reached through a proxy only, a machine does so too. */
export async function useProxy(container: string, env: NodeJS.ProcessEnv): Promise<void> {
  const lines = ["http", "https"].flatMap((scheme) => {
    const proxy = env[`${scheme}_proxy`] ?? env[`${scheme.toUpperCase()}_PROXY`];
    return proxy ? [`Acquire::${scheme}::Proxy "${proxy}";\n`] : [];
  });
  if (lines.length === 0) return;
  const script = "umask 077 && cat > /etc/apt/apt.conf.d/90proxy && chown _apt /etc/apt/apt.conf.d/90proxy";
  await succeed(inside(container, script, lines.join("")), `apt of ${container} cannot be given its proxy`);
}

export async function succeed(running: Promise<CommandResult>, complaint: string): Promise<string> {
  const { code, stdout, stderr } = await running;
  if (code !== 0) throw new SetUpProblem(`${complaint}:`, ...lastLines(stderr, 4));
  return stdout.trim();
}
