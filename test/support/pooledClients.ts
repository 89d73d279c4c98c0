/** Clients of PgBouncer that do nothing but write and connect, and tell what they saw of it. */
import { setTimeout as sleep } from "node:timers/promises";
import type { DesiredProxy } from "../../components/regions/desired.ts";
import { regionNamed } from "../../components/regions/wish.ts";
import { type Access, clientFor, type Target } from "./client.ts";
import { monotonicMs } from "./ledgerHistory.ts";
import type { RegionStack } from "./regionStack.ts";

export interface PooledAccount {
  readonly acknowledged: number;
  /** Of sessions that were opened, used once and closed. */
  readonly sessions: number;
  readonly longestGapMs: number;
  readonly errors: readonly string[];
}

const pauseMs = 10;
const betweenSessionsMs = 100;

export function pooledTarget({ clientName: host, address, pooled }: DesiredProxy): Target {
  if (pooled === undefined) throw new Error(`${host} pools nothing`);
  return { host, address, port: pooled.port };
}

/** The first proxy of the region that takes writes. */
export function activeProxy({ wish, active }: Pick<RegionStack, "wish" | "active">): DesiredProxy {
  const [first] = regionNamed(wish, active).proxies;
  if (!first) throw new Error(`${active} has no proxy`);
  return first;
}

export class PooledClients {
  readonly #access: Access;
  readonly #target: Target;
  readonly #running: Promise<void>[] = [];
  readonly #errors: string[] = [];
  #ended = false;
  #acknowledged = 0;
  #sessions = 0;
  #longestGapMs = 0;

  private constructor(access: Access, target: Target) {
    this.#access = access;
    this.#target = target;
  }

  /** Each writer keeps its session and a statement that it prepared; beside them sessions come and go. */
  static async start(access: Access, target: Target, writers: number): Promise<PooledClients> {
    const clients = new PooledClients(access, target);
    await clients.once(
      "CREATE TABLE IF NOT EXISTS pooled (writer int, number int, PRIMARY KEY (writer, number))",
    );
    await clients.once("TRUNCATE pooled");
    for (let writer = 0; writer < writers; writer++) clients.#running.push(clients.#write(writer));
    clients.#running.push(clients.#connect());
    return clients;
  }

  get acknowledged(): number {
    return this.#acknowledged;
  }

  async once(statement: string): Promise<unknown[]> {
    const client = clientFor(this.#access, this.#target);
    client.on("error", () => undefined);
    await client.connect();
    try {
      return (await client.query(statement)).rows;
    } finally {
      await client.end();
    }
  }

  /** Rejects when a write that was acknowledged is not there. */
  async stop(): Promise<PooledAccount> {
    this.#ended = true;
    await Promise.all(this.#running);
    const [row] = (await this.once("SELECT count(*)::int AS rows FROM pooled")) as { rows: number }[];
    if (row?.rows !== this.#acknowledged)
      throw new Error(`${this.#acknowledged} writes were acknowledged, and ${row?.rows} rows are there`);
    return {
      acknowledged: this.#acknowledged,
      sessions: this.#sessions,
      longestGapMs: Math.round(this.#longestGapMs),
      errors: this.#errors,
    };
  }

  async #write(writer: number): Promise<void> {
    const client = clientFor(this.#access, this.#target);
    client.on("error", () => undefined);
    try {
      await client.connect();
      let last = monotonicMs();
      for (let number = 0; !this.#ended; number++) {
        await client.query({
          name: "write",
          text: "INSERT INTO pooled VALUES ($1, $2)",
          values: [writer, number],
        });
        this.#acknowledged += 1;
        this.#longestGapMs = Math.max(this.#longestGapMs, monotonicMs() - last);
        last = monotonicMs();
        await sleep(pauseMs);
      }
    } catch (error) {
      this.#errors.push(`writer ${writer}: ${(error as Error).message}`);
    }
    await client.end().catch(() => undefined);
  }

  async #connect(): Promise<void> {
    while (!this.#ended) {
      try {
        // Its own limit for a login is shorter than a pause may be.
        await this.once("SELECT 1");
        this.#sessions += 1;
      } catch (error) {
        this.#errors.push(`a new session: ${(error as Error).message}`);
      }
      await sleep(betweenSessionsMs);
    }
  }
}
