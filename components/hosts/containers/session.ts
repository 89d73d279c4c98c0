/**
 * The way to a node that runs in a container: what the engine says of the container, a conversation with its
 * agent over a kept `docker exec`, and the container's start. Every question to the engine has a limit, because
 * an engine that hangs must become a fact and not a hang of ours.
 */
import { execFile } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";
import type { DockerReach } from "../../roles/desired.ts";
import type { NodeFacts } from "../../roles/facts.ts";
import { type NodeAccess, NodeError } from "../../roles/session.ts";
import { LineSession } from "../lineSession.ts";

const agent = ["python3", "/etc/understudy/node.py", "serve"];

export interface DockerLimits {
  /** One question to the engine. */
  readonly engineMs: number;
  /** The node's report, with its catalog. */
  readonly observeMs: number;
  /** Between two looks at a container that starts. */
  readonly pollMs: number;
}

const defaultLimits: DockerLimits = { engineMs: 8_000, observeMs: 10_000, pollMs: 100 };

/** `docker container inspect`, as much of it as is read. */
interface ContainerState {
  readonly Running: boolean;
  readonly Paused: boolean;
  readonly Restarting: boolean;
  readonly Status: string;
  readonly ExitCode: number;
  readonly OOMKilled: boolean;
}

export class DockerAccess implements NodeAccess {
  readonly #node: string;
  readonly #reach: DockerReach;
  readonly #limits: DockerLimits;
  #session: LineSession | undefined;

  constructor(node: string, reach: DockerReach, limits: Partial<DockerLimits> = {}) {
    this.#node = node;
    this.#reach = reach;
    this.#limits = { ...defaultLimits, ...limits };
  }

  async observe({ catalog }: { catalog: boolean }): Promise<NodeFacts> {
    try {
      const state = await this.#inspect();
      if (state === undefined) return { reach: "absent", data: (await this.#hasVolume()) ? "kept" : "none" };
      const away = notUp(state);
      return away ?? (await this.#ask(catalog));
    } catch (error) {
      return { reach: "unreachable", reason: (error as Error).message };
    }
  }

  async open(): Promise<LineSession> {
    if (this.#session === undefined || this.#session.ended) {
      this.#session = new LineSession({
        node: this.#node,
        command: ["docker", "exec", "-i", this.#reach.container, ...agent],
        environment: this.#environment(),
      });
    }
    return this.#session;
  }

  async startUnit(timeoutSeconds: number): Promise<void> {
    const deadline = performance.now() + timeoutSeconds * 1000;
    await this.#docker(["start", this.#reach.container], timeoutSeconds * 1000);
    for (;;) {
      const facts = await this.observe({ catalog: false });
      if (facts.reach === "up") return;
      if (performance.now() > deadline) {
        const reason = "reason" in facts ? facts.reason : facts.reach;
        throw new NodeError(
          this.#node,
          "E_UNIT",
          `the container does not stay up within ${timeoutSeconds} s: ${reason}`,
        );
      }
      await sleep(this.#limits.pollMs);
    }
  }

  async close(): Promise<void> {
    await this.#session?.close();
    this.#session = undefined;
  }

  async #ask(catalog: boolean): Promise<NodeFacts> {
    try {
      const session = await this.open();
      const report = await session.call("observe", { catalog }, { timeoutMs: this.#limits.observeMs });
      return { reach: "up", report };
    } catch (error) {
      if (!(error instanceof NodeError) || error.code !== "E_CHANNEL") throw error;
      // No agent to talk to is as good as no unit: its data cannot be seen, and a start is what may help.
      const missing = /No such file|can't open file|is not running/.test(error.message);
      if (missing) return { reach: "stopped", reason: `its agent does not run: ${error.message}` };
      throw error;
    }
  }

  async #inspect(): Promise<ContainerState | undefined> {
    const args = ["container", "inspect", "--format", "{{json .State}}", this.#reach.container];
    const output = await this.#dockerUnlessMissing(args);
    return output === undefined ? undefined : (JSON.parse(output) as ContainerState);
  }

  async #hasVolume(): Promise<boolean> {
    const args = ["volume", "inspect", "--format", "{{.Name}}", this.#reach.dataVolume];
    return (await this.#dockerUnlessMissing(args)) !== undefined;
  }

  async #dockerUnlessMissing(args: readonly string[]): Promise<string | undefined> {
    try {
      return await this.#docker(args, this.#limits.engineMs);
    } catch (error) {
      if (/no such (container|object|volume)/i.test((error as Error).message)) return undefined;
      throw error;
    }
  }

  #docker(args: readonly string[], timeoutMs: number): Promise<string> {
    const env = { ...process.env, ...this.#environment() };
    return new Promise((resolve, reject) => {
      execFile(
        "docker",
        args,
        { env, timeout: timeoutMs, killSignal: "SIGKILL" },
        (error, stdout, stderr) => {
          if (!error) resolve(stdout.trim());
          else reject(new NodeError(this.#node, "E_ENGINE", engineReason(error, stderr, timeoutMs)));
        },
      );
    });
  }

  #environment(): Record<string, string> {
    const { dockerHost } = this.#reach;
    return dockerHost === undefined ? {} : { DOCKER_HOST: dockerHost };
  }
}

/** A paused container has state in memory and may go on any moment: that is not stopped. */
function notUp(state: ContainerState): NodeFacts | undefined {
  if (state.Paused) return { reach: "unreachable", reason: "its container is paused" };
  if (state.Restarting) {
    return { reach: "stopped", reason: `its container ends again and again (exit ${state.ExitCode})` };
  }
  if (state.Running) return undefined;
  const why = state.OOMKilled ? "out of memory" : `exit ${state.ExitCode}`;
  return { reach: "stopped", reason: `its container is ${state.Status} (${why})` };
}

function engineReason(
  error: Error & { code?: unknown; killed?: boolean },
  stderr: string,
  timeoutMs: number,
): string {
  if (error.code === "ENOENT") return "there is no `docker` command on this machine";
  if (error.killed) return `the Docker engine did not answer within ${timeoutMs / 1000} s`;
  return stderr.trim().split("\n").at(-1) || error.message;
}
