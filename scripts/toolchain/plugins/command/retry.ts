import { setTimeout as sleep } from "node:timers/promises";

/** A failure that another attempt would only repeat. */
export class Final extends Error {}

export interface Attempts {
  /** How many failures are followed by another attempt; negative: all. */
  readonly limit: number;
  readonly signal: AbortSignal;
  /** Told of every failure that is followed by another attempt. */
  retrying(text: string): void;
}

const FIRST_DELAY_MS = 100;
const BACKOFF = 1.5;
const LONGEST_DELAY_MS = 5000;

/** The official provider's patience: 0.1 s, then half as long again each time, 5 s at most. */
export async function withRetry<T>(
  what: string,
  { limit, signal, retrying }: Attempts,
  attempt: () => Promise<T>,
): Promise<T> {
  let delay = FIRST_DELAY_MS;
  for (let failures = 1; ; failures++) {
    if (signal.aborted) {
      throw new Final("cancelled");
    }
    try {
      return await attempt();
    } catch (error) {
      if (signal.aborted) {
        throw new Final("cancelled");
      }
      if (error instanceof Final) {
        throw error;
      }
      const reason = (error as Error).message;
      if (limit >= 0 && failures > limit) {
        throw new Error(`after ${failures - 1} failed attempts: ${reason}`);
      }
      retrying(`${what} ${failures}/${limit < 0 ? "inf" : limit} failed: retrying (${reason})`);
    }
    // An abort during the sleep is seen at the top.
    await sleep(delay, undefined, { signal }).catch(() => {});
    delay = Math.min(delay * BACKOFF, LONGEST_DELAY_MS);
  }
}
