import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { parse as readYaml } from "yaml";
import { timingProfiles } from "../../../../components/patroni/timing.ts";
import { kindOf } from "../../../../components/spec/parse.ts";
import { parseRegional } from "../../../../components/spec/regional/parse.ts";
import { hostsOf } from "../../../../components/spec/regionalModel.ts";
import type { Given } from "../configuration.ts";
import { accepted, database, hosts, parseRegionalWith, regionalProblems } from "./configuration.ts";
import { onMachines, regionA } from "./onMachines.ts";

const found = (given: Given) => regionalProblems(given).map(({ code, path }) => `${code} ${path}`);

test("the smallest configuration of regions takes defaults for all the rest", () => {
  const place = { target: "containers", dockerHost: undefined, ownEngine: false };
  const region = (name: string, number: number) => {
    const host = (suffix: string, last: number, memoryMiB: number) => ({
      name: `${name}-${suffix}`,
      region: name,
      place,
      address: `10.86.${number}.${last}`,
      memoryMiB,
    });
    const published = { write: 15_431 + number, read: 16_431 + number };
    return {
      name,
      datacenter: name,
      leader: undefined,
      consul: { snapshotEveryHours: 24, snapshotsKept: 7 },
      fenceCommand: undefined,
      retired: [],
      members: [1, 2, 3].map((n) => ({
        ...host(`${n}`, 10 + n, 512),
        role: "member",
        port: 5432,
        restPort: 8008,
        settings: {},
        tags: { nofailover: false, nosync: false, noloadbalance: false },
      })),
      servers: [1, 2, 3].map((n) => ({ ...host(`consul-${n}`, 30 + n, 256), role: "server" })),
      proxies: [
        {
          ...host("proxy", 51, 128),
          role: "proxy",
          writePort: 5432,
          readPort: 5433,
          client: {
            write: { host: "127.0.0.1", port: published.write },
            read: { host: "127.0.0.1", port: published.read },
          },
          published,
        },
      ],
    };
  };
  expect(parseRegionalWith()).toEqual({
    ok: true,
    warnings: [],
    deployment: {
      name: "demo",
      domain: "shop.example.test",
      active: "region-a",
      failover: undefined,
      repair: {},
      database: {
        kind: "patroni",
        version: 17,
        synchronous: "strict",
        settings: {},
        clientAccess: [
          { databases: ["app"], roles: ["app"], network: "10.86.0.0/16", method: "scram-sha-256" },
        ],
        roles: [expect.objectContaining({ name: "app", login: true })],
        databases: [{ name: "app", owner: "app", extensions: [], settings: {} }],
        slotWalKeepMiB: 1024,
        stepTimeoutSeconds: 60,
        scope: "demo",
        namespace: "/service/",
        profile: "lan",
        timing: timingProfiles.lan,
        maximumLagMiB: 1,
        sessionChecks: [],
        watchdog: undefined,
      },
      regions: [region("region-a", 1), region("region-b", 2)],
      names: {
        floating: "db.shop.example.test",
        ttlSeconds: 5,
        server: { kind: "container", address: "10.86.0.2", publishedPort: 15_353 },
      },
      certificates: {
        caValidityDays: 3650,
        validityHours: 2160,
        renewBeforeHours: 720,
        ownCaCertificate: undefined,
      },
      containers: { subnet: "10.86.0.0/16", dockerHost: undefined },
    },
  });
});

test("the example's stack is accepted without a warning", () => {
  const { config } = readYaml(readFileSync("stacks/Pulumi.regions.yaml", "utf8"));
  const deployment = config["understudy:deployment"];
  expect(kindOf(deployment)).toBe("patroni");
  const parsed = parseRegional({ stack: "regions", active: config["understudy:active"], deployment });
  expect(parsed).toMatchObject({ ok: true, warnings: [] });
});

test("everything about a region can be said", () => {
  const deployment = accepted({
    deployment: {
      database: {
        timing: { profile: "fast", ttlSeconds: 25 },
        scope: "shop",
        sessionChecks: ["serfHealth", "serfHealth"],
        settings: { work_mem: "8MB", restart_after_crash: "on", listen_addresses: "*" },
      },
      regions: {
        "region-b": {
          leader: "b-2",
          members: {
            "b-1": { nosync: true },
            "b-2": { memoryMiB: 1024, settings: { shared_buffers: "256MB" }, failoverPriority: 3 },
            "b-3": { nofailover: true, noloadbalance: true, address: "10.86.2.200" },
            "b-4": {},
            "b-5": {},
          },
          proxies: { "b-proxy-2": { publishedWritePort: 5501, publishedReadPort: 5502, memoryMiB: 64 } },
          consul: { snapshotEveryHours: 6, gossipKeyRotation: "2026-06" },
          fenceCommand: { command: ["poweroff", "region-b"] },
        },
      },
    },
  });
  expect(deployment.database).toMatchObject({
    profile: "custom",
    timing: {
      haproxy: timingProfiles.fast.haproxy,
      patroni: { ...timingProfiles.fast.patroni, ttlSeconds: 25 },
    },
    scope: "shop",
    sessionChecks: ["serfHealth"],
  });
  // What only repeats ours is taken out.
  expect(deployment.database.settings).toEqual({ work_mem: "8MB" });
  const [, region] = deployment.regions;
  expect(region).toMatchObject({
    leader: "b-2",
    consul: { snapshotEveryHours: 6, snapshotsKept: 7, gossipKeyRotation: "2026-06" },
    fenceCommand: { command: ["poweroff", "region-b"], timeoutSeconds: 30 },
    members: [
      { name: "b-1", tags: { nosync: true } },
      { memoryMiB: 1024, settings: { shared_buffers: "256MB" }, tags: { failoverPriority: 3 } },
      { address: "10.86.2.200", tags: { nofailover: true, noloadbalance: true } },
      { address: "10.86.2.14" },
      {},
    ],
    proxies: [{ address: "10.86.2.52", published: { write: 5501, read: 5502 } }],
  });
  expect(region?.servers).toHaveLength(3);
});

test.each(["fast", "lan", "wan"] as const)("the profile %s, short and as a map", (profile) => {
  const expected = { profile, timing: timingProfiles[profile] };
  expect(accepted(database({ timing: profile })).database).toMatchObject(expected);
  expect(accepted(database({ timing: { profile } })).database).toMatchObject(expected);
});

test("all problems are reported at once, unreadable parts beside broken rules", () => {
  const given = {
    active: "region-c",
    deployment: {
      domian: "x",
      database: {
        timing: { profile: "fast", ttlSeconds: 18, retryTimeoutSeconds: 5, loopWait: 3 },
        version: "17",
        degradeAfterSeconds: 5,
        sessionChecks: ["serf"],
        settings: { port: 5433, max_connections: 10 },
      },
      regions: {
        "region-a": { target: "container", members: { "region-a-1": null, "region-a-2": { nosinc: true } } },
        "region-b": { consulServers: hosts("c-1", "c-2"), members: [1], leader: "x" },
      },
      sites: {},
    },
  };
  expect(found(given)).toEqual([
    "E_ACTIVE_UNKNOWN active",
    "E_UNKNOWN_KEY deployment.database.degradeAfterSeconds",
    "E_CHOICE deployment.database.sessionChecks[0]",
    "E_PATRONI_SETTING deployment.database.settings.max_connections",
    "E_GUC_MANAGED deployment.database.settings.port",
    "E_PATRONI_TIMING deployment.database.timing",
    "E_UNKNOWN_KEY deployment.database.timing.loopWait",
    "E_TYPE deployment.database.version",
    "E_UNKNOWN_KEY deployment.domian",
    "E_TYPE deployment.regions.region-a.members.region-a-1",
    "E_UNKNOWN_KEY deployment.regions.region-a.members.region-a-2.nosinc",
    "E_CHOICE deployment.regions.region-a.target",
    "E_CONSUL_QUORUM deployment.regions.region-b.consulServers",
    "E_TYPE deployment.regions.region-b.members",
    "E_UNKNOWN_KEY deployment.sites",
  ]);
});

describe("regions on machines", () => {
  const named = (deployment: ReturnType<typeof accepted>, name: string) => {
    const host = deployment.regions.flatMap(hostsOf).find((one) => one.name === name);
    if (host?.place.target !== "machines") throw new Error(`${name} is on no machine`);
    return { ...host, machine: host.place.machine };
  };

  test("their hosts have the machines' addresses, and nothing is published or served without a word", () => {
    const deployment = accepted(onMachines());
    expect(deployment.names.server).toEqual({ kind: "none" });
    expect(named(deployment, "region-a-proxy")).toMatchObject({
      address: "192.0.2.51",
      published: undefined,
      client: { write: { host: "192.0.2.51", port: 5432 }, read: { host: "192.0.2.51", port: 5433 } },
    });
    expect(named(deployment, "region-b-2")).toMatchObject({
      address: "203.0.113.12",
      machine: {
        ssh: { host: "203.0.113.12", port: 22, user: "root", knownHostsFile: "~/.ssh/known_hosts" },
        firewall: true,
        onDestroy: "keep",
        adopt: undefined,
      },
    });
  });

  test("what a host says of its machine counts more than what its region says", () => {
    const shared = {
      user: "admin",
      port: 2222,
      keyFile: "/keys/a",
      firewall: false,
      onDestroy: "wipe",
      jump: { host: "192.0.2.1" },
    };
    const own = { port: 22, firewall: true, jump: { host: "192.0.2.2", user: "hop" } };
    const deployment = accepted(regionA({ machine: shared, members: { "region-a-1": { machine: own } } }));
    expect(named(deployment, "region-a-1").machine).toMatchObject({
      ssh: {
        ...{ host: "192.0.2.11", port: 22, user: "admin", keyFile: "/keys/a" },
        jump: { host: "192.0.2.2", port: 22, user: "hop" },
      },
      firewall: true,
      onDestroy: "wipe",
    });
    expect(named(deployment, "region-a-2").machine).toMatchObject({
      ssh: { port: 2222, user: "admin", jump: { host: "192.0.2.1", user: "root" } },
      firewall: false,
    });
    expect(named(deployment, "region-b-1").machine.ssh).toMatchObject({ port: 22, user: "root" });
  });

  test("without a word about clients the members' machines are let in", () => {
    const deployment = accepted(onMachines({ database: { clientAccess: undefined } }));
    expect(deployment.database.clientAccess.map(({ network }) => network)).toEqual(
      ["192.0.2", "203.0.113"].flatMap((block) => [11, 12, 13].map((last) => `${block}.${last}/32`)),
    );
  });

  test("a repair is of a host by its name, and a long name of the deployment's is no container's", () => {
    const name = "d".repeat(60);
    expect(accepted(onMachines({ name }, { repair: { "region-a-1": 7 } })).repair).toEqual({
      "region-a-1": "7",
    });
  });
});
