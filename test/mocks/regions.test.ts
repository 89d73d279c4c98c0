/** The whole of a deployment of two regions, as the resources that the engine is asked for. Nothing runs. */
import * as pulumi from "@pulumi/pulumi";
import { beforeAll, describe, expect, test } from "vitest";
import type { Presence } from "../../components/hosts/containers/presence.ts";
import { hostsOf } from "../../components/spec/regionalModel.ts";
import { twoRegions } from "../unit/regions/render/sample.ts";
import { build, bytes, canary, type Seen, time } from "./regionsRecorded.ts";

const list = (resources: readonly Seen[]) => resources.map(({ type, name }) => `${type} ${name}`).sort();

const hosts = twoRegions().regions.flatMap(hostsOf);

function finder(resources: readonly Seen[]) {
  return (name: string): Seen => {
    const found = resources.filter((one) => one.name === name && !one.type.startsWith("understudy:"));
    if (found.length !== 1 || found[0] === undefined)
      throw new Error(`${found.length} resources are named ${name}`);
    return found[0];
  };
}

describe("the resources of two regions", () => {
  let resources: readonly Seen[];
  let named: (name: string) => Seen;

  beforeAll(async () => {
    resources = await build();
    named = finder(resources);
  }, 60_000);

  test("are exactly these", () => {
    expect(list(resources)).toMatchSnapshot();
  });

  test("have no two of the same type and name", () => {
    expect(new Set(list(resources)).size).toBe(resources.length);
  });

  test("are the same list at preview: nothing is made in an apply", async () => {
    expect(list(await build({}, true))).toEqual(list(resources));
  });

  test("no secret is in an input that is not one", () => {
    const secrets = [canary, bytes.toString("base64"), "canary-of", "cccccccc-cccc-4ccc-8ccc-cccccccccccc"];
    const plain = resources.map(({ name, inputs }) => [
      name,
      JSON.stringify(inputs, (_, value) => (pulumi.runtime.isRpcSecret(value) ? "secret" : value)),
    ]);
    // What is looked for is there: the secret files, seen through.
    const files = pulumi.runtime.unwrapRpcSecret(named("region-a-1-secrets").inputs["stdin"]) as string;
    for (const secret of [secrets[1], "canary-of", secrets[3]]) expect(files).toContain(secret);
    for (const [name, text] of plain) {
      for (const secret of secrets) expect(text, name).not.toContain(secret);
    }
  });

  test("a text about the gossip key makes a new one, in its region alone", async () => {
    const deployment = twoRegions();
    const regions = deployment.regions.map((region, index) =>
      index === 0 ? { ...region, consul: { ...region.consul, gossipKeyRotation: "2026-06" } } : region,
    );
    const made = await build({}, false, { deployment: { ...deployment, regions } });
    const keys = made.filter(({ name }) => name.endsWith("-gossip-key"));
    const kept = keys.map(({ name, inputs }) => [name.includes("region-a"), inputs["keepers"] ?? null]);
    expect(kept.sort()).toEqual([
      [false, null],
      [true, { rotation: "2026-06" }],
    ]);
  });

  test("each host has the secrets that it needs and no other's", () => {
    const secretFiles = (host: string) => {
      const stdin = pulumi.runtime.unwrapRpcSecret(named(`${host}-secrets`).inputs["stdin"]) as string;
      return Object.keys((JSON.parse(stdin) as { files: object }).files).sort();
    };
    const own = ["ca.crt", "server.crt", "server.key"];
    expect(secretFiles("region-a-consul-1")).toEqual(["consul.json", "tokens.json", ...own].sort());
    expect(secretFiles("region-a-1")).toEqual(["consul.json", "passwords/app", "patroni.yml", ...own].sort());
    expect(secretFiles("region-a-proxy")).toEqual(own);
  });

  test("configuration is in the clear, and the agent's source is named and not held", () => {
    const stdin = named("region-a-1-files").inputs["stdin"];
    expect(typeof stdin).toBe("string");
    const { files, ownFiles } = JSON.parse(stdin as string) as Record<"files" | "ownFiles", object>;
    expect(Object.keys(files)).toContain("patroni/patroni.yml");
    expect(ownFiles).toHaveProperty("agent.py");
    expect(ownFiles).toEqual(
      Object.fromEntries(
        Object.keys(ownFiles).map((name) => [
          name,
          { path: expect.stringMatching(/\.py$/), sha256: expect.stringMatching(/^[0-9a-f]{64}$/) },
        ]),
      ),
    );
  });

  test("only a member's data is protected, and a retired one's is left where it is", async () => {
    const deployment = twoRegions();
    const regions = deployment.regions.map((region, index) =>
      index === 0 ? { ...region, retired: ["region-a-9"] } : region,
    );
    const made = await build({}, false, { deployment: { ...deployment, regions } });
    const dataOf = (name: string) => made.find((one) => one.name === `${name}-data`);
    for (const { name, role } of hosts) {
      expect(dataOf(name), name).toMatchObject({ protect: role === "member", retain: false });
    }
    expect(dataOf("region-a-9")).toMatchObject({
      inputs: { name: "demo-region-a-9-data" },
      protect: false,
      retain: true,
    });
    expect(made.filter(({ name }) => name.startsWith("region-a-9"))).toHaveLength(1);
  });

  test("a name in `retired` of which nothing is there makes nothing, and its fellow's data is left all the same", async () => {
    const deployment = twoRegions();
    const regions = deployment.regions.map((region, index) =>
      index === 0 ? { ...region, retired: ["region-a-9", "region-a-99"] } : region,
    );
    const retired = async (presence: Partial<Presence>) => {
      const made = await build(presence, false, { deployment: { ...deployment, regions } });
      return made.flatMap(({ name }) => (name.startsWith("region-a-9") ? [name] : []));
    };
    expect(await retired({ leftVolumes: ["demo-region-a-9-data"] })).toEqual(["region-a-9-data"]);
    // Of an engine that does not answer nothing is known.
    const away = await retired({ leftVolumes: [], reachable: false });
    expect(away).toEqual(["region-a-9-data", "region-a-99-data"]);
  });

  test("containers run as nobody's root, publish on loopback only, and only a member's data is protected", () => {
    const users = { server: "997:997", member: "999:999", proxy: "996:996" };
    for (const { name, role } of hosts) {
      const { inputs } = named(name);
      expect(inputs, name).toMatchObject({
        user: users[role],
        mustRun: false,
        restart: "unless-stopped",
        healthcheck: { tests: ["CMD", "python3", "/etc/understudy/agent.py", "health"] },
      });
      const ports = inputs["ports"] as { ip: string; internal: number }[];
      expect(ports.map(({ ip, internal }) => [ip, internal])).toEqual(
        role === "proxy"
          ? [
              ["127.0.0.1", 5432],
              ["127.0.0.1", 5433],
            ]
          : [],
      );
    }
  });

  test("a member may take as long to stop as all of its programs together", () => {
    expect(named("region-a-1").inputs).toMatchObject({ stopTimeout: 90, destroyGraceSeconds: 90 });
  });

  test("the region change waits for every host, the floating name for it, and the client for that", () => {
    expect([...named("demo-regions").after].sort()).toEqual(
      expect.arrayContaining(hosts.map(({ name }) => name).sort()),
    );
    expect(named("demo-floating-update").after).toContain("demo-regions");
    expect(named("demo-verified").after).toContain("demo-floating-update");
  });

  test("hosts that are new are made beside each other", () => {
    for (const { name } of hosts) {
      expect(named(name).after.filter((other) => hosts.some((host) => host.name === other))).toEqual([]);
    }
  });
});

test("hosts that are there are replaced one after another: those that follow first, the active region's members last", async () => {
  const containers = Object.fromEntries(hosts.map(({ name }) => [`demo-${name}`, time.toISOString()]));
  const named = finder(await build({ containers }));
  const before = (name: string) =>
    named(name).after.filter((other) => hosts.some((host) => host.name === other));
  expect(before("region-b-consul-1")).toEqual([]);
  expect(before("region-b-consul-2")).toEqual(["region-b-consul-1"]);
  expect(before("region-b-1")).toEqual(expect.arrayContaining(["region-b-consul-3"]));
  const all = hosts.map(({ name }) => name).filter((name) => name !== "region-a-proxy");
  expect(new Set(before("region-a-proxy"))).toEqual(new Set(all));
  expect(before("region-a-3")).toEqual(
    expect.arrayContaining(["region-a-2", "region-b-3", "region-b-proxy"]),
  );
  expect(before("region-a-2")).not.toContain("region-a-3");
});
