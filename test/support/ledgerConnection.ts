/** How the writers of a ledger find the server that takes writes. */
import { setTimeout as sleep } from "node:timers/promises";
import type pg from "pg";
import { type Access, clientFor, type Target } from "./client.ts";

/** Between two attempts at one server; short, because it is part of every gap that is measured. */
const backOffMs = 5;

export interface Connection {
  readonly client: pg.Client;
  readonly target: Target;
  /** Known from the first answer on; a server does not change its identity under a connection. */
  identity: { readonly server: string; readonly system: string } | undefined;
  timeline: number;
  /** Set when a commit was let go without its standby: then the answer to it is no acknowledgement. */
  doubted: boolean;
  broken: boolean;
}

/**
 * The first to miss its server searches for all: eight clients that try every 5 ms would keep a small machine
 * busy with handshakes, and the gap would be theirs. Every server is asked by a loop of its own, so that one
 * that hangs does not keep the search from the other.
 */
export class Search {
  readonly #access: Access;
  readonly #stopped: () => boolean;
  #running: Promise<Connection | undefined> | undefined;

  constructor(access: Access, stopped: () => boolean) {
    this.#access = access;
    this.#stopped = stopped;
  }

  /** undefined: the ledger is being closed. */
  async connect(): Promise<Connection | undefined> {
    while (!this.#stopped()) {
      const running = this.#running;
      if (!running) return await this.#lead();
      const found = await running;
      const own = found && (await attempt(this.#access, found.target));
      if (own) return own;
    }
    return undefined;
  }

  async #lead(): Promise<Connection | undefined> {
    const search = new AbortController();
    this.#running = Promise.race([
      ...this.#access.targets.map((target) => this.#insist(target, search.signal)),
      this.#untilStopped(search.signal),
    ]);
    try {
      return await this.#running;
    } finally {
      this.#running = undefined;
      search.abort();
    }
  }

  async #insist(target: Target, over: AbortSignal): Promise<Connection> {
    while (!over.aborted) {
      const connection = await attempt(this.#access, target);
      if (connection && !over.aborted) return connection;
      connection?.client.connection.stream.destroy();
      await sleep(backOffMs);
    }
    return await new Promise<never>(() => undefined);
  }

  async #untilStopped(over: AbortSignal): Promise<undefined> {
    while (!this.#stopped() && !over.aborted) await sleep(50);
    return undefined;
  }
}

/**
 * One try. Whether the server takes writes it says by itself while the connection is made (PostgreSQL 14 and newer
 * report both settings), as libpq's `target_session_attrs=read-write` uses it: no further round trip.
 */
async function attempt(access: Access, target: Target): Promise<Connection | undefined> {
  const client = clientFor(access, target);
  const connection: Connection = {
    client,
    target,
    identity: undefined,
    timeline: 0,
    doubted: false,
    broken: false,
  };
  const readOnly = new Map<string, boolean>();
  client.on("error", () => {
    connection.broken = true;
  });
  client.on("notice", ({ message }) => {
    if (message?.includes("might not have been replicated")) connection.doubted = true;
  });
  client.connection.on("parameterStatus", ({ parameterName, parameterValue }) => {
    if (parameterName === "in_hot_standby" || parameterName === "default_transaction_read_only") {
      readOnly.set(parameterName, parameterValue === "on");
    }
  });
  try {
    await client.connect();
    if (![...readOnly.values()].some(Boolean)) return connection;
  } catch {
    // Not this one, not now.
  }
  client.connection.stream.destroy();
  return undefined;
}
