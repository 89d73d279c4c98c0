/**
 * What can happen to a node, done from outside as root of the Docker host. Each fault gives back the way to end it,
 * and `Faults` ends them all, so that a test that fails leaves no frozen container and no cut link behind.
 */
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { promisify } from "node:util";
import { rightClock, shiftClock } from "./fakeClock.ts";
import { eventually } from "./nodes.ts";
import { docker } from "./stack.ts";

const run = promisify(execFile);

export type Heal = () => Promise<void>;

/** Which packets of a link are dropped, as the node at whose side this is done sees them. */
export type Direction = "both" | "in" | "out";

export class Faults {
  readonly #open = new Map<symbol, Heal>();

  /** Power off, for this node: nothing is flushed, nobody is told. */
  async kill(container: string): Promise<void> {
    await docker("kill", "-s", "KILL", container);
  }

  /** A machine that stands still, as a paused or live-migrated VM: its connections stay open. */
  async pause(container: string): Promise<Heal> {
    // The kernel gives up freezing a container whose processes begin new ones all the while.
    await eventually(20, `${container} is paused`, () => docker("pause", container));
    return this.#until(async () => {
      await docker("unpause", container);
    });
  }

  /** Docker's own stop: SIGTERM, and SIGKILL after the container's own limit. */
  async stop(container: string): Promise<Heal> {
    await docker("stop", container);
    return this.#until(async () => {
      await docker("start", container);
    });
  }

  /**
   * Drops packets to and from addresses in the network namespace of the container, in silence: `docker network
   * disconnect` would let both sides know at once. Clients of other addresses still get through. `port`: only what has to
   * do with this port there.
   */
  async cut(
    container: string,
    addresses: readonly string[],
    direction: Direction = "both",
    port?: number,
  ): Promise<Heal> {
    const only = (option: string) => (port === undefined ? [] : ["-p", "tcp", option, String(port)]);
    const rules = addresses.flatMap((address) => [
      ...(direction === "out" ? [] : [["INPUT", "-s", address, ...only("--sport"), "-j", "DROP"]]),
      ...(direction === "in" ? [] : [["OUTPUT", "-d", address, ...only("--dport"), "-j", "DROP"]]),
    ]);
    return await this.#rules(container, rules);
  }

  async #rules(container: string, rules: readonly string[][]): Promise<Heal> {
    const pid = await pidOf(container);
    for (const rule of rules) await inNetworkOf(pid, "iptables", "-w", "-A", ...rule);
    return this.#until(async () => {
      // A container that was restarted meanwhile has a new namespace, without the rules.
      if ((await pidOf(container)) !== pid) return;
      for (const rule of rules) await inNetworkOf(pid, "iptables", "-w", "-D", ...rule);
    });
  }

  /** Drops what goes to this port of the container or of others, and lets everything else through. */
  async cutPort(container: string, port: number): Promise<Heal> {
    const rules = ["INPUT", "OUTPUT"].flatMap((chain) =>
      ["tcp", "udp"].map((protocol) => [chain, "-p", protocol, "--dport", String(port), "-j", "DROP"]),
    );
    return await this.#rules(container, rules);
  }

  /**
   * What the container receives from others, or from these addresses alone, was under way for so long. Not what it sends:
   * TCP counts what is held there as not sent yet, and sends two segments at a time.
   */
  async delay(container: string, milliseconds: number, addresses?: readonly string[]): Promise<Heal> {
    const pid = await pidOf(container);
    const program = join(import.meta.dirname, "delayPackets.py");
    const argv = intoNetworkOf(pid, "python3", program, String(delayQueue), String(milliseconds));
    const child = spawn("nsenter", argv, { stdio: ["pipe", "pipe", "inherit"] });
    const ended = once(child, "exit");
    const end = this.#until(async () => {
      child.stdin.end();
      await ended;
    });
    const held = await Promise.race([once(child.stdout, "data"), ended]);
    if (!String(held[0]).startsWith("held")) throw new Error(`${container}: packets cannot be held back`);
    const ways = addresses?.map((address) => ["-s", address]) ?? [["!", "-i", "lo"]];
    const heal = await this.#rules(
      container,
      ways.map((way) => ["INPUT", ...way, ...toDelayQueue]),
    );
    return async () => {
      await heal();
      await end();
    };
  }

  /** Another line for everything that the container sends: a discipline of queueing (tbf) and its parameters. */
  async slow(container: string, ...discipline: readonly string[]): Promise<Heal> {
    const pid = await pidOf(container);
    await inNetworkOf(pid, "tc", "qdisc", "add", "dev", "eth0", "root", ...discipline);
    return this.#until(async () => {
      if ((await pidOf(container)) === pid)
        await inNetworkOf(pid, "tc", "qdisc", "del", "dev", "eth0", "root");
    });
  }

  /** Its clock is set to so many seconds ahead of the right time, for all that runs in it; negative: behind. */
  async clock(container: string, seconds: number): Promise<Heal> {
    // Before it is done: what is half done has to be ended too.
    const heal = this.#until(async () => {
      await rightClock(container);
    });
    await shiftClock(container, seconds);
    return heal;
  }

  /** Fills the file system that holds `folder`. Only for volumes of a size of their own (see `smallVolume.ts`). */
  async fill(container: string, folder: string, leaveBytes = 0): Promise<Heal> {
    const [, size = "0", free = "0"] =
      (await docker("exec", container, "df", "-B1", "--output=target,size,avail", folder))
        .split("\n")
        .at(-1)
        ?.split(/\s+/) ?? [];
    if (Number(size) > 4 * 2 ** 30) throw new Error(`${folder} of ${container} is not a small volume`);
    const ballast = `${folder}/ballast`;
    const bytes = String(Math.max(0, Number(free) - leaveBytes));
    await docker("exec", container, "fallocate", "-l", bytes, ballast);
    return this.#until(async () => {
      await docker("exec", container, "rm", "-f", ballast);
    });
  }

  async healAll(): Promise<void> {
    for (const heal of [...this.#open.values()].reverse()) await heal().catch(() => undefined);
  }

  #until(end: Heal): Heal {
    const key = Symbol("fault");
    const heal = async () => {
      if (!this.#open.delete(key)) return;
      await end();
    };
    this.#open.set(key, heal);
    return heal;
  }
}

/** Not every kernel can put packets off: nfnetlink_queue is needed. netem is in fewer. */
export async function canDelay(): Promise<boolean> {
  const tried = run("unshare", ["-n", "iptables", "-A", "INPUT", ...toDelayQueue]);
  return await tried.then(
    () => true,
    () => false,
  );
}

/** Of a container's own network namespace. */
const delayQueue = 7;
/** Where nobody holds the queue, packets go on at once. */
const toDelayQueue = ["-j", "NFQUEUE", "--queue-num", String(delayQueue), "--queue-bypass"];

async function pidOf(container: string): Promise<string> {
  return await docker("inspect", "-f", "{{.State.Pid}}", container);
}

async function inNetworkOf(pid: string, ...command: readonly string[]): Promise<void> {
  await run("nsenter", intoNetworkOf(pid, ...command));
}

/** For `nsenter`. */
function intoNetworkOf(pid: string, ...command: readonly string[]): string[] {
  return ["-t", pid, "-n", ...command];
}
