/** Patroni's dynamic configuration, and restarts in an order that costs writers the least. */
import { describe, expect, test } from "vitest";
import type { RegionsDesired } from "../../../../components/regions/desired.ts";
import { dynamicChanges, patchOf } from "../../../../components/regions/plan/dynamicDiff.ts";
import { planRegions } from "../../../../components/regions/plan/plan.ts";
import { renderPlan } from "../../../../components/regions/plan/render.ts";
import { converge } from "./apply.ts";
import { observe } from "./observed.ts";
import { patroniYml, wish, withFile, withRegionWish } from "./sample.ts";
import { planned, withPatroni } from "./short.ts";
import { World } from "./world.ts";

function withSettings(
  desired: RegionsDesired,
  parameters: Readonly<Record<string, unknown>>,
): RegionsDesired {
  return ["a", "b"].reduce(
    (made, name) =>
      withRegionWish(made, name, ({ dynamic }) => ({
        dynamic: { ...dynamic, postgresql: { use_slots: true, parameters } },
      })),
    desired,
  );
}

const healthy = () => observe(World.healthy(wish()));
const usual = { max_connections: 100, work_mem: "4MB" };

describe("what differs", () => {
  const found = {
    ttl: 20,
    pause: true,
    standby_cluster: { host: "x" },
    somebodys: { own: 1 },
    postgresql: { use_slots: true, pg_hba: ["x"], parameters: { work_mem: "4MB", jit: "off" } },
    slots: { region_b: { type: "physical", cluster_type: "primary" }, app: { type: "logical" } },
  };

  test("ours is changed and removed, and what is not ours stays", () => {
    const changes = dynamicChanges(
      { ttl: 30, postgresql: { use_slots: true, parameters: { work_mem: "8MB" } }, slots: {} },
      found,
    );
    expect(patchOf(changes)).toEqual({
      ttl: 30,
      postgresql: { parameters: { work_mem: "8MB", jit: null } },
      slots: { region_b: null },
    });
  });

  test("`standby_cluster` is never touched, and a number is its text", () => {
    expect(
      dynamicChanges({ ttl: "20", standby_cluster: { host: "y" } }, { ...found, postgresql: {} }),
    ).toEqual([{ path: ["slots", "region_b"], from: found.slots.region_b, to: null }]);
  });
});

describe("a change that a reload brings into force", () => {
  test("reaches the standbys first, and cuts nobody", () => {
    const desired = withSettings(wish(), { ...usual, work_mem: "8MB" });
    const made = planRegions(healthy(), desired, "preview");
    expect(made).toMatchObject({
      lookAgainAfter: null,
      steps: [
        { kind: "patchConfig", host: "b-1", changes: ["work_mem: 4MB → 8MB"] },
        { kind: "patchConfig", host: "a-1", patch: { postgresql: { parameters: { work_mem: "8MB" } } } },
      ],
    });
    expect(renderPlan(made, healthy(), desired)).toContain("no connection is cut");
  });
});

describe("a change that needs restarts", () => {
  const raised = withSettings(wish(), { ...usual, max_connections: 200 });
  const standbys =
    "restartMember(b-2) await(b-2) restartMember(b-3) await(b-3) restartMember(b-1) await(b-1)";
  const replicas = "restartMember(a-2) await(a-2) restartMember(a-3) await(a-3)";

  test("the preview says which, in which order, and what it costs", () => {
    const made = planRegions(healthy(), raised, "preview");
    expect(planned(healthy(), raised, "preview")).toBe(
      `patchConfig(b-1) patchConfig(a-1) | ${standbys} ${replicas} switchover(a-1→a-2) await(a-1)`,
    );
    expect(made.notices.map(({ code }) => code)).toEqual(["N_WRITE_GAP"]);
    expect(renderPlan(made, healthy(), raised)).toContain("max_connections waits for a restart");
  });

  test("the leader that is wished leads again at the end", () => {
    const desired = withRegionWish(raised, "a", () => ({ leader: "a-1" }));
    expect(planned(healthy(), desired, "preview")).toMatch(
      /switchover\(a-1→a-2\) await\(a-1\) .*switchover\(a-2→a-1\) await\(a-2\)$/,
    );
  });

  test("is done when Patroni says so", () => {
    const world = World.healthy(wish());
    expect(converge(world, raised).refused).toEqual([]);
    expect(planned(observe(world), raised)).toBe("nothing");
    expect(world.region("a").leader).toBe("a-2");
    expect(world.splits).toEqual([]);
  });

  test("who takes over from the leader is decided when the replicas have been restarted", () => {
    const pending = ["a-1", "a-2", "a-3"].reduce(
      (found, name) => withPatroni(found, name, () => ({ pendingRestart: ["wal_buffers"] })),
      healthy(),
    );
    expect(planned(pending, wish())).toBe(`${replicas} | switchover(a-1→a-2) await(a-1)`);
  });

  test("without anybody to take over, the leader is restarted where it is", () => {
    const alone = withRegionWish(wish(), "a", ({ members }) => ({ members: members.slice(0, 1) }));
    const observed = withPatroni(observe(World.healthy(alone)), "a-1", () => ({
      pendingRestart: ["wal_buffers"],
    }));
    expect(planned(observed, alone)).toBe("restartMember(a-1) await(a-1)");
  });

  test("less than before reaches the primary first", () => {
    const lowered = withSettings(wish(), { ...usual, max_connections: 50 });
    expect(planned(healthy(), lowered, "preview")).toBe(
      `patchConfig(b-1) patchConfig(a-1) | restartMember(a-1) await(a-1) restartMember(a-3) await(a-3) restartMember(a-2) await(a-2) ${standbys}`,
    );
    const values = { max_connections: { from: "100", to: "50" } };
    const pending = ["a-1", "a-2"].reduce(
      (found, name) =>
        withPatroni(found, name, () => ({ pendingRestart: ["max_connections"], pendingValues: values })),
      healthy(),
    );
    expect(planned(pending, wish())).toBe("restartMember(a-1) await(a-1) restartMember(a-2) await(a-2)");
  });

  test("one that was cut off can be taken back: some run with more than they are to have, nobody with less", () => {
    const values = { max_connections: { from: "100", to: "200" } };
    const cut = ["a-1", "a-3"].reduce(
      (found, name) =>
        withPatroni(found, name, () => ({ pendingRestart: ["max_connections"], pendingValues: values })),
      observe(World.healthy(raised)),
    );
    const plan = planned(cut, wish(), "preview");
    expect(plan).toMatch(/^patchConfig\(b-1\) patchConfig\(a-1\) \| restartMember\(a-1\)/);
  });

  test("both ways at once is two updates", () => {
    const first = withSettings(wish(), { max_connections: 100, max_wal_senders: 10 });
    const both = withSettings(wish(), { max_connections: 200, max_wal_senders: 5 });
    expect(planned(observe(World.healthy(first)), both)).toBe("E_CHANGE_TOO_WIDE");
  });

  test("a member's own file: reload, and the restart that it is expected to need", () => {
    const desired = withFile(wish(), "a-3", "patroni/patroni.yml", patroniYml({ shared_buffers: "1GB" }));
    expect(planned(healthy(), desired, "preview")).toBe(
      "reload(a-3:patroni) | restartMember(a-3) await(a-3)",
    );
  });
});
