import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { certificateNamesOf } from "../../../../components/regions/render/certificates.ts";
import { hostFiles } from "../../../../components/regions/render/hostFiles.ts";
import { programsOf } from "../../../../components/regions/render/programs.ts";
import { allHosts } from "../../../../components/regions/render/topology.ts";
import { hostsOf } from "../../../../components/spec/regionalModel.ts";
import { regionNamed, twoRegions } from "./sample.ts";

const deployment = twoRegions();

const rendered = (model = deployment) =>
  Object.fromEntries(allHosts(model).map((host) => [host.name, hostFiles(model, host)]));

const fileOf = (host: string, file: string, model = deployment) => {
  const text = rendered(model)[host]?.[file];
  if (text === undefined) throw new Error(`${host} has no ${file}`);
  return text;
};

test("one of each kind in a region that follows is exactly this", () => {
  const { servers, members, proxies } = regionNamed(deployment, "region-b");
  for (const [host] of [servers, members, proxies]) {
    expect(host && hostFiles(deployment, host), host?.name).toMatchSnapshot(host?.name);
  }
});

test("hosts of one role differ in nothing but themselves", () => {
  const neutral = (host: string) =>
    JSON.stringify(rendered()[host]).replaceAll(/region-b(-consul)?-[123]|10\.\d+\.2\.[123][123]/g, "HOST");
  expect(neutral("region-b-consul-2")).toBe(neutral("region-b-consul-3"));
  const sorted = (host: string) => [...neutral(host).split("\\n")].sort();
  expect(sorted("region-b-2")).toEqual(sorted("region-b-3"));
});

test("every file that a program reads is rendered, or is a secret or the certificate's note", () => {
  const model = twoRegions({ database: { sessionChecks: ["serfHealth"] } });
  for (const host of allHosts(model)) {
    const files = Object.keys(hostFiles(model, host));
    const read = programsOf(model, host).flatMap(({ reloads, restarts }) => [...reloads, ...restarts]);
    const plain = read.filter((file) => !file.startsWith("secrets/") && file !== "certificate.json");
    for (const file of plain) expect(files, host.name).toContain(file);
  }
});

test("checks of a session are in Patroni's file, and in a note that tells when it has to start anew", () => {
  const model = twoRegions({ database: { sessionChecks: ["serfHealth"] } });
  expect(fileOf("region-a-1", "patroni/patroni.yml", model)).toContain("checks:\n    - serfHealth\n");
  expect(fileOf("region-a-1", "patroni/session.json", model)).toBe('{"checks":["serfHealth"]}\n');
  expect(Object.keys(rendered()["region-a-1"] ?? {})).not.toContain("patroni/session.json");
});

test("the member that is to lead is the first to become a synchronous standby, and no other", () => {
  const model = twoRegions();
  const regions = model.regions.map((region) =>
    region.name === "region-a" ? { ...region, leader: "region-a-2" } : region,
  );
  const tags = ["region-a-1", "region-a-2", "region-b-2"].map(
    (host) => parse(fileOf(host, "patroni/patroni.yml", { ...model, regions }), { version: "1.1" }).tags,
  );
  expect(tags.map(({ sync_priority: priority }) => priority)).toEqual([undefined, 2, undefined]);
  // Patroni refuses a file that has both.
  expect(tags.map((each) => "nosync" in each)).toEqual([true, false, true]);
});

describe("a region begins", () => {
  const bootstrap = (host: string, active: string) =>
    parse(fileOf(host, "patroni/bootstrap.yml", twoRegions({ active })), { version: "1.1" }).bootstrap.dcs;

  test("as a cluster of its own while it is active, with a slot for each other region", () => {
    expect(bootstrap("region-a-1", "region-a")).not.toHaveProperty("standby_cluster");
    expect(bootstrap("region-a-1", "region-a").slots).toEqual({
      region_b: { type: "physical", cluster_type: "primary" },
    });
  });

  test("as a follower of every member of the active one otherwise", () => {
    expect(bootstrap("region-a-1", "region-b").standby_cluster).toEqual({
      host: "10.86.2.11,10.86.2.12,10.86.2.13",
      port: 5432,
      primary_slot_name: "region_a",
      create_replica_methods: ["basebackup"],
    });
  });

  test("and which one is active is in no other file", () => {
    const without = (active: string) =>
      Object.entries(rendered(twoRegions({ active }))).map(
        ([host, { "patroni/bootstrap.yml": _, ...files }]) => [host, files],
      );
    expect(without("region-b")).toEqual(without("region-a"));
  });
});

describe("clients", () => {
  const access = [
    { databases: ["app"], roles: ["app"], network: "192.0.2.0/24", method: "scram-sha-256" },
    { databases: ["all"], roles: ["report"], network: "10.86.0.0/16", method: "cert" },
  ];
  const model = twoRegions({ database: { clientAccess: access, roles: { app: {}, report: {} } } });
  const lines = (): string[] =>
    parse(fileOf("region-a-1", "patroni/patroni.yml", model), { version: "1.1" }).postgresql.pg_hba;

  test("come in from their networks, and with the addresses of all regions' proxies, in the order of the rules", () => {
    const from = lines().findIndex((line) => line.includes("192.0.2.0/24"));
    expect(lines().slice(from, from + 6)).toEqual([
      'hostssl "app" "app" 192.0.2.0/24 scram-sha-256',
      'hostssl "app" "app" 10.86.1.51/32 scram-sha-256',
      'hostssl "app" "app" 10.86.2.51/32 scram-sha-256',
      // The proxies lie in this one.
      'hostssl all "report" 10.86.0.0/16 cert',
      "host all all all reject",
      "host replication all all reject",
    ]);
  });

  test("are let through a proxy from no other network", () => {
    const config = fileOf("region-a-proxy", "haproxy.cfg", model);
    const admitted = [...config.matchAll(/acl admitted src (\S+)/g)].map(([, network]) => network);
    const hosts = model.regions.flatMap((region) => [...region.members, ...region.proxies]);
    const own = hosts.map(({ address }) => `${address}/32`);
    expect(new Set(admitted)).toEqual(new Set([...own, "192.0.2.0/24", "10.86.0.0/16"]));
    expect(config.match(/tcp-request connection reject if !admitted/g)).toHaveLength(2);
  });

  test("no rule lets a client be one of the system's roles", () => {
    const refusal = lines().indexOf("host all postgres,replicator,rewinder all reject");
    const clients = lines().findIndex((line) => line.includes("scram-sha-256"));
    expect(refusal).toBeGreaterThan(0);
    expect(refusal).toBeLessThan(clients);
  });
});

test("a proxy offers every region's members for writes and its own region's for reads", () => {
  const config = fileOf("region-a-proxy", "haproxy.cfg");
  const [, write = "", read = ""] = config.split(/^backend /m);
  const servers = (text: string) => [...text.matchAll(/^ {4}server (\S+)/gm)].map(([, name]) => name);
  expect(servers(write)).toEqual(
    deployment.regions.flatMap(({ members }) => members.map(({ name }) => name)),
  );
  expect(servers(read)).toEqual(regionNamed(deployment, "region-a").members.map(({ name }) => name));
  // In the file of initial states too, or those servers would begin as up.
  expect(fileOf("region-a-proxy", "haproxy.state").trimEnd().split("\n")).toHaveLength(2 + 6 + 3);
});

test("settings go where Patroni takes them from, and a crash of one backend is the server's own to recover from", () => {
  const model = twoRegions({
    database: { settings: { max_connections: 300, random_page_cost: 1.1 } },
    regionA: {
      members: { "region-a-1": { settings: { work_mem: "64MB" } }, "region-a-2": {}, "region-a-3": {} },
    },
  });
  const dcs = parse(fileOf("region-b-1", "patroni/bootstrap.yml", model), { version: "1.1" }).bootstrap.dcs;
  const shared = dcs.postgresql.parameters;
  expect(shared).toMatchObject({ max_connections: 300, random_page_cost: 1.1, restart_after_crash: "on" });
  const own = (host: string) =>
    parse(fileOf(host, "patroni/patroni.yml", model), { version: "1.1" }).postgresql.parameters;
  expect(own("region-a-1")).toMatchObject({ work_mem: "64MB" });
  expect(own("region-a-2").work_mem).not.toBe("64MB");
  expect(shared).not.toHaveProperty("work_mem");
  expect(shared).not.toHaveProperty("shared_buffers");
});

test("who may replicate: all other members of all regions, by certificate, and nobody else", () => {
  const { postgresql } = parse(fileOf("region-a-1", "patroni/patroni.yml"), { version: "1.1" });
  const lines: string[] = postgresql.pg_hba;
  const replicating = lines.filter((line) => line.startsWith("hostssl replication"));
  expect(replicating).toEqual(
    deployment.regions
      .flatMap(({ members }) => members)
      .filter(({ name }) => name !== "region-a-1")
      .map(({ address }) => `hostssl replication replicator ${address}/32 cert map=understudy`),
  );
  expect(postgresql.pg_ident).not.toContain('understudy "region-a-1" replicator');
});

test("a member asks the other regions' members before it starts, and nobody of its own", () => {
  const others = JSON.parse(fileOf("region-a-1", "agent.json")).others;
  expect(others.map(({ name }: { name: string }) => name)).toEqual([
    "region-b-1",
    "region-b-2",
    "region-b-3",
  ]);
  expect(JSON.parse(fileOf("region-a-consul-1", "agent.json")).others).toEqual([]);
});

test("how many servers there are, and where, is in no file that restarts or reloads a program", () => {
  const [region] = deployment.regions;
  if (!region) throw new Error("no region");
  const more = { ...deployment, regions: [{ ...region, servers: region.servers.slice(0, 2) }] };
  for (const host of [...region.servers.slice(0, 2), ...region.members]) {
    const [now, then] = [hostFiles(deployment, host), hostFiles(more, host)];
    const changed = Object.keys(now).filter((path) => now[path] !== then[path]);
    // A region alone has nobody else's members to ask.
    expect(changed.filter((path) => path.includes("consul"))).toEqual(["consul-start.json"]);
    const read = programsOf(deployment, host).flatMap(({ reloads, restarts }) => [...reloads, ...restarts]);
    expect(read).not.toContain("consul-start.json");
  }
});

test("a preview sees a new gossip key by its note, which reloads Consul and no other program", () => {
  const rotated = twoRegions({ regionA: { consul: { gossipKeyRotation: "2026-06" } } });
  for (const host of rotated.regions.flatMap(hostsOf)) {
    const note = host.region === "region-a" ? '{"rotation":"2026-06"}\n' : '{"rotation":null}\n';
    expect(hostFiles(rotated, host)["gossip-key.json"]).toBe(host.role === "proxy" ? undefined : note);
    const readers = programsOf(rotated, host).filter(({ reloads }) => reloads.includes("gossip-key.json"));
    expect(readers.map(({ name }) => name)).toEqual(host.role === "proxy" ? [] : ["consul"]);
  }
});

test("agents and servers of a region have that region's servers, and none of another's", () => {
  for (const region of deployment.regions) {
    const servers = region.servers.map(({ address }) => address);
    for (const host of hostsOf(region).filter(({ role }) => role !== "proxy")) {
      const start = JSON.parse(fileOf(host.name, "consul-start.json"));
      expect(start.retry_join).toEqual(servers);
      expect(start.bootstrap_expect).toBe(host.role === "server" ? servers.length : undefined);
    }
  }
});

describe("with pooled clients", () => {
  const clientAccess = [
    { databases: ["app"], roles: ["app"], network: "10.9.0.0/16", method: "scram-sha-256" },
  ];
  const pooled = twoRegions({ database: { pooling: {}, clientAccess } });
  const unpooled = twoRegions({ database: { clientAccess } });
  const proxies = pooled.regions.flatMap((region) => region.proxies);

  test("PgBouncer runs on every proxy and nowhere else, beside an HAProxy that does not know of it", () => {
    for (const host of allHosts(pooled)) {
      const programs = programsOf(pooled, host).map(({ name }) => name);
      expect(programs.includes("pgbouncer"), host.name).toBe(host.role === "proxy");
    }
    for (const { name } of proxies)
      expect(fileOf(name, "haproxy.cfg", pooled)).toBe(fileOf(name, "haproxy.cfg", unpooled));
  });

  test("its server is its own host's HAProxy, by an address that every member's certificate has", () => {
    for (const proxy of proxies) {
      expect(fileOf(proxy.name, "pgbouncer/pgbouncer.ini", pooled)).toContain(
        `app = host=${proxy.address} port=${proxy.writePort}\n`,
      );
      for (const { members } of pooled.regions)
        for (const member of members) expect(certificateNamesOf(pooled, member).ip).toContain(proxy.address);
    }
  });

  test("its own certificate has every name that a client finds it by", () => {
    const [proxy] = regionNamed(pooled, "region-b").proxies;
    if (!proxy) throw new Error("no proxy");
    expect(certificateNamesOf(pooled, proxy).dns).toEqual(
      expect.arrayContaining([
        "region-b-proxy.ha.example.test",
        "region-b.ha.example.test",
        pooled.names.floating,
      ]),
    );
    expect(certificateNamesOf(unpooled, proxy).dns).not.toContain("region-b.ha.example.test");
  });

  test("clients are let in by the same rules as at the server, and no other way", () => {
    const [, ...lines] = fileOf("region-a-proxy", "pgbouncer/hba.conf", pooled).trimEnd().split("\n");
    expect(lines).toEqual(['hostssl "app" "app" 10.9.0.0/16 scram-sha-256']);
  });

  test("a client that waits outlasts the longest pause", () => {
    const ini = fileOf(
      "region-a-proxy",
      "pgbouncer/pgbouncer.ini",
      twoRegions({ database: { pooling: { pauseSeconds: 100 } } }),
    );
    expect(Number(/^query_wait_timeout = (\d+)$/m.exec(ini)?.[1])).toBeGreaterThan(100);
  });
});
