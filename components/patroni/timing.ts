/**
 * How fast a failure is taken for one. One profile sets Patroni and HAProxy together, because a client's gap is the
 * sum of both.
 */

export interface PatroniTiming {
  /** A leader that has not renewed its lock for this long has lost it. */
  readonly ttlSeconds: number;
  readonly loopWaitSeconds: number;
  /** How long Consul or PostgreSQL may stay away before a leader gives up its role. */
  readonly retryTimeoutSeconds: number;
  /** How long a crashed leader may recover before another takes over; 0: at once, if one can without loss. */
  readonly primaryStartTimeoutSeconds: number;
}

export interface CheckTiming {
  readonly intervalMs: number;
  /** While a server's state is changing. */
  readonly fastIntervalMs: number;
  readonly downIntervalMs: number;
  readonly timeoutMs: number;
  readonly fall: number;
  readonly rise: number;
}

export interface Timing {
  readonly patroni: PatroniTiming;
  readonly haproxy: CheckTiming;
}

export type TimingProfile = "fast" | "lan" | "wan";

const quickChecks: CheckTiming = {
  intervalMs: 1_000,
  fastIntervalMs: 200,
  downIntervalMs: 500,
  timeoutMs: 1_000,
  fall: 2,
  rise: 1,
};

export const timingProfiles: Readonly<Record<TimingProfile, Timing>> = {
  // The floor that Consul sets: its sessions last at least 10 s and twice that until they are gone. retry_timeout is
  // as long as fits, since an election of Consul's takes 2.4 to 3.7 s and must not depose a healthy leader.
  fast: {
    patroni: {
      ttlSeconds: 20,
      loopWaitSeconds: 1,
      retryTimeoutSeconds: 9,
      primaryStartTimeoutSeconds: 0,
    },
    haproxy: quickChecks,
  },
  lan: {
    patroni: {
      ttlSeconds: 30,
      loopWaitSeconds: 5,
      retryTimeoutSeconds: 10,
      primaryStartTimeoutSeconds: 0,
    },
    haproxy: quickChecks,
  },
  // Consul's servers or the nodes are tens of milliseconds apart, over lines that hiccup.
  wan: {
    patroni: {
      ttlSeconds: 60,
      loopWaitSeconds: 10,
      retryTimeoutSeconds: 20,
      primaryStartTimeoutSeconds: 30,
    },
    haproxy: {
      ...quickChecks,
      intervalMs: 2_000,
      fastIntervalMs: 1_000,
      downIntervalMs: 1_000,
      timeoutMs: 3_000,
    },
  },
};

/** Patroni's own minima; ttl because of Consul's `session_ttl_min` as well. */
const minima: Readonly<Record<"ttl" | "loop_wait" | "retry_timeout" | "primary_start_timeout", number>> = {
  ttl: 20,
  loop_wait: 1,
  retry_timeout: 3,
  primary_start_timeout: 0,
};

/** What is wrong with a timing, each as a sentence; empty if nothing is. Patroni would rewrite such values silently. */
export function timingProblems(timing: PatroniTiming): readonly string[] {
  const values = dynamicTiming(timing);
  const { ttl, loop_wait, retry_timeout } = values;
  const problems: string[] = [];
  for (const [name, minimum] of Object.entries(minima)) {
    const value = values[name as keyof typeof minima];
    if (!Number.isInteger(value)) problems.push(`${name} is ${value}; whole seconds are needed`);
    else if (value < minimum) problems.push(`${name} is ${value}; at least ${minimum} is needed`);
  }
  const sum = loop_wait + 2 * retry_timeout;
  if (sum > ttl) {
    problems.push(
      `loop_wait + 2 * retry_timeout = ${loop_wait} + 2*${retry_timeout} = ${sum} > ttl ${ttl}; raise ttl or lower one of them`,
    );
  }
  return problems;
}

/** A timing in Patroni's words. */
export function dynamicTiming(timing: PatroniTiming) {
  return {
    ttl: timing.ttlSeconds,
    loop_wait: timing.loopWaitSeconds,
    retry_timeout: timing.retryTimeoutSeconds,
    primary_start_timeout: timing.primaryStartTimeoutSeconds,
  };
}

/**
 * How long a leader that lost its lock may take to stop before it is killed: what is left of `ttl` after it has
 * noticed, less 5 s, so that it is down before another may be promoted. At least 1 s.
 */
export function primaryStopTimeoutSeconds(timing: PatroniTiming): number {
  return Math.max(1, timing.ttlSeconds - timing.loopWaitSeconds - timing.retryTimeoutSeconds - 5);
}

/** Upper bound of a client's gap when the leader's host is lost: the lock, the others' loop, promotion, the checks. */
export function hostLossBoundMs({ patroni, haproxy }: Timing): number {
  const promotionMs = 1_000;
  const checksMs = haproxy.rise * haproxy.downIntervalMs;
  return (patroni.ttlSeconds + patroni.loopWaitSeconds) * 1_000 + promotionMs + checksMs;
}
