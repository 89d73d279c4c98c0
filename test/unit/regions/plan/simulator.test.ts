/**
 * From many states a plan is carried out on simulated regions that clients write to: whole, cut off before every
 * single step, and cut off in the middle of one. Two regions never take writes at once, nobody is promoted without the
 * gate but by a statement, what was acknowledged is there at the end, and the end is an empty plan.
 */
import { describe, expect, test } from "vitest";
import type { RegionsDesired } from "../../../../components/regions/desired.ts";
import { converge } from "./apply.ts";
import { observe } from "./observed.ts";
import { admitting, member, statement, wish, withRegionWish } from "./sample.ts";
import { planned } from "./short.ts";
import { World } from "./world.ts";

interface Start {
  readonly world: () => World;
  readonly wish: RegionsDesired;
}

const names = ["a", "b", "c"];

const fourth = withRegionWish(wish(), "b", ({ members }) => ({ members: [...members, member("b", 4)] }));

const starts: Readonly<Record<string, Start>> = {
  "a new deployment": { world: () => new World(wish()), wish: wish() },
  "a planned change": { world: () => World.healthy(wish()), wish: wish("b") },
  "a planned change with a third region": {
    world: () => World.healthy(wish("a", names)),
    wish: wish("c", names),
  },
  "a planned change and another leader there": {
    world: () => World.healthy(wish()),
    wish: withRegionWish(wish("b"), "b", () => ({ leader: "b-2" })),
  },
  "two regions join one": {
    world: () => World.grown(admitting(wish("a", ["a"])), admitting(wish("a", names))),
    wish: admitting(wish("a", names)),
  },
  "a member joins the active region": {
    world: () => World.grown(admitting({ ...wish(), active: "b" }), admitting({ ...fourth, active: "b" })),
    wish: admitting({ ...fourth, active: "b" }),
  },
  "a member joins another region": {
    world: () => World.grown(admitting(wish()), admitting(fourth)),
    wish: admitting(fourth),
  },
  "back again": { world: () => changed("b"), wish: wish("a") },
  "everything off": {
    world: () => {
      const world = World.healthy(wish());
      for (const [name, host] of Object.entries(world.hosts)) {
        host.unit = "stopped";
        const region = world.regionOf(name);
        if (name === region.leader) world.member(name).controlState = "in production";
        Object.assign(region, { led: false });
      }
      world.live();
      return world;
    },
    wish: wish(),
  },
  "a member's data is gone": {
    world: () => {
      const world = World.healthy(wish());
      world.member("a-3").wal = [];
      world.host("a-3").unit = "stopped";
      return world;
    },
    wish: wish(),
  },
  "the leader is off": {
    world: () => {
      const world = World.healthy(wish());
      world.host("a-1").unit = "stopped";
      world.live();
      return world;
    },
    wish: withRegionWish(wish(), "a", () => ({ leader: "a-1" })),
  },
};

function changed(to: string): World {
  const world = World.healthy(wish());
  converge(world, wish(to));
  return world;
}

function expectWell(world: World, desired: RegionsDesired, label: string): void {
  expect(planned(observe(world), desired), label).toBe("nothing");
  expect([world.splits, world.unproven], label).toEqual([[], []]);
  const writers = Object.values(world.regions).filter((region) => world.writer(region) !== null);
  expect(
    writers.map(({ name }) => name),
    label,
  ).toEqual([desired.active]);
  const { wal } = world.member(world.region(desired.active).leader ?? "");
  expect(
    world.acknowledged.filter((record) => !wal.includes(record)),
    label,
  ).toEqual([]);
}

describe.each(Object.entries(starts))("%s", (_name, start) => {
  test("is carried out, and a second update changes nothing", () => {
    const world = start.world();
    expect(converge(world, start.wish).refused).toEqual([]);
    expectWell(world, start.wish, "whole");
  });

  test("cut off before or within any step, it is finished by the next run", () => {
    const whole = converge(start.world(), start.wish).steps;
    expect(whole.length).toBeGreaterThan(0);
    for (let cut = 0; cut < whole.length; cut += 1) {
      for (const half of [false, true]) {
        const world = start.world();
        converge(world, start.wish, cut, half);
        const label = `${whole[cut]?.kind} (${cut}${half ? ", within" : ""})`;
        expect([label, converge(world, start.wish).refused]).toEqual([label, []]);
        expectWell(world, start.wish, label);
      }
    }
  });
});

describe("a change that is cut off and then not wanted any more", () => {
  test("goes back, or back again where it was done", () => {
    const ends: string[] = [];
    const whole = converge(World.healthy(wish()), wish("b")).steps;
    for (let cut = 0; cut < whole.length; cut += 1) {
      for (const half of [false, true]) {
        const world = World.healthy(wish());
        converge(world, wish("b"), cut, half);
        const { steps, refused } = converge(world, wish());
        expect(refused, whole[cut]?.kind).toEqual([]);
        expectWell(world, wish(), `${whole[cut]?.kind}`);
        const how = steps.find(({ kind }) => kind === "resumeCluster" || kind === "promoteCluster")?.kind;
        if (!half) ends.push(`${whole[cut]?.kind}: ${how ?? "nothing was done"}`);
      }
    }
    expect(ends).toMatchInlineSnapshot(`
      [
        "checkpoint: nothing was done",
        "checkpoint: nothing was done",
        "demoteCluster: nothing was done",
        "gate: promoteCluster",
        "promoteCluster: promoteCluster",
        "awaitLeader: promoteCluster",
      ]
    `);
  });

  test("with a third region named instead, that one takes over", () => {
    const whole = converge(World.healthy(wish("a", names)), wish("b", names)).steps;
    for (let cut = 0; cut < whole.length; cut += 1) {
      const world = World.healthy(wish("a", names));
      converge(world, wish("b", names), cut);
      const { refused } = converge(world, wish("c", names));
      const promoted = whole.slice(0, cut).some(({ kind }) => kind === "promoteCluster");
      // It still follows the one that led first: it has to be turned before it can take over.
      const label = `${cut} ${whole[cut]?.kind}`;
      if (promoted && refused.length > 0) {
        expect(refused, label).toEqual(["E_STANDBY_NOT_SYNC"]);
        expect(converge(world, wish("b", names)).refused, label).toEqual([]);
        expect(converge(world, wish("c", names)).refused, label).toEqual([]);
      } else {
        expect(refused, label).toEqual([]);
      }
      expectWell(world, wish("c", names), label);
    }
  });
});

describe("a failover", () => {
  const stated = { ...wish("b"), failover: statement };
  const dead = () => {
    const world = World.healthy(wish());
    for (const [name, host] of Object.entries(world.hosts))
      if (name.startsWith("a")) host.unit = "unreachable";
    world.live();
    return world;
  };
  const expectFailedOver = (world: World, label: string) => {
    expect(planned(observe(world), stated), label).toBe("nothing");
    expect([world.splits, world.unproven], label).toEqual([[], []]);
    expect(world.writer(world.region("b")), label).not.toBeNull();
    expect(world.change(world.region("b")), label).toMatchObject({ statementAt: statement.at });
  };

  test("needs the statement, and works once", () => {
    const world = dead();
    expect(converge(world, wish("b")).refused).toEqual(["E_FENCE_UNCONFIRMED"]);
    expect(converge(world, stated).refused).toEqual([]);
    expectFailedOver(world, "whole");
    expect(converge(world, wish("b")).refused).toContain("E_NODE_UNREACHABLE");
  });

  test("cut off before or within any step, it is finished by the next run", () => {
    const whole = converge(dead(), stated).steps;
    for (let cut = 0; cut < whole.length; cut += 1) {
      for (const half of [false, true]) {
        const world = dead();
        converge(world, stated, cut, half);
        expect(converge(world, stated).refused, `${cut}`).toEqual([]);
        expectFailedOver(world, `${whole[cut]?.kind} ${half}`);
      }
    }
  });

  test("of a region whose members answer and have no leader: they are held, and come back as its standby", () => {
    const leaderless = () => {
      const world = World.healthy(wish());
      world.region("a").led = false;
      for (const n of [1, 2, 3]) world.host(`a-consul-${n}`).unit = "unreachable";
      for (const member of Object.values(world.region("a").members)) member.primary = false;
      world.region("a").leader = null;
      return world;
    };
    const world = leaderless();
    const { steps } = converge(world, stated);
    expect(steps.filter(({ kind }) => kind === "hold").length).toBe(3);
    expectFailedOver(world, "held");
    for (const n of [1, 2, 3]) world.host(`a-consul-${n}`).unit = "up";
    world.region("a").led = true;
    expect(converge(world, wish("b")).refused).toEqual([]);
    expect(planned(observe(world), wish("b"))).toBe("nothing");
    expect(world.splits).toEqual([]);
    for (let cut = 0; cut < steps.length; cut += 1) {
      const again = leaderless();
      converge(again, stated, cut);
      expect(converge(again, stated).refused, `${cut}`).toEqual([]);
      expectFailedOver(again, `${cut}`);
    }
  });

  test("the old region comes back as the new one's standby, cut off at any step or not", () => {
    const back = (label: number | null) => {
      const world = dead();
      converge(world, stated);
      for (const [name, host] of Object.entries(world.hosts)) if (name.startsWith("a")) host.unit = "stopped";
      world.region("a").led = false;
      for (const member of Object.values(world.region("a").members)) member.controlState = "in production";
      if (label === null) return world;
      converge(world, wish("b"), label);
      return world;
    };
    const whole = back(null);
    const { steps, refused } = converge(whole, wish("b"));
    expect(refused).toEqual([]);
    expect(steps.map(({ kind }) => kind)).toContain("becomeStandbyCluster");
    expect(planned(observe(whole), wish("b"))).toBe("nothing");
    expect(whole.splits).toEqual([]);
    for (let cut = 0; cut < steps.length; cut += 1) {
      const world = back(cut);
      expect(converge(world, wish("b")).refused, `${cut}`).toEqual([]);
      expect(planned(observe(world), wish("b")), `${cut}`).toBe("nothing");
      expect(world.splits, `${cut}`).toEqual([]);
    }
  });

  test("an old region that came up as a primary all the same is silenced first", () => {
    const world = dead();
    converge(world, stated);
    for (const [name, host] of Object.entries(world.hosts)) if (name.startsWith("a")) host.unit = "up";
    world.live();
    expect(world.splits.length).toBeGreaterThan(0);
    world.splits.length = 0;
    const { steps, refused } = converge(world, wish("b"));
    expect(refused).toEqual([]);
    expect(steps[0]).toEqual({ kind: "demoteCluster", host: "a-1", region: "a", to: "b" });
    expect(world.splits).toEqual([]);
    expect(planned(observe(world), wish("b"))).toBe("nothing");
  });
});
