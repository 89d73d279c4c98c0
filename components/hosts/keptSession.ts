import type { LineSession } from "./lineSession.ts";

/** One conversation for whoever asks, also at the same moment; when it has ended, the next who asks gets a new one. */
export class KeptSession {
  readonly #open: () => Promise<LineSession>;
  #current: Promise<LineSession> | undefined;

  constructor(open: () => Promise<LineSession>) {
    this.#open = open;
  }

  async get(): Promise<LineSession> {
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
