/** Connections to machines: one for each host and process, however many ask for it. */
import type { SshRoute, SshStop } from "../../../roles/desired.ts";
import { defaultLimits, dial, type SshLimits } from "./dial.ts";
import { SshError } from "./failure.ts";
import { SshConnection } from "./sshConnection.ts";

export { asRoot, quoted } from "./shell.ts";
export type { ExecOptions, ExecResult, SshConnection } from "./sshConnection.ts";
export { SshError };

/**
 * How long a host that did not answer is not tried again. A run asks it from several places, and each would wait anew:
 * in a failover that is time without writes.
 */
const rememberedMs = 10_000;

export class SshPool {
  readonly #limits: SshLimits;
  readonly #connections = new Map<string, Promise<SshConnection>>();
  readonly #closing = new AbortController();

  constructor(limits: Partial<SshLimits> = {}) {
    this.#limits = { ...defaultLimits, ...limits };
  }

  /** The one to that host. One that failed or was cut is not kept: the next who asks gets a new one. */
  connection({ jump, ...stop }: SshRoute): Promise<SshConnection> {
    const name = JSON.stringify([stop, jump]);
    const known = this.#connections.get(name);
    if (known) return known;
    const dialled = this.#dial(stop, jump);
    this.#connections.set(name, dialled);
    const forget = () => {
      if (this.#connections.get(name) === dialled) this.#connections.delete(name);
    };
    const failed = (error: unknown) => {
      const isAway = error instanceof SshError && error.code === "E_SSH_UNREACHABLE";
      if (isAway) setTimeout(forget, rememberedMs).unref();
      else forget();
    };
    dialled.then((connection) => connection.ended.then(forget), failed);
    return dialled;
  }

  /** What is still being dialled is given up: nobody is left to use it, and a host that is off would be waited for. */
  async close(): Promise<void> {
    this.#closing.abort();
    const connections = await Promise.allSettled(this.#connections.values());
    // Those behind another host first: their end goes through it.
    const open = connections.flatMap((result) => (result.status === "fulfilled" ? [result.value] : []));
    await Promise.all(open.filter(({ isBehind }) => isBehind).map((connection) => connection.close()));
    await Promise.all(open.filter(({ isBehind }) => !isBehind).map((connection) => connection.close()));
  }

  async #dial(stop: SshStop, jump: SshStop | undefined): Promise<SshConnection> {
    const via = jump === undefined ? undefined : await this.connection(jump);
    const sock = via && (() => via.forward(stop, this.#limits.connectMs));
    const { signal } = this.#closing;
    return new SshConnection(stop, await dial(stop, this.#limits, { sock, signal }), jump);
  }
}
