/** Who leads inside a region: by the wish, and when a leader is declared no more. */
import { describe, expect, test } from "vitest";
import type { RegionsDesired } from "../../../../components/regions/desired.ts";
import type { RegionsObserved } from "../../../../components/regions/facts.ts";
import { planRegions } from "../../../../components/regions/plan/plan.ts";
import { observe } from "./observed.ts";
import { patroniYml, wish, withFile, withRegionWish } from "./sample.ts";
import { planned, withPatroni } from "./short.ts";
import { World } from "./world.ts";

const leads = (region: string, leader: string, desired = wish()) =>
  withRegionWish(desired, region, () => ({ leader }));
/** Files as the wish has them, on the hosts too. */
const healthy = (desired: RegionsDesired = wish()) => observe(World.healthy(desired));

function withEntry(observed: RegionsObserved, name: string, change: object): RegionsObserved {
  return withPatroni(observed, "a-1", ({ cluster }) => ({
    cluster: {
      ...cluster,
      members: cluster.members.map((entry) => (entry.name === name ? { ...entry, ...change } : entry)),
    },
  }));
}

test("a synchronous standby takes over, and the write gap is told", () => {
  expect(planned(healthy(), leads("a", "a-2"))).toBe("checkpoint(a-1) switchover(a-1→a-2) await(a-1) |");
  expect(planRegions(healthy(), leads("a", "a-2")).notices.map(({ code }) => code)).toEqual(["N_WRITE_GAP"]);
});

test("whoever leads stays where nobody is wished, and where the wished one leads", () => {
  expect(planned(healthy(), leads("a", "a-1"))).toBe("nothing");
});

test("in a standby cluster nobody has to be synchronous, and nobody notices", () => {
  expect(planned(healthy(), leads("b", "b-3"))).toBe("switchover(b-1→b-3) await(b-1) |");
  expect(planRegions(healthy(), leads("b", "b-3")).notices).toEqual([]);
});

test("one that Patroni prefers is waited for until it is synchronous", () => {
  const preferred = withFile(
    leads("a", "a-3"),
    "a-3",
    "patroni/patroni.yml",
    patroniYml({}, { sync_priority: 2 }),
  );
  expect(planned(healthy(preferred), preferred)).toBe(
    "await(a-3 sync) checkpoint(a-1) switchover(a-1→a-3) await(a-1) |",
  );
});

describe("refused, with the values", () => {
  test.each([
    ["not synchronous", healthy(), "a-3", "E_STANDBY_NOT_SYNC", "sync=false"],
    [
      "not streaming",
      withEntry(healthy(), "a-2", { state: "running" }),
      "a-2",
      "E_STANDBY_NOT_SYNC",
      "state=running",
    ],
    [
      "on another timeline",
      withEntry(healthy(), "a-2", { timeline: 9 }),
      "a-2",
      "E_STANDBY_NOT_SYNC",
      "timeline=9",
    ],
    [
      "behind",
      withEntry(healthy(), "a-2", { lagBytes: 99_000_000 }),
      "a-2",
      "E_STANDBY_LAG",
      "99000000 bytes",
    ],
  ])("%s", (_name, observed, leader, code, text) => {
    const { refusals } = planRegions(observed, leads("a", leader));
    expect(refusals).toMatchObject([{ code, message: expect.stringContaining(text) }]);
  });

  test("kept from it by its tag", () => {
    const tagged = withFile(
      leads("a", "a-2"),
      "a-2",
      "patroni/patroni.yml",
      patroniYml({}, { nofailover: true }),
    );
    expect(planRegions(healthy(tagged), tagged).refusals).toMatchObject([{ code: "E_NO_FAILOVER" }]);
  });

  test("while Patroni is paused", () => {
    const world = World.healthy(wish());
    world.region("a").config = { ...world.region("a").config, pause: true };
    expect(planned(observe(world), leads("a", "a-2"))).toBe("E_PAUSED");
  });
});

describe("a leader that is declared no more", () => {
  const without = withRegionWish(wish(), "a", ({ members }) => ({ members: members.slice(1) }));

  test("hands over first", () => {
    expect(planned(healthy(), without)).toBe("switchover(a-1→a-2) |");
    expect(planRegions(healthy(), without).steps[0]).toMatchObject({
      host: "a-2",
      because: "a-1 is declared no more",
    });
  });

  test("is not taken away while nobody can take over", () => {
    const nobody = ["a-2", "a-3"].reduce(
      (found, name) =>
        withPatroni(found, name, ({ cluster }) => ({
          cluster: {
            ...cluster,
            members: cluster.members.map((entry) => ({ ...entry, syncStandby: false })),
          },
        })),
      healthy(),
    );
    expect(planned(nobody, without)).toBe("E_STANDBY_NOT_SYNC");
  });
});
