/** The whole of a deployment of two regions on machines, as the resources that the engine is asked for. Nothing is connected to. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { RegionsObserved } from "../../components/regions/facts.ts";
import { regionsDesired } from "../../components/regionsDesired.ts";
import type { SshRoute } from "../../components/roles/desired.ts";
import { hostsOf } from "../../components/spec/regionalModel.ts";
import { accepted } from "../unit/spec/regional/configuration.ts";
import { onMachines } from "../unit/spec/regional/onMachines.ts";
import { build, bytes, canary, type Elsewhere, type Seen } from "./regionsRecorded.ts";

const keyFile = join(mkdtempSync(join(tmpdir(), "understudy-key-")), "key");
writeFileSync(keyFile, "canary-of-an-ssh-key\n");
afterAll(() => rmSync(dirname(keyFile), { recursive: true }));

const deployment = accepted({ ...onMachines(), stack: "demo" });
const hosts = deployment.regions.flatMap(hostsOf);
const routes = Object.fromEntries(
  hosts.map(({ name, address }): [string, SshRoute] => [
    name,
    { host: address, port: 22, user: "op", keyFile, hostKeys: ["ssh-ed25519 AAAAC3"] },
  ]),
);
const isAbsent: RegionsObserved["hosts"] = Object.fromEntries(
  hosts.map(({ name }) => [name, { reach: "absent", data: "none" }]),
);
const made = (more: Elsewhere = {}, preview = false) =>
  build({}, preview, { deployment, routes, hosts: isAbsent, ...more });

const isRemote = ({ type }: Seen) => type === "command:remote:Command";
const list = (resources: readonly Seen[]) => resources.map(({ type, name }) => `${type} ${name}`).sort();
const named = (resources: readonly Seen[], name: string): Seen => {
  const found = resources.filter((one) => one.name === name && one.type.startsWith("command:"));
  if (found.length !== 1 || found[0] === undefined)
    throw new Error(`${found.length} commands are named ${name}`);
  return found[0];
};
const stdinOf = ({ inputs: { stdin } }: Seen): string =>
  String(pulumi.runtime.isRpcSecret(stdin) ? pulumi.runtime.unwrapRpcSecret(stdin) : stdin);

describe("two regions on machines", () => {
  let resources: readonly Seen[];

  beforeAll(async () => {
    resources = await made();
  }, 60_000);

  test("are machines with their files and units, and no Docker", () => {
    expect(list(resources).filter((one) => one.includes("docker"))).toEqual([]);
    const remote = list(resources.filter(isRemote));
    expect(remote).toEqual(
      hosts
        .flatMap(({ name }) => ["", "-files", "-machine", "-secrets"].map((part) => `${name}${part}`))
        .map((name) => `command:remote:Command ${name}`)
        .sort(),
    );
    for (const { name } of hosts)
      expect(named(resources, `${name}-departure`).inputs["delete"]).toBe(
        "node components/hosts/machines/leave.ts",
      );
  });

  test("are the same list at preview: nothing is made in an apply", async () => {
    expect(list(await made({}, true))).toEqual(list(resources));
  });

  test("are reached each at its own machine, by a key that stays secret", () => {
    for (const { name, address } of hosts) {
      const { connection } = named(resources, name).inputs;
      expect(pulumi.runtime.isRpcSecret(connection), name).toBe(true);
      expect(pulumi.runtime.unwrapRpcSecret(connection)).toMatchObject({ host: address, user: "op" });
    }
  });

  test("run commands that are constant, and no secret is in an input that is not one", () => {
    const remote = resources.filter(isRemote);
    expect(new Set(remote.map(({ inputs }) => inputs["create"])).size).toBeLessThanOrEqual(2);
    for (const { inputs } of remote) expect(inputs["environment"]).toBeUndefined();
    const secrets = ["canary-of", canary, bytes.toString("base64"), "cccccccc-cccc-4ccc-8ccc-cccccccccccc"];
    const plain = (inputs: object) =>
      JSON.stringify(inputs, (_, value) => (pulumi.runtime.isRpcSecret(value) ? "secret" : value));
    for (const { name, inputs } of resources)
      for (const secret of secrets) expect(plain(inputs), name).not.toContain(secret);
    // What is looked for is there: the secret files, seen through.
    const files = stdinOf(named(resources, "region-a-1-secrets"));
    for (const secret of secrets.slice(2)) expect(files).toContain(secret);
    for (const { name } of remote) {
      const isSecret = pulumi.runtime.isRpcSecret(named(resources, name).inputs["stdin"]);
      expect([name, isSecret]).toEqual([name, name.endsWith("-secrets")]);
    }
  });

  test("install what each role runs, and start the unit of its name", () => {
    const units = { server: "consul", member: "patroni", proxy: "haproxy" } as const;
    for (const { name, role } of hosts) {
      expect(stdinOf(named(resources, name)), name).toContain(`understudy-${units[role]}.service`);
      expect(stdinOf(named(resources, `${name}-machine`)), name).toContain(units[role]);
    }
    expect(stdinOf(named(resources, "region-a-1-machine"))).toContain("postgresql-17");
    expect(stdinOf(named(resources, "region-a-proxy-machine"))).not.toContain("postgresql-17");
  });

  test("have PgBouncer beside their proxies where clients are pooled, and nowhere else", async () => {
    const pooling = accepted({ ...onMachines({ database: { pooling: {} } }), stack: "demo" });
    const pooled = await made({ deployment: pooling });
    const proxy = (part: string) => stdinOf(named(pooled, `region-b-proxy${part}`));
    expect(proxy("-machine")).toContain("us_not_started='haproxy.service pgbouncer.service'");
    expect(proxy("-files")).toContain("listen_addr = 203.0.113.51");
    expect(proxy("-secrets")).toContain("pgbouncer.users");
    expect(proxy("")).toContain("LimitNOFILE=524288");
    expect(proxy("")).toContain("tcp dport 6432 ip saddr 198.51.100.0/24 accept");
    for (const { name, role } of hosts)
      if (role !== "proxy")
        expect(stdinOf(named(pooled, `${name}-machine`)), name).not.toContain("pgbouncer");
    for (const part of ["-machine", "-secrets"])
      expect(stdinOf(named(resources, `region-b-proxy${part}`)), part).not.toContain("pgbouncer");
  });

  test("are made beside each other where they are new, and in turn where they are there", async () => {
    const others = (of: Seen) => of.after.filter((name) => hosts.some((host) => host.name === name));
    for (const { name } of hosts) expect(others(named(resources, name)), name).toEqual([]);
    const report = { reach: "stopped", reason: "it was stopped", report: null } as const;
    const there = await made({ hosts: Object.fromEntries(hosts.map(({ name }) => [name, report])) });
    expect(others(named(there, "region-b-consul-1"))).toEqual([]);
    expect(others(named(there, "region-b-consul-2"))).toEqual(["region-b-consul-1"]);
    expect(others(named(there, "region-a-3"))).toEqual(
      expect.arrayContaining(["region-a-2", "region-b-proxy"]),
    );
  });

  test("at a preview that reached nobody are the same with the same content, and only the connections are left as they were", async () => {
    const unknown = Object.entries(routes).map(([name, way]) => [
      name,
      { ...way, hostKeys: [], keyFile: "/nonexistent/key" },
    ]);
    const elsewhere = await made({ routes: Object.fromEntries(unknown), unseen: true }, true);
    const content = (all: readonly Seen[]) =>
      all
        .filter(isRemote)
        .map((one) => [one.name, one.inputs["create"], stdinOf(one)].map(String))
        .sort();
    expect(content(elsewhere)).toEqual(content(await made({}, true)));
    expect(list(elsewhere)).toEqual(list(resources));
    const ignored = (all: readonly Seen[]) => all.filter(isRemote).map((one) => one.ignored);
    expect(new Set(ignored(elsewhere).map(String))).toEqual(new Set(["connection"]));
    expect(ignored(resources).flat()).toEqual([]);
  });

  test("install the unit file that the plan goes by, and leave a member's restart to that", () => {
    const wishes = new Map(
      regionsDesired(deployment, {}, routes).regions.flatMap(({ members }) =>
        members.map(({ name, unitFile }) => [name, unitFile] as const),
      ),
    );
    for (const { name, role } of hosts) {
      const text = stdinOf(named(resources, name));
      const { request } = JSON.parse(text.slice(text.indexOf("{"))) as {
        request: { unitFile: string[]; restarts: boolean };
      };
      expect(request.restarts, name).toBe(role !== "member");
      expect(wishes.get(name), name).toBe(role === "member" ? request.unitFile.join("\n") : undefined);
    }
  });

  test("are written again where the configuration says repair, and nowhere else", async () => {
    const stdins = (all: readonly Seen[]) =>
      new Map(all.filter(isRemote).map((one) => [one.name, stdinOf(one)]));
    const before = stdins(resources);
    const after = stdins(await made({ deployment: { ...deployment, repair: { "region-a-2": "again" } } }));
    const changed = [...before.keys()].filter((name) => before.get(name) !== after.get(name));
    expect(changed.sort()).toEqual(["", "-files", "-machine", "-secrets"].map((part) => `region-a-2${part}`));
  });

  test("clients get the proxies' own addresses, and members' certificates have them", () => {
    const requests = resources.filter(({ type }) => type === "tls:index/certRequest:CertRequest");
    const member = requests.find(({ name }) => name.startsWith("demo-region-a-1"));
    expect(member?.inputs["ipAddresses"]).toEqual(
      expect.arrayContaining(["192.0.2.11", "192.0.2.51", "203.0.113.51"]),
    );
    const config = stdinOf(named(resources, "region-a-proxy-files"));
    expect(config).toContain("bind 192.0.2.51:5432");
    expect(config).toContain("203.0.113.13:5432");
    expect(stdinOf(named(resources, "region-a-1-files"))).toContain("192.0.2.31");
  });
});
