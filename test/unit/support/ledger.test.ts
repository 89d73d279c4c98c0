/** The judge of the fault tests: every invariant broken once, and a history without a fault. */
import { describe, expect, it } from "vitest";
import { check, type History, type Kind, summary, type Write } from "../../support/ledgerHistory.ts";

const A = "10.0.0.1";
const B = "10.0.0.2";

function write(id: string, kind: Kind, doneAt: number, server = A, timeline = 1, system = "7"): Write {
  return { writer: 0, seq: 1, id, kind, sentAt: doneAt - 1, doneAt, server, system, timeline };
}

/** Two servers, one after the other; one write refused, one unknown on either side of the truth. */
const sound: History = {
  writes: [
    write("a1", "ok", 100),
    write("a2", "ok", 110),
    write("a3", "fail", 111),
    write("a4", "info", 112),
    write("a5", "info", 113),
    write("b1", "ok", 310, B, 2),
    write("b2", "ok", 320, B, 2),
  ],
};
const held = ["a1", "a2", "a4", "b1", "b2"];

function violations(history: History, a: readonly string[], b: readonly string[] = held): string[] {
  return check(history, { a, b }).violations.map(({ invariant, message }) => `${invariant} ${message}`);
}

describe("the check of a ledger", () => {
  it("finds nothing where nothing is wrong, and measures the gap", () => {
    const verdict = check(sound, { a: held, b: held });
    expect(verdict).toMatchObject({ acknowledged: 4, failed: 1, unknown: 2, lost: 0, violations: [] });
    expect(verdict.changes).toMatchObject([{ gapMs: 200, from: { server: A }, to: { server: B } }]);
    expect(verdict.longestGapMs).toBe(200);
    expect(verdict.ratePerSecond).toBe(200);
    expect(summary(verdict)).toBe("4 acknowledged (200/s), 1 refused, 2 unknown, 0 lost; gap 0.200 s");
  });

  it("accepts an unknown write either way", () => {
    expect(violations(sound, ["a1", "a2", "a5", "b1", "b2"])).toEqual([]);
  });

  it("I1: an acknowledged write is not on one copy", () => {
    expect(violations(sound, ["a1", "b1", "b2"])).toEqual([
      "I1 1 acknowledged and not there on a: 0/1 (10.0.0.1, timeline 1, 110.0 ms)",
    ]);
    expect(check(sound, { a: ["a1", "b1", "b2"], b: ["b1", "b2"] }).lost).toBe(2);
  });

  it("I1: a write is there twice", () => {
    expect(violations(sound, [...held, "a1"])).toEqual(["I1 1 there more than once on a: a1"]);
    expect(violations(sound, [...held, "a4"])).toEqual(["I1 1 there more than once on a: a4"]);
  });

  it("I1: a row that nobody wrote", () => {
    expect(violations(sound, [...held, "x"])).toEqual(["I1 1 on a and written by nobody: x"]);
  });

  it("I2: a refused write is there", () => {
    expect(violations(sound, [...held, "a3"])).toEqual([
      "I2 1 refused and there nevertheless on a: 0/1 (10.0.0.1, timeline 1, 111.0 ms)",
    ]);
  });

  it("I3: the old server acknowledges once more after the new one began", () => {
    const late = { writes: [...sound.writes, write("a6", "ok", 312)] };
    expect(violations(late, [...held, "a6"], [...held, "a6"])).toEqual([
      "I3 10.0.0.1 (timeline 1) acknowledged for 2.0 ms after 10.0.0.2 (timeline 2) had begun",
    ]);
  });

  it("I3: two servers on one timeline", () => {
    const fork = { writes: [write("a1", "ok", 100), write("b1", "ok", 310, B, 1)] };
    expect(violations(fork, ["a1", "b1"], ["a1", "b1"])).toEqual([
      "I3 10.0.0.1 and 10.0.0.2 both on timeline 1",
    ]);
  });

  it("I3: another database system", () => {
    const other = { writes: [write("a1", "ok", 100), write("b1", "ok", 310, B, 2, "8")] };
    expect(violations(other, ["a1", "b1"], ["a1", "b1"])).toEqual(["I3 acknowledged by 2 database systems"]);
  });

  it("measures the longest gap also where the server stays the same", () => {
    const stall = { writes: [write("a1", "ok", 100), write("a2", "ok", 900)] };
    const verdict = check(stall, { a: ["a1", "a2"] });
    expect(verdict.changes).toEqual([]);
    expect(verdict.longestGapMs).toBe(800);
  });
});
