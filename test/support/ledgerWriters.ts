/**
 * The writers of a ledger, in a process of their own: what the test does beside them (a converge, a comparison of
 * many rows) must not be measured as a gap. Started by `ledger.ts` only, which speaks with it by IPC, so that the
 * password is neither in argv nor in the environment.
 */
import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import type { Access } from "./client.ts";
import { type Connection, Search } from "./ledgerConnection.ts";
import { monotonicMs, type Write } from "./ledgerHistory.ts";

export interface WritersOrder {
  readonly access: Access;
  readonly writers: number;
  /** Of one writer: from the beginning of a write to that of the next, at least. 0: as fast as it goes. */
  readonly everyMs: number;
  /** A write without an answer for this long is unknown, and its connection is given up. */
  readonly writeTimeoutMs: number;
}

export type ToWriters = { readonly order: WritersOrder } | "progress" | "stop";

export interface Progress {
  readonly acknowledged: number;
  readonly lastAckAt: number;
  readonly lastServer: string;
}

export type FromWriters = { readonly progress: Progress } | { readonly writes: readonly Write[] };

const columns =
  "host(inet_server_addr()), ('x' || substr(pg_walfile_name(pg_current_wal_insert_lsn()), 1, 8))::bit(32)::int";
const into = "INSERT INTO ledger (writer, seq, id) VALUES ($1, $2, $3) RETURNING";

/** The first write of a connection asks which database system it is, every one who acknowledged and on what timeline. */
const first = {
  name: "ledger_first",
  text: `${into} ${columns}, (SELECT system_identifier::text FROM pg_control_system())`,
};
const next = { name: "ledger_next", text: `${into} ${columns}` };

class Writers {
  readonly writes: Write[] = [];
  progress: Progress = { acknowledged: 0, lastAckAt: 0, lastServer: "" };
  readonly #order: WritersOrder;
  readonly #search: Search;
  #stopped = false;

  constructor(order: WritersOrder) {
    this.#order = order;
    this.#search = new Search(order.access, () => this.#stopped);
  }

  async run(): Promise<void> {
    await Promise.all(Array.from({ length: this.#order.writers }, (_, writer) => this.#write(writer)));
  }

  stop(): void {
    this.#stopped = true;
  }

  async #write(writer: number): Promise<void> {
    let seq = 0;
    while (!this.#stopped) {
      const connection = await this.#search.connect();
      if (!connection) return;
      let sentAt = 0;
      const watch = setInterval(() => {
        if (monotonicMs() - sentAt > this.#order.writeTimeoutMs)
          connection.client.connection.stream.destroy();
      }, 100);
      while (!this.#stopped && !connection.broken) {
        seq += 1;
        sentAt = monotonicMs();
        this.#record(await oneWrite(connection, { writer, seq, id: randomUUID(), sentAt }));
        // Not before a search for another server: that is part of the gap.
        const early = sentAt + this.#order.everyMs - monotonicMs();
        if (early > 0 && !connection.broken) await sleep(early);
      }
      clearInterval(watch);
      connection.client.connection.stream.destroy();
    }
  }

  #record(write: Write): void {
    this.writes.push(write);
    if (write.kind !== "ok") return;
    const acknowledged = this.progress.acknowledged + 1;
    this.progress = { acknowledged, lastAckAt: write.doneAt, lastServer: write.server };
  }
}

async function oneWrite(
  connection: Connection,
  write: Pick<Write, "writer" | "seq" | "id" | "sentAt">,
): Promise<Write> {
  const values = [write.writer, write.seq, write.id];
  connection.doubted = false;
  try {
    const statement = connection.identity ? next : first;
    const { rows } = await connection.client.query({ ...statement, values, rowMode: "array" });
    const doneAt = monotonicMs();
    const [server, timeline, system] = rows[0] as [string, number, string | undefined];
    connection.identity = { server, system: connection.identity?.system ?? system ?? "" };
    connection.timeline = timeline;
    const asked = { ...write, doneAt, ...connection.identity, timeline };
    if (connection.doubted) return { ...asked, kind: "info", reason: "might not have been replicated" };
    return { ...asked, kind: "ok" };
  } catch (error) {
    connection.broken = true;
    const { severity, message } = error as { severity?: string; message: string };
    const { server, system } = connection.identity ?? { server: connection.target.host, system: "" };
    // Only ERROR says that the transaction is rolled back. FATAL can come when the commit is on disk already.
    const kind = severity === "ERROR" ? "fail" : "info";
    const { timeline } = connection;
    return { ...write, doneAt: monotonicMs(), server, system, timeline, kind, reason: message };
  }
}

let writers: Writers | undefined;
let ended: Promise<void> | undefined;

process.on("message", async (message: ToWriters) => {
  if (typeof message === "object") {
    writers = new Writers(message.order);
    ended = writers.run();
  } else if (message === "progress" && writers) {
    process.send?.({ progress: writers.progress } satisfies FromWriters);
  } else if (writers) {
    writers.stop();
    await ended;
    process.send?.({ writes: writers.writes } satisfies FromWriters, () => process.disconnect());
  }
});
// The test is gone: nobody wants the history any more.
process.on("disconnect", () => process.exit(0));
