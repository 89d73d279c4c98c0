/** What is planned of regions from the record has to be what would be planned from the facts that it was made of. */
import { describe, expect, test } from "vitest";
import { hostsAgain, recordedHosts, recordedRegionsAt } from "../../../components/record/regionFacts.ts";
import type { RegionsDesired } from "../../../components/regions/desired.ts";
import type { RegionsObserved } from "../../../components/regions/facts.ts";
import { planRegions } from "../../../components/regions/plan/plan.ts";
import { converge } from "../regions/plan/apply.ts";
import { observe } from "../regions/plan/observed.ts";
import {
  member,
  patroniYml,
  server,
  statement,
  now as then,
  wish,
  withFile,
  withRegionWish,
} from "../regions/plan/sample.ts";
import { withFacts, withPatroni, withReport } from "../regions/plan/short.ts";
import { World } from "../regions/plan/world.ts";

const now = new Date("2026-01-02T00:00:00Z");

/** Written and read, as the stack's output is. */
function again(found: RegionsObserved, recordedWish: RegionsDesired, wanted: RegionsDesired) {
  const written = JSON.stringify(recordedHosts(found, recordedWish));
  return hostsAgain(JSON.parse(written), JSON.parse(JSON.stringify(recordedWish)), wanted, now);
}

function outcome(found: RegionsObserved, wanted: RegionsDesired): unknown {
  const { steps, lookAgainAfter, refusals, notices } = planRegions(found, wanted, "preview");
  return { steps, lookAgainAfter, refusals: refusals.map(({ code }) => code), notices };
}

const healthy = () => observe(World.healthy(wish()));

function withSettings(desired: RegionsDesired, parameters: object): RegionsDesired {
  const dynamic = {
    ttl: 20,
    loop_wait: 1,
    synchronous_mode: true,
    postgresql: { use_slots: true, parameters },
  };
  return ["a", "b"].reduce(
    (made, name) =>
      withRegionWish(made, name, (region) => ({ dynamic: { ...dynamic, slots: region.dynamic["slots"] } })),
    desired,
  );
}

const withMember = (desired: RegionsDesired) =>
  withRegionWish(desired, "a", ({ members }) => ({ members: [...members, member("a", 4)] }));
const withServers = (desired: RegionsDesired) =>
  withRegionWish(desired, "a", ({ servers }) => ({ servers: [...servers, server("a", 4), server("a", 5)] }));
const usual = { max_connections: 100, work_mem: "4MB" };

/** The wish of the next update, after one of `wish()`. */
const wishes: Readonly<Record<string, RegionsDesired>> = {
  "nothing new": wish(),
  "the other region": wish("b"),
  "a setting that is reloaded": withSettings(wish(), { ...usual, work_mem: "8MB" }),
  "a setting that needs restarts": withSettings(wish(), { ...usual, max_connections: 200 }),
  "a setting that goes down": withSettings(wish(), { ...usual, max_connections: 50 }),
  "a member's own setting that needs a restart": withFile(
    wish(),
    "a-2",
    "patroni/patroni.yml",
    patroniYml({ shared_buffers: "1GB" }),
  ),
  "a file that restarts Consul": withFile(wish(), "a-consul-2", "consul.json", '{"new":1}\n'),
  "another leader": withRegionWish(wish(), "a", () => ({ leader: "a-2" })),
  "other rights": withRegionWish(wish(), "a", () => ({
    access: { policies: [], tokens: { dns: ["dns", "more"] } },
  })),
};

/** What an update found or left. */
const findings: Readonly<Record<string, () => RegionsObserved>> = {
  "all is well": healthy,
  "another leads since": () => {
    const world = World.healthy(wish());
    world.host("a-1").unit = "stopped";
    world.live();
    return observe(world);
  },
  "a member is held": () => {
    const world = World.healthy(wish());
    world.member("b-2").patroni = "held";
    world.live();
    return observe(world);
  },
  "a host is away": () => withFacts(healthy(), "b-consul-3", { reach: "unreachable", reason: "cut" }),
  "a host is gone, and its data": () => withFacts(healthy(), "a-3", { reach: "absent", data: "none" }),
  "a secret is not taken": () => {
    const world = World.healthy(wish());
    world.host("a-consul-1").secret.installed = "2";
    return observe(world);
  },
  "a file is not taken": () => {
    const world = World.healthy(wish());
    world.host("a-2").loaded["patroni/patroni.yml"] = "older";
    return observe(world);
  },
  "a file is another": () => {
    const world = World.healthy(wish());
    world.host("a-proxy").files["haproxy.cfg"] = "other\n";
    return observe(world);
  },
  "Consul has no leader": () => {
    const world = World.healthy(wish());
    world.region("b").led = false;
    return observe(world);
  },
  "a restart is due": () => withPatroni(healthy(), "b-1", () => ({ pendingRestart: ["shared_buffers"] })),
  "Patroni is paused": () => withPatroni(healthy(), "a-2", () => ({ paused: true })),
  "a server is left over in Raft, and a member in gossip": () => {
    const world = World.healthy(wish());
    const region = world.region("a");
    region.peers = [...region.peers, "a-consul-9"];
    region.failed = ["a-9"];
    return observe(world);
  },
  "one that left is still known to one server": () =>
    withReport(healthy(), "a-consul-3", ({ consul }) => ({
      consul: consul && { ...consul, members: [{ node: "a-9", status: "left", server: true }] },
    })),
  "the standby cluster was taken away": () => {
    const world = World.healthy(wish());
    const { standby_cluster: _, ...config } = world.region("b").config ?? {};
    world.region("b").config = config;
    return observe(world);
  },
  "nothing is there": () => observe(new World(wish())),
};

describe("the plan from the record is the plan from the facts", () => {
  for (const [name, wanted] of Object.entries(wishes)) {
    test.each(Object.entries(findings))(`${name}: %s`, (_, find) => {
      const found = find();
      expect(outcome(again(found, wish(), wanted), wanted)).toEqual(outcome(found, wanted));
    });
  }

  test.each([
    ["a member", withMember(wish())],
    ["servers of Consul", withServers(wish())],
    ["a region", wish("a", ["a", "b", "c"])],
  ])("%s that is new", (_, wanted) => {
    const isNew = (name: string) => !Object.keys(healthy().hosts).includes(name);
    const names = Object.keys(observe(new World(wanted)).hosts).filter(isNew);
    const found = names.reduce(
      (seen, name) => withFacts(seen, name, { reach: "absent", data: "none" }),
      healthy(),
    );
    const planned = outcome(again(healthy(), wish(), wanted), wanted);
    expect(planned).toEqual(outcome(found, wanted));
    expect(JSON.stringify(planned)).toContain(names[0]);
  });

  test("servers of Consul that are to leave", () => {
    const more = withServers(wish());
    const found = observe(World.healthy(more));
    const planned = again(found, more, wish());
    expect(outcome(planned, wish())).toEqual(outcome(found, wish()));
    expect(JSON.stringify(outcome(planned, wish()))).toContain("removeServer");
  });

  test("back again, after a change of the active region", () => {
    const world = World.healthy(wish());
    converge(world, wish("b"));
    const planned = again(observe(world), wish("b"), wish("a"));
    expect(outcome(planned, wish("a"))).toEqual(outcome(observe(world), wish("a")));
    expect(outcome(again(observe(world), wish("b"), wish("b")), wish("b"))).toMatchObject({ steps: [] });
  });

  test("a region that was given up stays so, and is taken back when the statement goes", () => {
    const world = World.healthy(wish());
    for (const [name, host] of Object.entries(world.hosts))
      if (name.startsWith("a-")) host.unit = "unreachable";
    world.live();
    const given: RegionsDesired = { ...wish("b"), failover: statement };
    expect(converge(world, given).refused).toEqual([]);
    const found = observe(world);
    expect(outcome(again(found, given, given), given)).toEqual(outcome(found, given));
    expect(outcome(again(found, given, wish("b")), wish("b"))).toEqual(outcome(found, wish("b")));
  });
});

test("a region that a new statement gives up is taken for gone, whatever the record has of it", () => {
  const given: RegionsDesired = { ...wish("b"), failover: { ...statement, at: now.toISOString() } };
  const seen = again(healthy(), wish(), given);
  expect(seen.hosts["a-1"]).toMatchObject({
    reach: "unreachable",
    reason: expect.stringContaining("nobody looked"),
  });
  const { steps, refusals } = planRegions(seen, given, "preview");
  expect(refusals).toEqual([]);
  expect(steps).toContainEqual(expect.objectContaining({ kind: "promoteCluster", mode: "failover" }));
});

describe("the record of regions", () => {
  test("is not changed by what changes by itself", () => {
    let later: RegionsObserved = { ...healthy(), at: "2027-01-01T00:00:00Z" };
    for (const name of ["a-1", "b-1"])
      later = withPatroni(later, name, ({ cluster, lsn, replication }) => ({
        lsn: { ...lsn, ...(lsn.written ? { written: "7/0" } : { received: "7/0", replayed: "7/0" }) },
        cluster: {
          ...cluster,
          members: cluster.members.map((each) => ({ ...each, lagBytes: 77 })).reverse(),
        },
        replication: replication.map((each) => ({ ...each, flushLsn: "7/0" })),
      }));
    for (const name of Object.keys(later.hosts))
      later = withReport(later, name, ({ data, consul, programs }) => ({
        clock: "2027-01-01T00:00:00Z",
        lock: { owner: "o", since: "s", alive: true },
        problems: ["none of today's"],
        snapshots: { everyHours: 24, held: 1, newestAt: "2027-01-01T00:00:00Z", failure: null },
        certificate: { notAfter: "2028-01-01T00:00:00Z", sans: [] },
        consul: consul && { ...consul, peers: [...consul.peers].reverse() },
        data: data && {
          ...data,
          freeBytes: 1,
          control: data.control && { ...data.control, checkpointLsn: "7/0", redoLsn: "7/0" },
        },
        programs: Object.fromEntries(
          Object.entries(programs).map(([program, facts]) => [
            program,
            { ...facts, restarts: 3, reason: "x" },
          ]),
        ),
      }));
    expect(recordedHosts(later, wish())).toEqual(recordedHosts(healthy(), wish()));
    expect(recordedRegionsAt(later, wish())).toBe(recordedRegionsAt(healthy(), wish()));
  });

  test("of what is read from it is itself", () => {
    for (const [name, find] of Object.entries(findings)) {
      const first = JSON.stringify(recordedHosts(find(), wish()));
      const second = JSON.stringify(recordedHosts(again(find(), wish(), wish()), wish()));
      expect([name, JSON.parse(second)]).toEqual([name, JSON.parse(first)]);
    }
  });

  test("has no value that somebody set by hand, no hash of a secret, and nothing that a log said", () => {
    const settings = { password: "canary" };
    const role = {
      ...{ login: true, superuser: false, replication: false, createDb: false, createRole: false },
      ...{ connectionLimit: -1, memberOf: [], passwordMatches: null, settings },
    };
    let found = withPatroni(healthy(), "a-1", ({ config }) => ({
      pendingValues: { primary_conninfo: { from: "canary", to: "canary" } },
      config: {
        ...config,
        somebodys: "canary",
        postgresql: {
          use_slots: true,
          pg_hba: ["canary"],
          parameters: { ...usual, archive_command: "canary" },
        },
        standby_cluster: { host: "10.2.0.11", restore_command: "canary" },
      },
    }));
    found = withReport(found, "a-1", ({ programs, files }) => ({
      files: { ...files, "somebodys.conf": "canary" },
      catalog: {
        roles: { somebodys: role },
        databases: { somebodys: { owner: "o", extensions: [], settings } },
      },
      programs: {
        ...programs,
        patroni: {
          ...{ state: "running", reason: "canary", restarts: 0 },
          ...{ loaded: { "secrets/patroni.yml": "canary" }, installed: { "secrets/patroni.yml": "canary2" } },
        },
      },
    }));
    const text = JSON.stringify(recordedHosts(found, wish()));
    expect(text).not.toContain("canary");
    for (const known of ["archive_command", "restore_command", "secrets/patroni.yml", '"somebodys"'])
      expect(text).toContain(known);
  });

  test("holds no file, no configuration and no right that is as the wish has it", () => {
    const text = JSON.stringify(recordedHosts(healthy(), wish()));
    for (const wished of ["work_mem", "node_prefix", "patroni.yml"]) expect(text).not.toContain(wished);
    expect(Buffer.byteLength(text)).toBeLessThan(20_000);
  });

  test("keeps where a member stopped: that is final", () => {
    const found = withReport(healthy(), "b-3", () => ({ patroni: null }));
    const { data } = (found.hosts["b-3"] as { report: { data: { control: object } } }).report;
    expect(again(found, wish(), wish()).hosts["b-3"]).toMatchObject({
      report: { data: { control: data.control } },
    });
  });

  test("is of the moment of the last update with work, or of now where hosts were told different ones", () => {
    const told = healthy();
    expect(recordedRegionsAt(told, wish())).toBe("g1");
    const half = withReport(told, "b-2", () => ({ generation: "g2" }));
    expect(recordedRegionsAt(half, wish())).toBe(then);
  });
});

describe("what is seen again of regions", () => {
  test("is as of now, so that no clock is wrong", () => {
    const seen = again(healthy(), wish(), wish());
    expect([seen.at, seen.until]).toEqual([now.toISOString(), now.toISOString()]);
    expect(seen.hosts["b-1"]).toMatchObject({ report: { clock: now.toISOString() } });
  });

  test("has a removed host not at all", () => {
    const less = withRegionWish(wish(), "a", ({ members }) => ({ members: members.slice(0, 2) }));
    expect(Object.keys(again(healthy(), wish(), less).hosts)).not.toContain("a-3");
  });

  test("has the file of a unit as it runs and as it is installed", () => {
    const file = "[Service]\n";
    const members = wish().regions[0]?.members.map((each) => ({ ...each, unitFile: file })) ?? [];
    const wished = withRegionWish(wish(), "a", () => ({ members }));
    for (const unit of [
      { running: file, installed: file },
      { running: "older", installed: file },
      { running: null, installed: "by hand" },
    ]) {
      const found = withReport(healthy(), "a-1", () => ({ unit }));
      expect(again(found, wished, wished).hosts["a-1"]).toMatchObject({ report: { unit } });
    }
  });
});
