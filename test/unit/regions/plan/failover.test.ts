import { describe, expect, test } from "vitest";
import { planRegions } from "../../../../components/regions/plan/plan.ts";
import { observe } from "./observed.ts";
import { statement, wish, withRegionWish } from "./sample.ts";
import { planned, withFacts, withReport } from "./short.ts";
import { World } from "./world.ts";

const stated = (change: Partial<typeof statement> = {}) => ({
  ...wish("b"),
  failover: { ...statement, ...change },
});

function dead(names = ["a", "b"]): World {
  const world = World.healthy(wish("a", names));
  for (const [name, host] of Object.entries(world.hosts)) if (name.startsWith("a")) host.unit = "unreachable";
  world.live();
  return world;
}

const refusal = (desired: ReturnType<typeof stated>) => planRegions(observe(dead()), desired).refusals[0];

describe("the statement", () => {
  test("allows it: what answers is held, the rest is left alone", () => {
    expect(planned(observe(dead()), stated())).toMatch(/^promote\(b-1 failover from a\) await/);
  });

  test("none: why, what may be lost, and what to type", () => {
    const { refusals } = planRegions(observe(dead()), wish("b"));
    expect(refusals).toMatchObject([{ code: "E_FENCE_UNCONFIRMED" }]);
    expect(refusals[0]?.message).toContain("a-1 does not answer: no answer within 20 s");
    expect(refusals[0]?.message).toContain("pulumi config set --path failover.acceptDataLoss true");
    expect(refusals[0]?.message).toContain('failover.fenceConfirmed "why a takes no writes"');
  });

  test.each([
    ["for other regions", { from: "c" }, "E_FENCE_STALE"],
    ["of yesterday", { at: "2025-12-31T00:00:00Z" }, "E_FENCE_STALE"],
    ["of tomorrow", { at: "2026-01-02T00:00:00Z" }, "E_FENCE_STALE"],
    ["that cannot be read", { at: "soon" }, "E_FENCE_STALE"],
    ["without a word, and no command", { fenceConfirmed: " " }, "E_FENCE_UNCONFIRMED"],
    ["that does not accept a loss", { acceptDataLoss: false }, "E_DATA_LOSS"],
  ])("%s", (_name, change, code) => {
    expect(refusal(stated(change))?.code).toBe(code);
  });

  test("a command stands for the word, right before the promotion", () => {
    const { fenceConfirmed: _, ...said } = statement;
    const command = { command: ["power", "off"], timeoutSeconds: 20 };
    const desired = withRegionWish({ ...wish("b"), failover: said }, "a", () => ({ fenceCommand: command }));
    expect(planned(observe(dead()), desired)).toMatch(/^fence\(a\) promote\(b-1 failover from a\)/);
  });
});

describe("what may be lost", () => {
  test("is said to be possible, because a standby cluster is asynchronous", () => {
    const { notices } = planRegions(observe(dead()), stated());
    expect(notices).toContainEqual({
      code: "N_DATA_AT_RISK",
      message: expect.stringMatching(/not known.*b follows a asynchronously/),
    });
  });

  test("nothing, where the old primary's end is known and here; then nothing has to be accepted", () => {
    const world = World.healthy(wish());
    world.member("a-1").controlState = "shut down";
    for (const n of [1, 2, 3]) {
      const member = world.member(`a-${n}`);
      Object.assign(member, { patroni: "stopped", primary: false });
      if (n > 1) member.controlState = "shut down in recovery";
    }
    const observed = observe(world);
    expect(planned(observed, stated({ acceptDataLoss: false }))).toMatch(
      /^hold\(a-1\) hold\(a-2\) hold\(a-3\) promote\(b-1 failover from a\) \|/,
    );
    const unseen = withFacts(observed, "a-3", { reach: "unreachable", reason: "off" });
    expect(planned(unseen, stated({ acceptDataLoss: false }))).toBe("E_DATA_LOSS");
    const more = withReport(observed, "a-1", ({ data }) =>
      data?.control ? { data: { ...data, control: { ...data.control, checkpointLsn: "0/9000000" } } } : {},
    );
    expect(planned(more, stated({ acceptDataLoss: false }))).toBe("E_DATA_LOSS");
  });
});

test("a third region that has more is the one to take over", () => {
  const names = ["a", "b", "c"];
  const world = dead(names);
  world.member("c-1").wal.push("write 99");
  expect(planned(observe(world), { ...wish("b", names), failover: statement })).toBe("E_STANDBY_BEHIND");
});

test("a region without a Consul majority, or without room, cannot take over", () => {
  const world = dead();
  world.region("b").led = false;
  expect(planned(observe(world), stated())).toBe("E_CONSUL_QUORUM");
  const full = withReport(observe(dead()), "b-1", ({ data }) => ({
    data: data && { ...data, freeBytes: 1 },
  }));
  expect(planned(full, stated())).toBe("E_DISK_SPACE");
});

test("another member of it that does not answer does not stop it", () => {
  const observed = withFacts(observe(dead()), "b-3", { reach: "unreachable", reason: "off" });
  expect(planned(observed, stated())).toMatch(/^promote/);
});

test("afterwards: alone, and said so; and a statement that is not needed", () => {
  const { notices } = planRegions(observe(World.healthy(wish("b"))), stated());
  expect(notices).toMatchObject([{ code: "N_STATEMENT_SPENT" }]);
});
