/** What is down, lost or on its way; and what the operator is told beside it. */
import { describe, expect, test } from "vitest";
import { planRegions } from "../../../../components/regions/plan/plan.ts";
import { renderPlan } from "../../../../components/regions/plan/render.ts";
import { observe } from "./observed.ts";
import { wish, withRegionWish } from "./sample.ts";
import { planned, withPatroni, withReport } from "./short.ts";
import { World } from "./world.ts";

const healthy = () => World.healthy(wish());

test("a stopped unit is started, and looked at again", () => {
  const world = healthy();
  world.host("a-2").unit = "stopped";
  expect(planned(observe(world), wish())).toBe("startUnit(a-2) | await(a-2)");
});

test("one that is to lead is looked at when it runs, before it is asked to", () => {
  const world = healthy();
  world.host("a-2").unit = "up";
  world.member("a-2").wal = [];
  const desired = withRegionWish(wish(), "a", () => ({ leader: "a-2" }));
  expect(planned(observe(world), desired)).toBe(
    "await(a-2) | await(a-2 sync) checkpoint(a-1) switchover(a-1→a-2) await(a-1)",
  );
});

test("a member without data is copied anew by its Patroni", () => {
  const world = healthy();
  world.member("a-3").wal = [];
  expect(planned(observe(world), wish())).toBe("await(a-3)");
});

test("a program that was stopped is started", () => {
  const observed = withReport(observe(healthy()), "a-proxy", ({ programs }) => ({
    programs: programs.haproxy ? { haproxy: { ...programs.haproxy, state: "stopped" } } : {},
  }));
  expect(planned(observed, wish())).toBe("start(a-proxy:haproxy) |");
});

test("a Patroni that a cut-off failover left held leads again", () => {
  const world = healthy();
  for (const n of [1, 2, 3]) {
    const member = world.member(`a-${n}`);
    Object.assign(member, {
      patroni: "held",
      primary: false,
      controlState: n === 1 ? "shut down" : "in archive recovery",
    });
  }
  expect(planned(observe(world), wish())).toMatch(
    /^start\(a-1:patroni\) start\(a-2:patroni\) start\(a-3:patroni\) \|/,
  );
});

test("a standby leader that does not stream while somebody takes writes", () => {
  const observed = withPatroni(observe(healthy()), "b-1", () => ({
    source: { host: "x", streaming: false },
  }));
  expect(planned(observed, wish())).toBe("await(b-1)");
});

test("new addresses of the active region reach those that follow it", () => {
  const moved = withRegionWish(wish(), "b", ({ standbyClusterOf }) => ({
    standbyClusterOf: { a: { ...standbyClusterOf.a, host: "10.1.0.11,10.1.0.14" } },
  }));
  expect(planned(observe(healthy()), moved)).toMatch(/^follow\(b-1→a\)/);
});

test("roles are compared on whoever takes writes, and later where it does not say", () => {
  const observed = withReport(observe(healthy()), "a-1", () => ({ catalog: null }));
  expect(planRegions(observed, wish())).toMatchObject({ steps: [], notices: [{ code: "N_CATALOG_UNSEEN" }] });
});

describe("to know", () => {
  const codes = (observed: ReturnType<typeof observe>, moment: "preview" | "apply" = "apply") =>
    planRegions(observed, wish(), moment).notices.map(({ code }) => code);

  test("an agent that is older than what is installed, and what a host could not read", () => {
    const observed = withReport(observe(healthy()), "b-proxy", () => ({
      agent: { running: "old", installed: "new" },
      problems: ["no socket"],
    }));
    expect(codes(observed)).toEqual(["N_AGENT_OLD", "N_UNREADABLE"]);
  });

  test("strict without a synchronous member: whom Patroni lets confirm then", () => {
    const none = withPatroni(observe(healthy()), "a-1", ({ cluster }) => ({
      cluster: { ...cluster, members: cluster.members.map((entry) => ({ ...entry, syncStandby: false })) },
    }));
    expect(codes(none)).toEqual(["N_STRICT_WILDCARD"]);
    expect(codes(withPatroni(none, "a-1", () => ({ version: "4.2.0" })))).toEqual([]);
    expect(
      planRegions(none, { ...wish(), policy: { ...wish().policy, synchronous: "available" } }).notices,
    ).toEqual([]);
  });

  test("somebody else's update, at preview", () => {
    const lock = { owner: "eve@laptop pid 7", since: "2026-01-01T00:00:00Z", alive: true };
    const observed = withReport(observe(healthy()), "a-1", () => ({ lock }));
    expect(codes(observed, "preview")).toEqual(["N_LOCKED"]);
    expect(codes(observed)).toEqual([]);
  });
});

test("the preview of a change says what stops, what is proven, and where the way back is", () => {
  const observed = observe(healthy());
  const made = planRegions(observed, wish("b"), "preview");
  expect(renderPlan(made, observed, wish("b"))).toMatchInlineSnapshot(`
    "12 steps, b is active:
       1  checkpoint on a-1
       2  checkpoint on b-1
       3  make a a standby cluster of b, by a-1
          a fast stop with a shutdown checkpoint: clients are disconnected; writes stop here
       4  prove that b-1 has everything that a-1 had
          same system, same timeline, same REDO location; otherwise the old region leads again
       5  promote b, by b-1
          the point of no return; writes begin here as soon as a member is synchronous
       6  wait until somebody leads beside a-1, as standby leader
          … then the hosts are looked at again, because that could not be seen from outside; expected then:
       7  wait until b-2 runs in its cluster
       8  wait until b-3 runs in its cluster
       9  wait until b-1 runs in its cluster
      10  wait until a-2 runs in its cluster
      11  wait until a-3 runs in its cluster
      12  wait until a-1 runs in its cluster

    To know:
      N_WRITE_GAP  a hands over to b: clients are disconnected, and writes are expected to stop for 0.5 to 2 s.
      N_DATA_AT_RISK  None: b is promoted only with the same system identifier, timeline and REDO location as the stopped a. If any differs, or a step before it fails, a leads again.
      N_WAY_BACK  Afterwards, the same way back: pulumi config set active a && pulumi up
      N_CATALOG_UNSEEN  Roles and databases are compared when b-1 answers; what is missing of them is made then."
  `);
});

test("a file that changes is shown, and a refusal says that nothing is changed", () => {
  const world = healthy();
  world.host("a-proxy").files["haproxy.cfg"] = "old\n";
  const observed = observe(world);
  const text = renderPlan(planRegions(observed, wish(), "preview"), observed, wish());
  expect(text).toContain("a-proxy: haproxy.cfg\n");
  expect(renderPlan(planRegions(observed, wish()), observed, wish())).toContain(
    "Refused; nothing is changed.",
  );
});
