/** The way to a node that is a systemd unit of a machine: over SSH, every question a channel of the one connection. */
import { PGDATA } from "../../postgres/paths.ts";
import type { MachineReach } from "../../roles/desired.ts";
import { NodeError } from "../../roles/session.ts";
import { type AccessLimits, AgentAccess, type Driver, type UnitState } from "../agentAccess.ts";
import { LineSession } from "../lineSession.ts";
import { asRoot, type SshConnection, type SshPool } from "./ssh/connection.ts";
import { addressOf, sudoFailure } from "./ssh/failure.ts";
import { inspectCommand, unitStateOf } from "./unitState.ts";

const agent = "python3 /etc/understudy/node.py serve";

export interface MachineLimits extends AccessLimits {
  /** One question to systemd. */
  readonly hostMs: number;
}

const defaultHostMs = 8_000;

export class MachineAccess extends AgentAccess {
  constructor(node: string, reach: MachineReach, pool: SshPool, limits: Partial<MachineLimits> = {}) {
    super(node, "unit", new MachineDriver(node, reach, pool, limits.hostMs ?? defaultHostMs), limits);
  }
}

class MachineDriver implements Driver {
  readonly #node: string;
  readonly #reach: MachineReach;
  readonly #pool: SshPool;
  readonly #hostMs: number;

  constructor(node: string, reach: MachineReach, pool: SshPool, hostMs: number) {
    this.#node = node;
    this.#reach = reach;
    this.#pool = pool;
    this.#hostMs = hostMs;
  }

  async inspect(): Promise<UnitState> {
    const output = await this.#asRoot(inspectCommand(this.#reach.unit, PGDATA));
    return unitStateOf(output, { converseBeside: () => this.#converse(`${agent} --offline`) });
  }

  async converse(): Promise<LineSession> {
    return await this.#converse(agent);
  }

  async start(): Promise<void> {
    const { unit } = this.#reach;
    // One that ended too often would be refused its start, however long ago that was and whatever has been mended.
    await this.#asRoot(`systemctl reset-failed ${unit}; systemctl start --no-block ${unit}`);
  }

  async #converse(command: string): Promise<LineSession> {
    const { ssh, account } = this.#reach;
    const connection = await this.#connection();
    const program = await connection.channel(asRoot(ssh, `runuser -u ${account} -- ${command}`));
    return new LineSession(this.#node, program);
  }

  async #asRoot(command: string): Promise<string> {
    const { ssh } = this.#reach;
    const connection = await this.#connection();
    const { stdout, stderr, code } = await connection.exec(asRoot(ssh, command), { timeoutMs: this.#hostMs });
    if (code === 0) return stdout;
    const reason = stderr.trim().split("\n").at(-1) || `exit ${code}`;
    throw sudoFailure(ssh, stderr) ?? new NodeError(this.#node, "E_UNIT", `${addressOf(ssh)}: ${reason}`);
  }

  #connection(): Promise<SshConnection> {
    return this.#pool.connection(this.#reach.ssh);
  }
}
