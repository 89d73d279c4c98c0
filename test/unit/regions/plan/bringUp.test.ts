import { expect, test } from "vitest";
import type { MemberDataFacts, RegionsObserved } from "../../../../components/regions/facts.ts";
import { planRegions } from "../../../../components/regions/plan/plan.ts";
import { renderPlan } from "../../../../components/regions/plan/render.ts";
import { converge } from "./apply.ts";
import { observe } from "./observed.ts";
import { wish } from "./sample.ts";
import { planned, short, withReport } from "./short.ts";
import { World } from "./world.ts";

test("nothing to do", () => {
  expect(planned(observe(World.healthy(wish())), wish())).toBe("nothing");
  expect(planned(observe(World.healthy(wish())), wish(), "preview")).toBe("nothing");
  expect(planned(observe(World.healthy(wish("a", ["a", "b", "c"]))), wish("a", ["a", "b", "c"]))).toBe(
    "nothing",
  );
});

const expected = [
  "awaitConsul(a-consul-1) grant(a-consul-1) awaitVoters(a-consul-1)",
  "awaitConsul(a-1) awaitConsul(a-2) awaitConsul(a-3)",
  "awaitConsul(b-consul-1) grant(b-consul-1) awaitVoters(b-consul-1)",
  "awaitConsul(b-1) awaitConsul(b-2) awaitConsul(b-3)",
  "awaitLeader(a-1 primary) awaitLeader(b-1 standby_leader) |",
  "await(a-2) await(a-3) await(a-1) await(b-2) await(b-3) await(b-1)",
].join(" ");

test("a new deployment: what will happen, before anything is there", () => {
  const world = new World(wish());
  for (const host of Object.values(world.hosts)) host.unit = "absent";
  const observed = observe(world);
  const made = planRegions(observed, wish(), "preview");
  expect(short(made)).toBe(expected);
  expect(renderPlan(made, observed, wish())).toContain("one of its members makes the new database system");
  expect(made.notices.map(({ code }) => code)).toEqual(["N_STRICT_WILDCARD"]);
});

test("what could not be read is not called new", () => {
  const observed = observe(new World(wish()));
  const unread = withReport(observed, "b-1", () => ({ data: null }));
  const told = (facts: RegionsObserved) => renderPlan(planRegions(facts, wish()), facts, wish());
  const says = "one of its members copies a, the others copy that one";
  expect(told(observed)).toContain(says);
  expect(told(unread)).not.toContain(says);
});

test("the same when the update has made the units, up to a plan that is empty", () => {
  const world = new World(wish());
  expect(planned(observe(world), wish())).toBe(expected);
  const { refused } = converge(world, wish());
  expect(refused).toEqual([]);
  expect(planned(observe(world), wish())).toBe("nothing");
  expect(world.splits).toEqual([]);
});

/** b is new, and one of its members has this; the control file in a copy is that of the primary that it was made of. */
function found(state: MemberDataFacts["state"]): RegionsObserved {
  const observed = observe(World.grown(wish("a", ["a"]), wish()));
  const leader = observed.hosts["a-1"];
  const control = leader?.reach === "up" ? (leader.report.data?.control ?? null) : null;
  return withReport(observed, "b-3", () => ({
    data: { state, control: state === "ready" ? control : null, freeBytes: 1e10 },
  }));
}

test("a copy that no server has run on says nothing of who led", () => {
  expect(planned(found("copy"), wish())).toBe(planned(found("empty"), wish()));
  expect(planned(found("copy"), wish())).toContain("awaitLeader(b-1 standby_leader)");
  // The same as data of its own: nobody but a person can tell which of the two is right.
  expect(planned(found("ready"), wish())).toContain("E_SPLIT_BRAIN");
});

test("a new database gets what is declared on whoever leads", () => {
  const role = {
    ...{ name: "app", login: true, createDb: false, createRole: false, connectionLimit: -1 },
    ...{ memberOf: [], settings: {} },
  };
  const desired = { ...wish(), catalog: { roles: [role], databases: [] } };
  const world = new World(desired);
  expect(planned(observe(world), desired)).toBe(`${expected} sql(a-1) password(a-1)`);
});

test("data without a unit is looked at again before anything is said for certain", () => {
  const observed = observe(World.healthy(wish()));
  const hosts = { ...observed.hosts, "a-2": { reach: "absent", data: "kept" } as const };
  const made = planRegions({ ...observed, hosts }, wish(), "preview");
  expect(made.lookAgainAfter).toBe(-1);
  expect(made.notices).toContainEqual(expect.objectContaining({ code: "N_DATA_KEPT" }));
});
