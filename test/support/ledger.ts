/**
 * A ledger of acknowledged writes: what a client was told, against what the servers hold when all is over. Every
 * fault test ends with it.
 */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { type Access, connectWritable } from "./client.ts";
import { type Copies, type History, monotonicMs } from "./ledgerHistory.ts";
import type { FromWriters, Progress, ToWriters } from "./ledgerWriters.ts";
import { sql } from "./nodes.ts";

/**
 * Of all writers together. As fast as they go they take both cores of a small machine from what is tested beside them,
 * and what is measured is the wait for a core.
 */
const usualWritesPerSecond = 1000;

export interface LedgerOptions {
  /** Default 8. */
  readonly writers?: number;
  /** Of all writers together, at most. Default 1000, the most that the acceptance matrix asks for; Infinity: as they go. */
  readonly writesPerSecond?: number;
  /** A write without an answer for this long is counted as unknown. */
  readonly writeTimeoutMs?: number;
  /** A second ledger on the same table (clients on the other side of a partition) keeps what is in it. */
  readonly keepTable?: boolean;
}

export class Ledger {
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess) {
    this.#child = child;
  }

  /** Returns when the first write is acknowledged. */
  static async start(access: Access, options: LedgerOptions = {}): Promise<Ledger> {
    if (!options.keepTable) await prepare(access);
    const child = fork(new URL("./ledgerWriters.ts", import.meta.url), [], {
      serialization: "advanced",
      stdio: ["ignore", "inherit", "inherit", "ipc"],
    });
    const ledger = new Ledger(child);
    const { writers = 8, writesPerSecond = usualWritesPerSecond, writeTimeoutMs = 3000 } = options;
    const everyMs = (1000 * writers) / writesPerSecond;
    ledger.#say({ order: { access, writers, everyMs, writeTimeoutMs } });
    await ledger.acknowledgedAfter(0);
    return ledger;
  }

  async progress(): Promise<Progress> {
    const answer = this.#answer("progress");
    this.#say("progress");
    return (await answer).progress;
  }

  /** Waits for an acknowledgement that is younger than this moment. */
  async acknowledgedAfter(moment: number = monotonicMs(), seconds = 60): Promise<Progress> {
    const end = monotonicMs() + seconds * 1000;
    while (monotonicMs() < end) {
      const progress = await this.progress();
      if (progress.lastAckAt > moment) return progress;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    throw new Error(`no write was acknowledged for ${seconds} s`);
  }

  async stop(): Promise<History> {
    const answer = this.#answer("writes");
    this.#say("stop");
    return await answer;
  }

  /** For the end of a test that failed. */
  kill(): void {
    this.#child.kill("SIGKILL");
  }

  #say(message: ToWriters): void {
    if (this.#child.connected) this.#child.send(message);
  }

  async #answer<K extends "progress" | "writes">(key: K): Promise<Extract<FromWriters, Record<K, unknown>>> {
    const ended = new AbortController();
    const gone = once(this.#child, "exit", { signal: ended.signal }).then(([code]) => {
      throw new Error(`the writers ended by themselves (${code})`);
    });
    gone.catch(() => undefined);
    try {
      while (true) {
        const [message] = (await Promise.race([once(this.#child, "message"), gone])) as [FromWriters];
        if (key in message) return message as Extract<FromWriters, Record<K, unknown>>;
      }
    } finally {
      ended.abort();
    }
  }
}

/** Without a key, so that a row that was written twice is there twice. */
async function prepare(access: Access): Promise<void> {
  const client = await connectWritable(access);
  await client.query("DROP TABLE IF EXISTS ledger");
  await client.query("CREATE TABLE ledger (writer int NOT NULL, seq int NOT NULL, id uuid NOT NULL)");
  await client.end();
}

/** What the given containers hold, each asked on its own local socket. */
export async function copiesOf(containers: readonly string[], database: string): Promise<Copies> {
  const entries = await Promise.all(
    containers.map(async (container) => {
      const copy = "COPY (SELECT id FROM ledger) TO STDOUT";
      const text = await sql(container, copy, database);
      return [container, text.split("\n").filter((id) => id !== "")] as const;
    }),
  );
  return Object.fromEntries(entries);
}
