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

test("a member without data is copied anew by its Patroni", () => {
  const world = healthy();
  world.member("a-3").wal = [];
  expect(planned(observe(world), wish())).toBe("await(a-3)");
});

test("a program that was stopped is started", () => {
  const observed = withReport(observe(healthy()), "a-proxy", ({ programs }) => ({
    programs: { haproxy: programs.haproxy && { ...programs.haproxy, state: "stopped" } },
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
  expect(renderPlan(made, observed, wish("b"))).toMatchInlineSnapshot();
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
