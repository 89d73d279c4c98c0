/**
 * The agent of a region's host, beside the real programs: three Consul servers, one member and one proxy, in containers,
 * with what is rendered for them and without Pulumi.
 */
import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { onDemandImageTag } from "../../components/hosts/containers/images.ts";
import { accessOf, tokenNames } from "../../components/regions/render/access.ts";
import { makeCertificates } from "../node/certificates.ts";
import { docker } from "../node/docker.ts";
import { until } from "../node/pair.ts";
import { AgentHosts } from "../support/agentHosts.ts";
import { askConsul } from "../support/consulAdmin.ts";

const region = new AgentHosts(`test-region-agent-${process.pid}`, "10.165.0");
const [server, member, proxy] = ["consul-1", "member-1", "proxy"] as const;
const limit = { timeoutSeconds: 30 } as const;

const within = (host: string, script: string) => docker("exec", region.container(host), "sh", "-c", script);
/** Numbers of its processes, the oldest first. Not every image has pgrep. */
const processesOf = async (host: string, program: string) => {
  const list = `for p in /proc/[0-9]*; do [ "$(cat $p/comm 2>/dev/null)" != ${program} ] || echo "\${p#/proc/}"; done`;
  const found = (await within(host, list)).split("\n").filter((pid) => pid !== "");
  return found.sort((a, b) => Number(a) - Number(b));
};
const processOf = async (host: string, program: string) => (await processesOf(host, program))[0] ?? "none";
const send = async (signal: string, host: string, program: string) =>
  within(host, `kill -${signal} ${await processOf(host, program)}`);
const programs = async (host: string) => (await region.call(host, "observe", {})).programs;
const access = accessOf(region.deployment, region.region);

beforeAll(async () => {
  for (const name of ["haproxy", "patroni"]) {
    await promisify(execFile)(process.execPath, ["scripts/image.ts", name]);
  }
  await region.prepare();
  await Promise.all(region.hosts.map(({ name }) => region.run(name)));
});

afterAll(() => region.remove());

test("servers elect a leader, and grant exactly what is declared, once", async () => {
  await region.call(server, "awaitConsul", limit);
  const { changed } = await region.call(server, "grant", access);
  expect(changed).toHaveLength(access.policies.length + Object.keys(access.tokens).length);
  expect(await region.call("consul-2", "grant", access)).toEqual({ changed: [] });
  await region.call(server, "awaitVoters", { expected: 3, ...limit });
  const { consul, problems } = await region.call(server, "observe", {});
  expect(problems).toEqual([]);
  expect(consul?.access?.tokens).toEqual(access.tokens);
  expect(consul?.access?.policies).toEqual(
    Object.fromEntries(access.policies.map(({ name, rules }) => [name, rules])),
  );
  expect(consul?.peers.filter(({ voter }) => voter)).toHaveLength(3);
  expect(consul).toMatchObject({
    healthy: true,
    tokenValid: true,
    leader: expect.stringMatching(/^consul-/),
  });
});

test("who is alive is not forgotten, and who is known to nobody is no problem", async () => {
  await expect(region.call(server, "forgetNode", { node: "nobody" })).resolves.toEqual({});
  await expect(region.call(server, "forgetNode", { node: member })).rejects.toMatchObject({
    code: "E_NODE_ALIVE",
  });
});

test("what was granted by hand is taken back; a host that is gone leaves nothing", async () => {
  const without = {
    policies: access.policies.filter(({ name }) => name !== "observer"),
    tokens: Object.fromEntries(Object.entries(access.tokens).filter(([name]) => name !== "observer")),
  };
  expect(await region.call(server, "grant", without)).toEqual({
    changed: ["token observer", "policy observer"],
  });
  expect(await region.call(server, "grant", access)).toEqual({
    changed: ["policy observer", "token observer"],
  });
});

test("a member leads with its token, which is good for nothing else", async () => {
  await region.call(member, "awaitConsul", limit);
  await region.call(member, "awaitLeader", { as: "primary", ...limit });
  const token = region.tokens[tokenNames.patroni(member)] ?? "";
  const put = (path: string, body: unknown) => ({ method: "PUT" as const, path, token, body });
  const answers = await askConsul(region.container(member), "127.0.0.1", [
    put("/v1/kv/service/orders/test", 1),
    put("/v1/kv/service/orders2/test", 1),
    put("/v1/session/create", { Node: server, TTL: "10s" }),
    { method: "GET", path: "/v1/acl/tokens", token },
    { method: "GET", path: "/v1/kv/service/orders/test", token: "" },
  ]);
  expect(answers.map(([status]) => status)).toEqual([200, 403, 403, 403, 403]);
  for (const verb of ["grant", "forgetNode"])
    await expect(region.call(member, verb as never, access as never)).rejects.toMatchObject({
      code: "E_UNKNOWN_VERB",
    });
});

test("a proxy reaches it, and goes on with the old file where a new one is bad", async () => {
  await region.call(proxy, "awaitBackend", { member, ...limit });
  await region.install(proxy, { "haproxy.cfg": "global\n    nonsense yes\n" });
  await expect(region.call(proxy, "reload", { program: "haproxy" })).rejects.toMatchObject({
    code: "E_RELOAD",
    message: expect.stringContaining("unknown keyword 'nonsense'"),
  });
  const { haproxy } = await programs(proxy);
  expect(haproxy).toMatchObject({ state: "running", restarts: 0 });
  expect(haproxy?.loaded["haproxy.cfg"]).not.toBe(haproxy?.installed["haproxy.cfg"]);
  await region.call(proxy, "awaitBackend", { member, timeoutSeconds: 1 });
  await region.install(proxy);
  await region.call(proxy, "reload", { program: "haproxy" });
  const { haproxy: mended } = await programs(proxy);
  expect(mended?.loaded).toEqual(mended?.installed);
  // A new worker sends nobody anywhere before its first checks; a reload is over after them.
  await region.call(proxy, "awaitBackend", { member, timeoutSeconds: 0.01 });
});

test("no reload takes what Consul or Patroni cannot use", async () => {
  await region.install(member, { "consul.json": '{"nonsense": 1}', "patroni/patroni.yml": "scope: [\n" });
  for (const [program, words] of [
    ["consul", "invalid config key nonsense"],
    ["patroni", "ParserError"],
  ] as const) {
    await expect(region.call(member, "reload", { program })).rejects.toMatchObject({
      code: "E_RELOAD",
      message: expect.stringContaining(words),
    });
  }
  await region.install(member, { "secrets/server.crt": region.certificateOf(server) });
  await expect(region.call(member, "reload", { program: "patroni" })).rejects.toMatchObject({
    code: "E_RELOAD",
    message: expect.stringContaining("cannot use the certificate"),
  });
  await region.install(member);
  await region.call(member, "reload", { program: "consul" });
  await region.call(member, "reload", { program: "patroni" });
});

test("a new certificate is presented although the settings beside it are new, too", async () => {
  const other = await makeCertificates(onDemandImageTag("patroni"), [region.host(member)]);
  const leaf = other.leaves[member];
  const { files } = region.contentOf(region.deployment, region.host(member));
  try {
    await region.install(member, {
      "secrets/server.crt": leaf?.certificate ?? "",
      "secrets/server.key": leaf?.key ?? "",
      "patroni/patroni.yml": files["patroni/patroni.yml"]?.replace("level: INFO", "level: WARNING") ?? "",
    });
    await region.call(member, "reload", { program: "patroni" });
    const { patroni } = await programs(member);
    expect(patroni?.loaded["secrets/server.crt"]).toBe(patroni?.installed["secrets/server.crt"]);
  } finally {
    await region.install(member);
  }
  await region.call(member, "reload", { program: "patroni" });
});

test("what was not taken over is not loaded: the next update asks for it again", async () => {
  await send("STOP", "consul-2", "consul");
  try {
    await region.install("consul-2", { "certificate.json": '{"of": "another"}' });
    await expect(region.call("consul-2", "reload", { program: "consul" })).rejects.toMatchObject({
      code: "E_RELOAD",
    });
    const { consul } = await programs("consul-2");
    expect(consul?.installed["certificate.json"]).toBeDefined();
    expect(consul?.loaded["certificate.json"]).not.toBe(consul?.installed["certificate.json"]);
  } finally {
    await send("CONT", "consul-2", "consul");
  }
  await region.install("consul-2");
  await region.call("consul-2", "awaitConsul", limit);
  await region.call("consul-2", "reload", { program: "consul" });
  const { consul } = await programs("consul-2");
  expect(consul?.loaded).toEqual(consul?.installed);
});

test("a restart of the Consul agent leaves Patroni and its server alone", async () => {
  const before = await Promise.all(["patroni", "postgres", "consul"].map((name) => processOf(member, name)));
  await region.call(member, "restart", { program: "consul", ...limit });
  const after = await Promise.all(["patroni", "postgres", "consul"].map((name) => processOf(member, name)));
  expect(after.slice(0, 2)).toEqual(before.slice(0, 2));
  expect(after[2]).not.toBe(before[2]);
});

test("a program that is killed comes back, and Patroni takes over the server that it left", async () => {
  const postgres = await processOf(member, "postgres");
  await send("KILL", member, "patroni");
  await send("KILL", proxy, "haproxy");
  await until("both run again", 15, async () => {
    const [of, at] = [(await programs(member)).patroni, (await programs(proxy)).haproxy];
    return [of, at].every((one) => one?.state === "running" && one.restarts === 1);
  });
  expect(await processOf(member, "postgres")).toBe(postgres);
  expect(await within(member, "grep -l '^State:.Z' /proc/[0-9]*/status || true")).toBe("");
  expect(await processesOf(proxy, "haproxy")).toHaveLength(2);
  await region.call(proxy, "awaitBackend", { member, ...limit });
});

test("while Consul hangs, a look takes eight seconds at most and tells the rest", async () => {
  const session = region.session(member);
  try {
    await session.call("observe", {});
    await send("STOP", member, "consul");
    const begun = Date.now();
    const { consul, programs: seen, data, problems } = await session.call("observe", {});
    expect(Date.now() - begun).toBeLessThan(8_000);
    expect(consul).toBeNull();
    expect(seen.patroni?.state).toBe("running");
    expect(data?.state).toBe("ready");
    expect(problems.join()).toContain("consul");
  } finally {
    await send("CONT", member, "consul");
    await session.close();
  }
});

test("a hold stops PostgreSQL too, and outlives the container", async () => {
  await region.call(member, "hold", { program: "patroni", ...limit });
  expect(await processOf(member, "postgres")).toBe("none");
  await docker("restart", region.container(member));
  await until("its agent answers", 10, async () => (await programs(member)).consul?.state === "running");
  expect((await programs(member)).patroni?.state).toBe("held");
  expect(await processOf(member, "patroni")).toBe("none");
  await within(member, "python3 /etc/understudy/agent.py health");
  await expect(region.call(member, "restart", { program: "patroni", ...limit })).rejects.toMatchObject({
    code: "E_HELD",
  });
  await region.call(member, "start", { program: "patroni", ...limit });
  await region.call(member, "awaitLeader", { as: "primary", ...limit });
});

test("a new gossip key is brought into use without a restart", async () => {
  const process = await processOf(server, "consul");
  region.gossipKey = randomBytes(32).toString("base64");
  await Promise.all(["consul-1", "consul-2", "consul-3", member].map((name) => region.install(name)));
  expect(await region.call(server, "useGossipKey", limit)).toEqual({ rotated: true });
  expect(await region.call("consul-2", "useGossipKey", limit)).toEqual({ rotated: false });
  expect(await processOf(server, "consul")).toBe(process);
  const keys = await within(member, "cat /var/lib/understudy/consul/serf/local.keyring");
  expect(JSON.parse(keys)).toEqual([region.gossipKey]);
});

test("Consul joins from a volume with the gossip keys of another membership", async () => {
  await region.call(member, "hold", { program: "consul", ...limit });
  const ring = JSON.stringify([randomBytes(32).toString("base64")]);
  await within(
    member,
    `cd /var/lib/understudy; echo '${ring}' > consul/serf/local.keyring; echo another > state/gossip-member`,
  );
  await region.call(member, "start", { program: "consul", ...limit });
  await region.call(member, "awaitConsul", limit);
  const keys = await within(member, "cat /var/lib/understudy/consul/serf/local.keyring");
  expect(JSON.parse(keys)).toEqual([region.gossipKey]);
});

test("a snapshot is whole, and the server's own", async () => {
  const { path, bytes } = await region.call(server, "snapshot", {});
  expect(Number(await within(server, `stat -c %s ${path}`))).toBe(bytes);
  expect(await within(server, `stat -c %a ${path}`)).toBe("600");
});

test("a server that is removed leaves, and does not come back", async () => {
  await region.call(server, "removeServer", { node: "consul-3", stay: [server, "consul-2"] });
  const { consul } = await region.call(server, "observe", {});
  expect(consul?.peers.map(({ node }) => node).sort()).toEqual(["consul-1", "consul-2"]);
  expect(consul?.members.map(({ node }) => node)).not.toContain("consul-3");
  expect((await programs("consul-3")).consul?.state).toBe("held");
});

test("a container stops its programs in order, and what it leaves can be read beside it", async () => {
  await docker("stop", region.container(member));
  const said = (await docker("logs", region.container(member))).split("\n");
  const of = (text: string) => said.findLastIndex((line) => line.includes(text));
  expect(of("understudy: patroni is stopped")).toBeLessThan(of("understudy: consul is stopped"));
  expect(said.at(-1)).toBe("understudy: stopped");
  const report = await region.callBeside(member, "observe", {});
  expect(report.data?.control?.state).toBe("shut down");
  expect(report.programs.patroni?.state).toBe("stopped");
  await region.callBeside(member, "hold", { program: "patroni", ...limit });
  expect((await region.callBeside(member, "observe", {})).programs.patroni?.state).toBe("held");
  for (const secret of [...Object.values(region.tokens), region.managementToken, region.gossipKey]) {
    expect(said.join("\n")).not.toContain(secret);
  }
});
