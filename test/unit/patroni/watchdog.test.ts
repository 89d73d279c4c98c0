import { describe, expect, test } from "vitest";
import { timingProfiles } from "../../../components/patroni/timing.ts";
import { type Watchdog, watchdogProblems } from "../../../components/patroni/watchdog.ts";

const { fast, lan, wan } = timingProfiles;

function having(safetyMarginSeconds: number, mode: Watchdog["mode"] = "required"): Watchdog {
  return { mode, device: "/dev/watchdog", safetyMarginSeconds };
}

describe("every profile goes with Patroni's own margin and with the hard guarantee", () => {
  test.each([
    ["fast", fast],
    ["lan", lan],
    ["wan", wan],
  ] as const)("%s", (_name, { patroni }) => {
    expect(watchdogProblems(patroni, having(5))).toEqual([]);
    expect(watchdogProblems(patroni, having(-1))).toEqual([]);
  });
});

test("one that would reset a healthy leader is a problem, whatever the mode but off", () => {
  const problem =
    "the watchdog resets a host after 9 s (ttl 20 - safety_margin 11), and a healthy leader may take 10 s (loop_wait 1 + retry_timeout 9); raise ttl, or lower one of the others";
  expect(watchdogProblems(fast.patroni, having(10))).toEqual([]);
  expect(watchdogProblems(fast.patroni, having(11))).toEqual([problem]);
  expect(watchdogProblems(fast.patroni, having(11, "automatic"))).toEqual([problem]);
  expect(watchdogProblems(fast.patroni, having(11, "off"))).toEqual([]);
});

test("half of the ttl may be too little", () => {
  const timing = { ...lan.patroni, loopWaitSeconds: 10 };
  expect(watchdogProblems(timing, having(-1))).toEqual([
    expect.stringContaining("after 15 s (half of ttl 30)"),
  ]);
});

test("no margin is none", () => {
  expect(watchdogProblems(lan.patroni, having(0))).toEqual([expect.stringMatching(/1 or more, or -1$/)]);
});
