/**
 * One node of a pair, seen from outside: what runs it is a container of the deployment's own, or a unit on a machine.
 * Either way there is a container that can be killed, paused and cut off, so that faults need not know which it is.
 */
import type { Reach } from "../../components/roles/desired.ts";
import { machineFingerprint, onMachine, powerOn } from "./machines.ts";
import { sql } from "./nodes.ts";
import { docker } from "./stack.ts";

export type Target = "containers" | "machines";

export interface Incarnation {
  readonly container: string;
  readonly startedAt: string;
  readonly postmaster: string;
}

export interface NodeHandle {
  readonly target: Target;
  /** What Docker knows it as. */
  readonly container: string;
  /** Back on, and as far as it has to be for somebody to talk to it. */
  start(): Promise<void>;
  stop(): Promise<void>;
  /** Tells whether what runs it was replaced or restarted, or its server restarted. */
  incarnation(): Promise<Incarnation>;
  /**
   * I5: a refusal changes nothing. What a role change could change on the node, as one text to compare: its incarnation,
   * the installed configuration, the role files and slots of the data directory.
   */
  fingerprint(): Promise<string>;
  /** Everything that a secret could have leaked into, as one text. */
  exposed(): Promise<string>;
  /** The same way to it from somebody who cannot get there. */
  cutOff(reach: Reach): Reach;
}

const exposedFiles =
  "cat /proc/[0-9]*/cmdline /proc/[0-9]*/environ /etc/understudy/*.conf /etc/understudy/*.json";

function look(config: string, data: string): string {
  return [
    `cd ${config} && find . -type f -exec sha256sum {} +`,
    `cd ${data} && find . -maxdepth 1`,
    `cd ${data}/pgdata && sha256sum *.conf *.signal 2>/dev/null`,
    `ls ${data}/pgdata/pg_replslot ${data}/kept 2>/dev/null`,
  ].join("; ");
}

export class ContainerNode implements NodeHandle {
  readonly target = "containers";
  readonly container: string;

  constructor(container: string) {
    this.container = container;
  }

  async start(): Promise<void> {
    await docker("start", this.container);
  }

  async stop(): Promise<void> {
    await docker("stop", this.container);
  }

  async incarnation(): Promise<Incarnation> {
    const [container = "", startedAt = ""] = (
      await docker("inspect", "-f", "{{.Id}} {{.State.StartedAt}}", this.container)
    ).split(" ");
    return { container, startedAt, postmaster: await postmaster(this.container) };
  }

  /** Also of a container that is stopped. */
  async fingerprint(): Promise<string> {
    const format = "{{.Config.Image}} {{.Id}} {{.State.StartedAt}} {{.State.Status}}";
    const [image = "", ...state] = (await docker("inspect", "-f", format, this.container)).split(" ");
    const volumes = ["data", "config"].flatMap((kind) => ["-v", `${this.container}-${kind}:/${kind}:ro`]);
    const isolated = ["run", "--rm", "--network", "none", "--user", "0", ...volumes, image];
    const files = await docker(...isolated, "sh", "-c", `${look("/config", "/data")}; true`);
    return [...state, ...files.split("\n").sort()].join("\n");
  }

  async exposed(): Promise<string> {
    const inside = docker("exec", this.container, "sh", "-c", `${exposedFiles}; true`);
    const texts = [docker("inspect", this.container), docker("logs", this.container), inside];
    return (await Promise.all(texts)).join("\n");
  }

  cutOff(reach: Reach): Reach {
    if (reach.kind !== "docker") throw new Error(`${this.container} is not reached through Docker`);
    return { ...reach, dockerHost: "tcp://127.0.0.1:9" };
  }
}

export class MachineNode implements NodeHandle {
  readonly target = "machines";
  readonly container: string;

  constructor(container: string) {
    this.container = container;
  }

  async start(): Promise<void> {
    await powerOn(this.container);
  }

  async stop(): Promise<void> {
    await docker("stop", this.container);
  }

  async incarnation(): Promise<Incarnation> {
    const show = "systemctl show understudy-postgres --property InvocationID,NRestarts";
    return {
      container: await docker("inspect", "-f", "{{.Id}} {{.State.StartedAt}}", this.container),
      startedAt: await onMachine(this.container, show),
      postmaster: await postmaster(this.container),
    };
  }

  async fingerprint(): Promise<string> {
    const data = "/var/lib/understudy";
    const state = await docker(
      "inspect",
      "-f",
      "{{.Id}} {{.State.StartedAt}} {{.State.Status}}",
      this.container,
    );
    const files = await onMachine(this.container, `${look("/etc/understudy", data)}; true`);
    const disk = await machineFingerprint(this.container, [data]);
    return [state, ...files.split("\n").sort(), disk].join("\n");
  }

  async exposed(): Promise<string> {
    return await onMachine(
      this.container,
      `${exposedFiles}; cat /etc/systemd/system/understudy*; journalctl --quiet --no-pager; true`,
    );
  }

  cutOff(reach: Reach): Reach {
    if (reach.kind !== "machine") throw new Error(`${this.container} is not reached over SSH`);
    return { ...reach, ssh: { ...reach.ssh, host: "127.0.0.1", port: 9 } };
  }
}

async function postmaster(container: string): Promise<string> {
  return await sql(container, "SELECT pg_postmaster_start_time()");
}

/** Runs something that must change nothing on these nodes. */
export async function untouched<T>(nodes: readonly NodeHandle[], act: () => Promise<T>): Promise<T> {
  const look = () => Promise.all(nodes.map((node) => node.fingerprint()));
  const before = await look();
  const result = await act();
  const after = await look();
  if (before.join() !== after.join()) throw new Error(`something was changed:\n${changed(before, after)}`);
  return result;
}

function changed(before: readonly string[], after: readonly string[]): string {
  const [was, is] = [before, after].map((texts) => texts.flatMap((text) => text.split("\n")));
  const gone = was?.filter((line) => !is?.includes(line)).map((line) => `- ${line}`) ?? [];
  const came = is?.filter((line) => !was?.includes(line)).map((line) => `+ ${line}`) ?? [];
  return [...gone, ...came].join("\n");
}
