/**
 * Linux' watchdog resets a host whose Patroni no longer tells it that all is well while its PostgreSQL goes on as leader.
 * https://patroni.readthedocs.io/en/latest/watchdog.html
 */
import type { PatroniTiming } from "./timing.ts";

/** `automatic`: where the host has one that Patroni may open. `required`: a member without one never leads. */
export type WatchdogMode = "off" | "automatic" | "required";

export interface Watchdog {
  readonly mode: WatchdogMode;
  readonly device: string;
  /** Seconds before the lock's end at which the host is reset; -1: after half of the ttl, the hard guarantee. */
  readonly safetyMarginSeconds: number;
}

/** What is wrong with a watchdog beside these times, each as a sentence; empty if nothing is. */
export function watchdogProblems(
  { ttlSeconds, loopWaitSeconds, retryTimeoutSeconds }: PatroniTiming,
  { mode, safetyMarginSeconds: margin }: Watchdog,
): readonly string[] {
  if (mode === "off") return [];
  if (margin === 0) {
    return ["safety_margin is 0: the host would be reset when another may lead already; 1 or more, or -1"];
  }
  const timeout = margin === -1 ? Math.floor(ttlSeconds / 2) : ttlSeconds - margin;
  // A leader may wait for Consul for retry_timeout before it gives up its role, and is not to be reset meanwhile.
  const least = loopWaitSeconds + retryTimeoutSeconds;
  if (timeout >= least) return [];
  const from = margin === -1 ? `half of ttl ${ttlSeconds}` : `ttl ${ttlSeconds} - safety_margin ${margin}`;
  return [
    `the watchdog resets a host after ${timeout} s (${from}), and a healthy leader may take ${least} s (loop_wait ${loopWaitSeconds} + retry_timeout ${retryTimeoutSeconds}); raise ttl, or lower one of the others`,
  ];
}
