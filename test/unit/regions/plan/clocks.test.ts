/** Clocks of regions' hosts: told at any time, refused where something depends on them. */
import { describe, expect, test } from "vitest";
import type { RegionsObserved } from "../../../../components/regions/facts.ts";
import { planRegions } from "../../../../components/regions/plan/plan.ts";
import { observe } from "./observed.ts";
import { statement, wish, withRegionWish } from "./sample.ts";
import { planned, withFacts, withReport } from "./short.ts";
import { World } from "./world.ts";

const healthy = () => observe(World.healthy(wish()));

function withClock(name: string, clock: string, observed: RegionsObserved = healthy()): RegionsObserved {
  const certificate = { notBefore: "2025-12-31T23:59:00Z", notAfter: "2026-03-31T00:00:00Z", sans: [] };
  return withReport(observed, name, () => ({ clock, certificate }));
}

const ahead = "2026-01-01T00:05:00Z";
const leads = (region: string, leader: string) => withRegionWish(wish(), region, () => ({ leader }));

test("one that is off by more than 2 s is told, and nothing is done for it", () => {
  const observed = withClock("a-2", ahead);
  expect(planned(observed, wish())).toBe("nothing");
  expect(planRegions(observed, wish()).notices).toMatchObject([
    { code: "N_CLOCK", message: expect.stringMatching(/a-2 says 2026-01-01T00:05:00Z \(\d+\.0 s ahead\)/) },
  ]);
  expect(planRegions(withClock("a-2", "2026-01-01T00:00:01.900Z"), wish()).notices).toEqual([]);
});

describe("a change of the leader inside a region is refused", () => {
  test.each([
    ["of whoever leads", "a-1", ahead, /a-1 says .* ahead/],
    ["of whoever is to lead", "a-2", "2025-12-31T23:59:30Z", /a-2 says .* \(30\.0 s behind\)/],
    ["of another member", "a-3", ahead, /a-3 says/],
  ])("by the clock %s", (_whose, name, clock, message) => {
    expect(planRegions(withClock(name, clock), leads("a", "a-2"))).toMatchObject({
      steps: [],
      refusals: [{ code: "E_CLOCK", message: expect.stringMatching(message) }],
    });
  });

  test("and not by one of the other region's", () => {
    expect(planned(withClock("b-1", ahead), leads("a", "a-2"))).toContain("switchover(a-1→a-2)");
    expect(planRegions(withClock("b-1", ahead), leads("b", "b-3")).refusals).toMatchObject([
      { code: "E_CLOCK" },
    ]);
  });
});

describe("a clock at a time at which the certificate is not valid", () => {
  test.each([
    [
      "before",
      "2025-12-31T12:00:00Z",
      /a-proxy says .* before its certificate begins \(2025-12-31T23:59:00Z\)/,
    ],
    ["after", "2026-04-01T00:00:00Z", /a-proxy says .* after its certificate ends \(2026-03-31T00:00:00Z\)/],
  ])("%s: nothing is done", (_when, clock, message) => {
    expect(planRegions(withClock("a-proxy", clock), wish()).refusals).toMatchObject([
      { code: "E_CLOCK", message: expect.stringMatching(message) },
    ]);
  });

  test("an end that has come is for an update to mend", () => {
    const certificate = { notAfter: "2025-12-31T00:00:00Z", sans: [] };
    const observed = withReport(healthy(), "a-1", () => ({ clock: "2026-01-01T00:00:10Z", certificate }));
    expect(planRegions(observed, wish()).refusals).toEqual([]);
  });

  test("nobody waits for it in an emergency", () => {
    const away = ["a-1", "a-2", "a-3", "a-consul-1", "a-consul-2", "a-consul-3", "a-proxy"].reduce(
      (observed, name) => withFacts(observed, name, { reach: "unreachable", reason: "no answer" }),
      withClock("b-2", "2026-04-01T00:00:00Z"),
    );
    const plan = planRegions(away, { ...wish("b"), failover: { ...statement, acceptDataLoss: true } });
    expect(plan.refusals).toEqual([]);
    expect(plan.notices.map(({ code }) => code)).toContain("N_CLOCK");
  });
});
