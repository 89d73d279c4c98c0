import type { VerbTable } from "../roles/conversation.ts";
import type { LineSession } from "./lineSession.ts";

/** One conversation for whoever asks, also at the same moment; when it has ended, the next who asks gets a new one. */
export class KeptSession<V extends VerbTable<V>> {
  readonly #open: () => Promise<LineSession<V>>;
  #current: Promise<LineSession<V>> | undefined;

  constructor(open: () => Promise<LineSession<V>>) {
    this.#open = open;
  }

  async get(): Promise<LineSession<V>> {
    const current = this.#current;
    if (current) {
      const session = await current.catch(() => undefined);
      if (session && !session.ended) return session;
      if (this.#current !== current) return await this.get();
    }
    this.#current = this.#open();
    return await this.#current;
  }

  async close(): Promise<void> {
    const session = await this.#current?.catch(() => undefined);
    this.#current = undefined;
    await session?.close();
  }
}
