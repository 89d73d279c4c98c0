/** The way to a node that is a systemd unit of a machine: over SSH, every question a channel of the one connection. */
import { PGDATA } from "../../postgres/paths.ts";
import { NodeError, type VerbTable } from "../../roles/conversation.ts";
import type { MachineReach } from "../../roles/desired.ts";
import type { Verbs } from "../../roles/session.ts";
import {
  type AccessLimits,
  AgentAccess,
  type Driver,
  nodeAgent,
  type Observable,
  type UnitState,
} from "../agentAccess.ts";
import { LineSession } from "../lineSession.ts";
import { asRoot, type SshConnection, type SshPool } from "./ssh/connection.ts";
import { addressOf, sudoFailure } from "./ssh/failure.ts";
import { inspectCommand, unitStateOf } from "./unitState.ts";

export interface MachineLimits extends AccessLimits {
  /** One question to systemd. */
  readonly hostMs: number;
}

const defaultHostMs = 8_000;

export class MachineAccess<V extends Observable<V> = Verbs> extends AgentAccess<V> {
  /** `agent`: the program on the machine that understands the verbs. */
  constructor(
    node: string,
    reach: MachineReach,
    pool: SshPool,
    limits: Partial<MachineLimits> = {},
    agent: string = nodeAgent,
  ) {
    const driver = new MachineDriver<V>(node, reach, pool, limits.hostMs ?? defaultHostMs, agent);
    super(node, "unit", driver, limits);
  }
}

class MachineDriver<V extends VerbTable<V>> implements Driver<V> {
  readonly #node: string;
  readonly #reach: MachineReach;
  readonly #pool: SshPool;
  readonly #hostMs: number;
  readonly #serve: string;

  constructor(node: string, reach: MachineReach, pool: SshPool, hostMs: number, agent: string) {
    this.#node = node;
    this.#reach = reach;
    this.#pool = pool;
    this.#hostMs = hostMs;
    this.#serve = `python3 ${agent} serve`;
  }

  async inspect(): Promise<UnitState<V>> {
    const output = await this.#asRoot(inspectCommand(this.#reach.unit, PGDATA));
    return unitStateOf(output, { converseBeside: () => this.#converse(`${this.#serve} --offline`) });
  }

  async converse(): Promise<LineSession<V>> {
    return await this.#converse(this.#serve);
  }

  async start(): Promise<void> {
    const { unit } = this.#reach;
    // One that ended too often would be refused its start, however long ago that was and whatever has been mended.
    await this.#asRoot(`systemctl reset-failed ${unit}; systemctl start --no-block ${unit}`);
  }

  async restart(timeoutSeconds: number): Promise<void> {
    const { unit } = this.#reach;
    // A stop and a start, each with the limit of one. The job is systemd's, whatever becomes of whoever waits for it.
    const timeoutMs = 2 * timeoutSeconds * 1000;
    await this.#asRoot(`systemctl reset-failed ${unit}; systemctl restart ${unit}`, timeoutMs);
  }

  async #converse(command: string): Promise<LineSession<V>> {
    const { ssh, account } = this.#reach;
    const connection = await this.#connection();
    const program = await connection.channel(asRoot(ssh, `runuser -u ${account} -- ${command}`));
    return new LineSession<V>(this.#node, program);
  }

  async #asRoot(command: string, timeoutMs = this.#hostMs): Promise<string> {
    const { ssh } = this.#reach;
    const connection = await this.#connection();
    const { stdout, stderr, code } = await connection.exec(asRoot(ssh, command), { timeoutMs });
    if (code === 0) return stdout;
    const reason = stderr.trim().split("\n").at(-1) || `exit ${code}`;
    throw sudoFailure(ssh, stderr) ?? new NodeError(this.#node, "E_UNIT", `${addressOf(ssh)}: ${reason}`);
  }

  #connection(): Promise<SshConnection> {
    return this.#pool.connection(this.#reach.ssh);
  }
}
