import { setTimeout as sleep } from "node:timers/promises";

export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** The first defined answer; an error is none. The test's time limit is the limit. */
export async function eventually<T>(ask: () => T | undefined): Promise<T> {
  for (;;) {
    try {
      const answer = ask();
      if (answer !== undefined) {
        return answer;
      }
    } catch {
      // Not yet.
    }
    await sleep(50);
  }
}
