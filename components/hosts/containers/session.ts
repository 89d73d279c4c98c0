/** The way to a node that runs in a container: over the engine's own command. */
import { execFile } from "node:child_process";
import { NodeError, type VerbTable } from "../../roles/conversation.ts";
import type { DockerReach } from "../../roles/desired.ts";
import type { Verbs } from "../../roles/session.ts";
import {
  type AccessLimits,
  AgentAccess,
  type Driver,
  nodeAgent,
  type Observable,
  type UnitState,
} from "../agentAccess.ts";
import { childProgram } from "../childProgram.ts";
import { LineSession } from "../lineSession.ts";

export interface DockerLimits extends AccessLimits {
  /** One question to the engine. */
  readonly engineMs: number;
}

const defaultEngineMs = 8_000;

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

export class DockerAccess<V extends Observable<V> = Verbs> extends AgentAccess<V> {
  /** `agent`: the program in the container that understands the verbs. */
  constructor(
    node: string,
    reach: DockerReach,
    limits: Partial<DockerLimits> = {},
    agent: string = nodeAgent,
  ) {
    const driver = new DockerDriver<V>(node, reach, limits.engineMs ?? defaultEngineMs, agent);
    super(node, "container", driver, limits);
  }
}

class DockerDriver<V extends VerbTable<V>> implements Driver<V> {
  readonly #node: string;
  readonly #reach: DockerReach;
  readonly #engineMs: number;
  readonly #agent: readonly string[];

  constructor(node: string, reach: DockerReach, engineMs: number, agent: string) {
    this.#node = node;
    this.#reach = reach;
    this.#engineMs = engineMs;
    this.#agent = [agent, "serve"];
  }

  async inspect(): Promise<UnitState<V>> {
    const format = '{"state":{{json .State}},"image":{{json .Config.Image}},"user":{{json .Config.User}}}';
    const args = ["container", "inspect", "--format", format, this.#reach.container];
    const output = await this.#dockerUnlessMissing(args);
    if (output === undefined) return { is: "absent", data: (await this.#hasVolume()) ? "kept" : "none" };
    const { state, image, user } = JSON.parse(output) as Container;
    return stateOf(state, image, () => this.#converseBeside(user));
  }

  async converse(): Promise<LineSession<V>> {
    return this.#sessionOf(["docker", "exec", "-i", this.#reach.container, "python3", ...this.#agent]);
  }

  async start(timeoutSeconds: number): Promise<void> {
    await this.#docker(["start", this.#reach.container], timeoutSeconds * 1000);
  }

  async restart(timeoutSeconds: number): Promise<void> {
    // A stop and a start, each with the limit of one.
    await this.#docker(["restart", this.#reach.container], 2 * timeoutSeconds * 1000);
  }

  async #converseBeside(user: string): Promise<LineSession<V>> {
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
      ...this.#agent,
      "--offline",
    ]);
  }

  #sessionOf(command: [string, ...string[]]): LineSession<V> {
    return new LineSession(this.#node, childProgram(command, this.#environment()));
  }

  async #hasVolume(): Promise<boolean> {
    const args = ["volume", "inspect", "--format", "{{.Name}}", this.#reach.dataVolume];
    return (await this.#dockerUnlessMissing(args)) !== undefined;
  }

  async #dockerUnlessMissing(args: readonly string[]): Promise<string | undefined> {
    try {
      return await this.#docker(args, this.#engineMs);
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

function stateOf<V extends VerbTable<V>>(
  state: ContainerState,
  image: string,
  converseBeside: () => Promise<LineSession<V>>,
): UnitState<V> {
  if (state.Paused) return { is: "frozen", reason: "its container is paused" };
  if (state.Restarting) {
    return { is: "restarting", reason: `its container ends again and again (exit ${state.ExitCode})` };
  }
  if (state.Running) return { is: "running", image };
  const why = state.OOMKilled ? "out of memory" : `exit ${state.ExitCode}`;
  return { is: "stopped", reason: `its container is ${state.Status} (${why})`, converseBeside };
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
