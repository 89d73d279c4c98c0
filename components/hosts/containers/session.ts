/**
 * The way to a node that runs in a container: what the engine says of the container, a conversation with its
 * agent over a kept `docker exec`, and the container's start. Every question to the engine has a limit, because
 * an engine that hangs must become a fact and not a hang of ours.
 */
import { execFile } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";
import type { DockerReach } from "../../roles/desired.ts";
import type { NodeFacts, NodeReport } from "../../roles/facts.ts";
import { type NodeAccess, NodeError } from "../../roles/session.ts";
import { LineSession } from "../lineSession.ts";

const agent = ["/etc/understudy/node.py", "serve"];

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
interface Container {
  readonly state: ContainerState;
  readonly image: string;
  readonly user: string;
}

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
  /** With an agent beside the stopped container; it must have ended before the container starts. */
  #beside: LineSession | undefined;

  constructor(node: string, reach: DockerReach, limits: Partial<DockerLimits> = {}) {
    this.#node = node;
    this.#reach = reach;
    this.#limits = { ...defaultLimits, ...limits };
  }

  async observe({ catalog }: { catalog: boolean }): Promise<NodeFacts> {
    return await this.#look(catalog, true);
  }

  async open(): Promise<LineSession> {
    if (this.#beside && !this.#beside.ended) return this.#beside;
    if (this.#session === undefined || this.#session.ended) this.#session = this.#converse();
    return this.#session;
  }

  async openAnother(): Promise<LineSession> {
    return this.#converse();
  }

  async startUnit(timeoutSeconds: number): Promise<void> {
    await this.#leaveVolumes();
    const deadline = performance.now() + timeoutSeconds * 1000;
    await this.#docker(["start", this.#reach.container], timeoutSeconds * 1000);
    for (;;) {
      const facts = await this.#look(false, false);
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
    await Promise.all([this.#session?.close(), this.#leaveVolumes()]);
    this.#session = undefined;
  }

  /** `inside`: whether to read the volumes of a stopped container, which takes a short-lived container beside it. */
  async #look(catalog: boolean, inside: boolean): Promise<NodeFacts> {
    try {
      const container = await this.#inspect();
      if (container === undefined) {
        return { reach: "absent", data: (await this.#hasVolume()) ? "kept" : "none" };
      }
      const away = notUp(container.state);
      if (away?.reach === "stopped") {
        return {
          ...away,
          report: inside && isDown(container.state) ? await this.#lookBeside(container) : null,
        };
      }
      await this.#leaveVolumes();
      return away ?? withImage(await this.#ask(catalog), container);
    } catch (error) {
      return { reach: "unreachable", reason: (error as Error).message };
    }
  }

  /** What cannot be read is no reason to take the host for unreachable: the container is stopped, that is certain. */
  async #lookBeside(container: Container): Promise<NodeReport | null> {
    if (this.#beside === undefined || this.#beside.ended) this.#beside = this.#converseBeside(container);
    try {
      return await this.#beside.call("observe", {}, { timeoutMs: this.#limits.observeMs });
    } catch {
      await this.#leaveVolumes();
      return null;
    }
  }

  async #leaveVolumes(): Promise<void> {
    await this.#beside?.close();
    this.#beside = undefined;
  }

  #converse(): LineSession {
    return this.#sessionOf(["docker", "exec", "-i", this.#reach.container, "python3", ...agent]);
  }

  #converseBeside({ user }: Container): LineSession {
    const { container, image } = this.#reach;
    const run = ["run", "--rm", "-i", "--volumes-from", container, "--network", "none"];
    const as = user === "" ? [] : ["--user", user];
    return this.#sessionOf([
      "docker",
      ...run,
      ...as,
      "--entrypoint",
      "python3",
      image,
      ...agent,
      "--offline",
    ]);
  }

  #sessionOf(command: [string, ...string[]]): LineSession {
    return new LineSession({ node: this.#node, command, environment: this.#environment() });
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

  async #inspect(): Promise<Container | undefined> {
    const format = '{"state":{{json .State}},"image":{{json .Config.Image}},"user":{{json .Config.User}}}';
    const args = ["container", "inspect", "--format", format, this.#reach.container];
    const output = await this.#dockerUnlessMissing(args);
    return output === undefined ? undefined : (JSON.parse(output) as Container);
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

/** One that ends again and again may be up the next moment. */
function isDown({ Restarting }: ContainerState): boolean {
  return !Restarting;
}

function withImage(facts: NodeFacts, { image }: Container): NodeFacts {
  return facts.reach === "up" ? { ...facts, image } : facts;
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
