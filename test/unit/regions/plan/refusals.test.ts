/** Each refusal has a case, with the values that its message must name. */
import { describe, expect, test } from "vitest";
import type { ControlFacts, RegionsObserved } from "../../../../components/regions/facts.ts";
import { planRegions } from "../../../../components/regions/plan/plan.ts";
import { emptyCatalog } from "../../../support/facts.ts";
import { observe } from "./observed.ts";
import { statement, wish, withFile, withRegionWish } from "./sample.ts";
import { planned, withFacts, withPatroni, withReport } from "./short.ts";
import { World } from "./world.ts";

const healthy = (names = ["a", "b"]) => observe(World.healthy(wish("a", names)));

function refused(observed: RegionsObserved, desired = wish(), moment: "preview" | "apply" = "apply") {
  const { refusals, steps } = planRegions(observed, desired, moment);
  if (refusals.length > 0) expect(steps).toEqual([]);
  return refusals;
}

const off = { reach: "unreachable", reason: "no answer within 20 s" } as const;

function withControl(
  observed: RegionsObserved,
  name: string,
  change: Partial<ControlFacts>,
): RegionsObserved {
  return withReport(observed, name, ({ data }) => {
    if (!data?.control) throw new Error("no control file");
    return { data: { ...data, control: { ...data.control, ...change } } };
  });
}

describe("at any time", () => {
  test("a host that does not answer", () => {
    expect(refused(withFacts(healthy(), "b-consul-2", off))).toMatchObject([
      {
        code: "E_NODE_UNREACHABLE",
        message: expect.stringContaining("b-consul-2 does not answer: no answer"),
      },
    ]);
  });

  test("a host that is not there, although the update made it", () => {
    const observed = withFacts(healthy(), "a-proxy", { reach: "absent", data: "none" });
    expect(refused(observed)).toMatchObject([{ code: "E_NODE_ABSENT" }]);
    expect(refused(observed, wish(), "preview")).toEqual([]);
  });

  test("another system", () => {
    const observed = withPatroni(healthy(), "b-2", () => ({ systemIdentifier: "1" }));
    expect(refused(observed)).toMatchObject([
      { code: "E_SYSID_MISMATCH", message: expect.stringContaining("b-2 has 1") },
    ]);
  });

  test("another major version", () => {
    expect(refused(withControl(healthy(), "a-3", { majorVersion: 16 }))).toMatchObject([
      { code: "E_PG_VERSION", message: expect.stringContaining("set it back to 16") },
    ]);
  });

  test("an active region that is empty beside one that has the data", () => {
    const world = World.healthy(wish("b"));
    for (const member of Object.values(world.region("a").members)) member.wal = [];
    Object.assign(world.region("a"), { config: null, leader: null });
    expect(refused(observe(world), wish("a"))).toMatchObject([{ code: "E_STANDBY_NOT_SYNC" }]);
    for (const n of [1, 2, 3]) world.member(`b-${n}`).primary = false;
    const config = { standby_cluster: wish().regions[1]?.standbyClusterOf.a };
    Object.assign(world.region("b"), { config });
    expect(refused(observe(world), wish("a"))).toMatchObject([
      { code: "E_NO_PRIMARY", message: expect.stringContaining("The data is in b") },
    ]);
  });

  test("a file that is not this update's", () => {
    const world = World.healthy(wish());
    world.host("a-proxy").files["haproxy.cfg"] = "by hand\n";
    expect(refused(observe(world))).toMatchObject([{ code: "E_FILES_STALE" }]);
    expect(refused(observe(world), wish(), "preview")).toEqual([]);
  });

  test("a role that lowers durability", () => {
    const batch = {
      ...{ login: true, superuser: false, replication: false, createDb: false, createRole: false },
      ...{
        connectionLimit: -1,
        memberOf: [],
        passwordMatches: null,
        settings: { synchronous_commit: "local" },
      },
    };
    const catalog = { ...emptyCatalog, roles: { batch } };
    const observed = withReport(healthy(), "a-1", () => ({ catalog }));
    expect(refused(observed)).toMatchObject([
      { code: "E_DURABILITY_LOWERED", message: expect.stringContaining("not be on two members") },
    ]);
  });

  test("less in a standby cluster than in its primary", () => {
    const less = withRegionWish(wish(), "b", ({ dynamic }) => ({
      dynamic: { ...dynamic, postgresql: { parameters: { max_connections: 50 } } },
    }));
    expect(refused(healthy(), less).map(({ code }) => code)).toEqual(["E_STANDBY_PARAM"]);
  });
});

describe("two regions that take writes", () => {
  const gone = () => {
    const world = World.healthy(wish());
    Object.assign(world.region("b"), { config: { ...world.region("b").config, standby_cluster: null } });
    return world;
  };

  test("`standby_cluster` taken away, before Patroni has promoted anybody", () => {
    const [refusal, ...more] = refused(observe(gone()), wish(), "preview");
    expect(more).toEqual([]);
    expect(refusal).toMatchObject({ code: "E_STANDBY_CLUSTER_GONE" });
    expect(refusal?.message).toContain("nobody takes writes there yet");
    expect(refusal?.message).toContain(
      "patronictl edit-config --force -s 'standby_cluster.host=10.1.0.11,10.1.0.12,10.1.0.13' -s 'standby_cluster.port=5432'",
    );
  });

  test("and after it has", () => {
    const world = gone();
    world.live();
    const codes = refused(observe(world)).map(({ code }) => code);
    expect(codes).toEqual(["E_SPLIT_BRAIN", "E_STANDBY_CLUSTER_GONE"]);
  });

  test("a standby cluster on a timeline that its primary has not reached", () => {
    const observed = withPatroni(healthy(), "b-1", () => ({ timeline: 7 }));
    expect(refused(observed)).toMatchObject([
      { code: "E_SPLIT_BRAIN", message: expect.stringContaining("b is on timeline 7") },
    ]);
  });
});

describe("a change of the active region", () => {
  const codes = (observed: RegionsObserved, desired = wish("b")) =>
    refused(observed, desired).map(({ code }) => code);

  test("is not refused when all is well", () => {
    expect(codes(healthy())).toEqual([]);
  });

  test("while a failover is stated", () => {
    expect(codes(healthy(), { ...wish("b"), failover: statement })).toEqual(["E_PRIMARY_ALIVE"]);
  });

  test("with a Patroni that cannot demote without loss", () => {
    const observed = withPatroni(healthy(), "a-2", () => ({ version: "4.0.7" }));
    expect(refused(observed, wish("b"))).toMatchObject([
      { code: "E_PATRONI_VERSION", message: expect.stringContaining("a-2 runs 4.0.7") },
    ]);
  });

  test("without a majority of a Consul", () => {
    const world = World.healthy(wish());
    world.region("b").led = false;
    expect(codes(observe(world))).toEqual(["E_CONSUL_QUORUM"]);
  });

  test("with a standby leader that does not stream", () => {
    const source = { host: "10.1.0.11", streaming: false };
    expect(codes(withPatroni(healthy(), "b-1", () => ({ source })))).toEqual(["E_STANDBY_NOT_SYNC"]);
    expect(codes(withPatroni(healthy(), "a-1", () => ({ replication: [] })))).toEqual(["E_STANDBY_NOT_SYNC"]);
  });

  test("with one that is too far behind", () => {
    const lsn = { written: "0/9000000", received: null, replayed: null };
    expect(
      refused(
        withPatroni(healthy(), "a-1", () => ({ lsn })),
        wish("b"),
      ),
    ).toMatchObject([
      {
        code: "E_STANDBY_LAG",
        message: expect.stringMatching(/b is \d+ bytes behind a, more than 16777216/),
      },
    ]);
  });

  test("without room there", () => {
    const observed = withReport(healthy(), "b-1", ({ data }) => ({
      data: data === null ? null : { ...data, freeBytes: 2 ** 20 },
    }));
    expect(refused(observed, wish("b"))).toMatchObject([
      { code: "E_DISK_SPACE", message: expect.stringContaining("1 MiB free") },
    ]);
  });

  test("with a clock that is off", () => {
    const observed = withReport(healthy(), "a-consul-1", () => ({ clock: "2026-01-01T00:00:09Z" }));
    expect(codes(observed)).toEqual(["E_CLOCK"]);
    expect(refused(observed, wish("b"))[0]?.message).toMatch(/a-consul-1 says .*:09Z \(\d\.0 s ahead\)/);
  });

  test("together with something that restarts", () => {
    const restart = withRegionWish(wish("b"), "a", ({ dynamic }) => ({
      dynamic: { ...dynamic, postgresql: { parameters: { max_connections: 100, shared_buffers: "1GB" } } },
    }));
    expect(refused(healthy(), restart)).toMatchObject([
      { code: "E_CHANGE_TOO_WIDE", message: expect.stringContaining("shared_buffers in a") },
    ]);
    const observed = withPatroni(healthy(), "b-2", () => ({ pendingRestart: ["wal_buffers"] }));
    expect(codes(observed)).toEqual(["E_CHANGE_TOO_WIDE"]);
    const file = withFile(wish("b"), "a-consul-1", "consul.json", "{ }\n");
    expect(refused(healthy(), file, "preview").map(({ code }) => code)).toEqual(["E_CHANGE_TOO_WIDE"]);
    const world = World.healthy(wish());
    world.region("a").peers.push("a-consul-4");
    expect(codes(observe(world))).toEqual(["E_CHANGE_TOO_WIDE"]);
  });

  test("to one that nobody leads, or that has nothing", () => {
    const world = World.healthy(wish());
    world.region("b").leader = null;
    expect(codes(observe(world))).toEqual(["E_TARGET_UNKNOWN"]);
  });

  test("while Patroni is paused in either", () => {
    for (const name of ["a", "b"]) {
      const world = World.healthy(wish());
      world.region(name).config = { ...world.region(name).config, pause: true };
      expect(refused(observe(world), wish("b"))).toMatchObject([
        { code: "E_PAUSED", message: expect.stringContaining("patronictl resume") },
      ]);
      expect(planned(observe(world), wish())).toBe("nothing");
      expect(planRegions(observe(world), wish()).notices).toMatchObject([{ code: "N_PAUSED" }]);
    }
  });

  test("that was cut off, to the one that has less", () => {
    const world = World.healthy(wish());
    world.region("a").config = {
      ...world.region("a").config,
      standby_cluster: wish().regions[0]?.standbyClusterOf.b,
    };
    world.live();
    for (const n of [1, 2, 3]) world.member(`b-${n}`).wal.pop();
    const [refusal] = refused(observe(world), wish("b"));
    // What a wrote is not in b: no gate would let it pass, and a says so before anything is tried.
    expect(refusal).toMatchObject({
      code: "E_STANDBY_NOT_SYNC",
      message: expect.stringContaining("Set active to a"),
    });
    expect(planned(observe(world), wish("a"))).toMatch(/^resumeCluster\(a-1\)/);
  });
});
