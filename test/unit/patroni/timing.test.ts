import { describe, expect, test } from "vitest";
import {
  hostLossBoundMs,
  primaryStopTimeoutSeconds,
  type TimingProfile,
  timingProblems,
  timingProfiles,
} from "../../../components/patroni/timing.ts";

const names = Object.keys(timingProfiles) as TimingProfile[];
const fast = timingProfiles.fast.patroni;

describe.each(names)("profile %s", (name) => {
  const { patroni, haproxy } = timingProfiles[name];

  test("is one that Patroni leaves as it is", () => {
    expect(timingProblems(patroni)).toEqual([]);
  });

  test("outlives an election of Consul's, 3.7 s", () => {
    expect(patroni.retryTimeoutSeconds).toBeGreaterThan(3.7);
  });

  test("has a deposed leader down before its lock ends", () => {
    const noticed = patroni.loopWaitSeconds + patroni.retryTimeoutSeconds;
    expect(noticed + primaryStopTimeoutSeconds(patroni)).toBeLessThan(patroni.ttlSeconds);
  });

  test("waits for a check no longer than until the next", () => {
    expect(haproxy.timeoutMs).toBeLessThanOrEqual(2 * haproxy.intervalMs);
  });
});

test("fast: the loss of the leader's host is over after 22.5 s at most", () => {
  expect(hostLossBoundMs(timingProfiles.fast)).toBe(22_500);
});

test.each([
  [{ ttlSeconds: 19, retryTimeoutSeconds: 3 }, ["ttl is 19; at least 20 is needed"]],
  [{ loopWaitSeconds: 0 }, ["loop_wait is 0; at least 1 is needed"]],
  [{ retryTimeoutSeconds: 2 }, ["retry_timeout is 2; at least 3 is needed"]],
  [{ primaryStartTimeoutSeconds: -1 }, ["primary_start_timeout is -1; at least 0 is needed"]],
  [{ loopWaitSeconds: 1.5 }, ["loop_wait is 1.5; whole seconds are needed"]],
  [
    { loopWaitSeconds: 10, retryTimeoutSeconds: 10, ttlSeconds: 25 },
    ["loop_wait + 2 * retry_timeout = 10 + 2*10 = 30 > ttl 25; raise ttl or lower one of them"],
  ],
  [{ loopWaitSeconds: 2 }, []],
])("%j", (change, problems) => {
  expect(timingProblems({ ...fast, ...change })).toEqual(problems);
});
