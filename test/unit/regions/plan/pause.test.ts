/** Pooled clients are held back around whatever moves the writes as planned, and around nothing else. */
import { expect, test } from "vitest";
import type { RegionsDesired } from "../../../../components/regions/desired.ts";
import type { RegionsObserved, UnitReport } from "../../../../components/regions/facts.ts";
import { consequences, describe as words } from "../../../../components/regions/plan/consequences.ts";
import { drainSeconds } from "../../../../components/regions/plan/pause.ts";
import { planRegions } from "../../../../components/regions/plan/plan.ts";
import { observe } from "./observed.ts";
import { wish, withRegionWish } from "./sample.ts";
import { planned, withFacts, withReport } from "./short.ts";
import { World } from "./world.ts";

const program = { state: "running", reason: null, restarts: 0, loaded: {}, installed: {} } as const;

function pooled(desired: RegionsDesired, pauseSeconds = 30): RegionsDesired {
  const regions = desired.regions.map((region) => ({
    ...region,
    proxies: region.proxies.map((proxy) => ({ ...proxy, pooled: { port: 6432, pauseSeconds } })),
  }));
  return { ...desired, regions };
}

function running(desired: RegionsDesired): RegionsObserved {
  const withPooler = ({ programs }: UnitReport) => ({ programs: { ...programs, pgbouncer: program } });
  const healthy = observe(World.healthy(desired));
  return ["a-proxy", "b-proxy"].reduce((seen, name) => withReport(seen, name, withPooler), healthy);
}

const switched = pooled(withRegionWish(wish(), "a", () => ({ leader: "a-2" })));
const moved = pooled({ ...wish(), active: "b" });
const both = (kind: string) => `${kind}(a-proxy) ${kind}(b-proxy)`;

test("every proxy leads to the writer, so the clients of all of them wait for another leader", () => {
  expect(planned(running(switched), switched)).toContain(
    `${both("pauseClients")} switchover(a-1→a-2) ${both("resumeClients")} await(a-1)`,
  );
});

test("the active region moves while they wait, and its checkpoints are made before", () => {
  expect(planned(running(wish()), moved)).toMatch(
    new RegExp(
      `checkpoint\\(b-1\\) ${both("pauseClients").replaceAll(/[()]/g, "\\$&")} demote.* promote\\([^)]*\\) ${both("resumeClients").replaceAll(/[()]/g, "\\$&")}`,
    ),
  );
});

test("nobody waits for a change in a region that follows", () => {
  const desired = pooled(withRegionWish(wish(), "b", () => ({ leader: "b-3" })));
  expect(planned(running(desired), desired)).not.toContain("pauseClients");
});

test("a proxy whose PgBouncer does not run, or that does not answer, holds nobody back", () => {
  const held = withReport(running(switched), "a-proxy", ({ programs }) => ({
    programs: { ...programs, pgbouncer: { ...program, state: "backoff" } },
  }));
  expect(planned(held, switched)).toContain("pauseClients(b-proxy) switchover");
  const away = withFacts(running(wish()), "b-proxy", { reach: "unreachable", reason: "x" });
  expect(planned(away, switched)).not.toContain("pauseClients(b-proxy)");
});

test("without a pool there is nothing of it", () => {
  const desired = withRegionWish(wish(), "a", () => ({ leader: "a-2" }));
  expect(planned(running(desired), desired)).not.toContain("Clients");
});

test("the preview says how long they wait, and when they do not", () => {
  const observed = running(switched);
  const step = planRegions(observed, switched, "preview").steps.find(({ kind }) => kind === "pauseClients");
  if (!step) throw new Error("nobody is held back");
  expect(words(step)).toBe("hold back the pooled clients of a-proxy");
  expect(consequences(step, observed, switched).join()).toMatch(
    /at most 30 s.*within 5 s, nobody is held back/,
  );
});

test("an open transaction is waited for within the time that clients may wait", () => {
  expect([5, 8, 30].map((ttlSeconds) => drainSeconds({ ttlSeconds }))).toEqual([2, 4, 5]);
});

test("one that was stopped is started", () => {
  const desired = pooled(wish());
  const stopped = withReport(running(desired), "a-proxy", ({ programs }) => ({
    programs: { ...programs, pgbouncer: { ...program, state: "held" } },
  }));
  expect(planned(stopped, desired)).toContain("start(a-proxy:pgbouncer)");
});
