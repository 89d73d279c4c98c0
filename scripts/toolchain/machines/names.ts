/** What test machines are called, where they are, and how Docker starts them. Pure. */
import { SetUpProblem } from "../problem.ts";

export const MACHINES_LABEL = "understudy.machines";

/** The network's own and its gateway's come first; deployments use .2 for a name server. */
const FIRST_HOST = 11;
const MIRROR_HOST = 5;
const MOST = 26;

export interface MachinesWish {
  /** Prefix of the machines' names. */
  readonly name: string;
  readonly count: number;
  /** /24, of the network that is made for them. */
  readonly subnet: string;
  /** By a machine's letter: more arguments for Docker. */
  readonly extra?: Readonly<Record<string, readonly string[]>>;
  /** By a machine's letter: another image than the others'. */
  readonly images?: Readonly<Record<string, string>>;
}

export interface MachineName {
  /** Of the container, and what it calls itself. */
  readonly container: string;
  readonly address: string;
  readonly extra?: readonly string[];
  readonly image?: string;
}

export function networkName(name: string): string {
  return `understudy-${name}`;
}

/** `<name>-a` at .11, `<name>-b` at .12, … */
export function machineNames({ name, count, subnet, extra, images }: MachinesWish): MachineName[] {
  if (!/^[a-z][a-z0-9-]{0,40}$/.test(name))
    throw new SetUpProblem(`--name ${name}: not a name of lower-case letters, digits and hyphens.`);
  if (!Number.isInteger(count) || count < 1 || count > MOST)
    throw new SetUpProblem(`--count ${count}: not a number from 1 to ${MOST}.`);
  const prefix = prefixOf(subnet);
  return Array.from({ length: count }, (_, index) => {
    const letter = String.fromCharCode("a".charCodeAt(0) + index);
    const more = extra?.[letter];
    const image = images?.[letter];
    return {
      container: `${name}-${letter}`,
      address: `${prefix}.${FIRST_HOST + index}`,
      ...(more && { extra: more }),
      ...(image && { image }),
    };
  });
}

/** Of the package mirror beside them. */
export function mirrorName({ name, subnet }: MachinesWish): MachineName {
  return { container: `${name}-mirror`, address: `${prefixOf(subnet)}.${MIRROR_HOST}` };
}

function prefixOf(subnet: string): string {
  const prefix = /^(\d{1,3}\.\d{1,3}\.\d{1,3})\.0\/24$/.exec(subnet)?.[1];
  if (prefix === undefined) throw new SetUpProblem(`--subnet ${subnet}: not like 10.87.0.0/24.`);
  return prefix;
}

/**
 * What systemd as PID 1 takes, and no more: the right to mount, a control group tree of its own, and no filter between it
 * and the kernel. Not `--privileged`, which also hands out the host's devices.
 */
export function runArguments(network: string, { container, address, extra = [] }: MachineName): string[] {
  return [
    ...["run", "--detach", "--name", container, "--hostname", container],
    ...["--network", network, "--ip", address],
    ...["--cap-add", "SYS_ADMIN", "--cap-add", "NET_ADMIN"],
    ...["--security-opt", "seccomp=unconfined", "--security-opt", "apparmor=unconfined"],
    // A reboot waits for services to end, as a machine does.
    ...["--stop-timeout", "120"],
    ...["--cgroupns", "private", "--tmpfs", "/run", "--tmpfs", "/run/lock", "--shm-size", "512m"],
    ...extra,
  ];
}

/** Lines of known_hosts for a machine, from the contents of its public key files. */
export function knownHostsLines(address: string, publicKeys: string): string {
  const lines = publicKeys
    .split("\n")
    .map((line) => line.split(" "))
    .filter(([type = "", key = ""]) => /^(ssh|ecdsa)-/.test(type) && key !== "")
    .map(([type, key]) => `${address} ${type} ${key}\n`);
  if (lines.length === 0) throw new SetUpProblem(`The machine at ${address} has no host key.`);
  return lines.join("");
}
