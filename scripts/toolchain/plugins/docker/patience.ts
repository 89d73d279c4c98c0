/** Waiting that ends when the engine cancels. */

import { setTimeout as sleep } from "node:timers/promises";

export async function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  await sleep(milliseconds, undefined, { signal });
}

/**
 * Asks until there is an answer, at growing distances: what takes long anyway is not asked often. The answer is
 * undefined when the time is over.
 */
export async function until<T>(
  ask: () => Promise<T | undefined>,
  milliseconds: number,
  signal: AbortSignal,
): Promise<T | undefined> {
  const end = Date.now() + milliseconds;
  for (let distance = 50; ; distance = Math.min(distance * 1.5, 1000)) {
    const answer = await ask();
    if (answer !== undefined) return answer;
    const left = end - Date.now();
    if (left <= 0) return undefined;
    await pause(Math.min(distance, left), signal);
  }
}
