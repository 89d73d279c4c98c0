/**
 * What is rendered for Consul, Patroni and HAProxy, read by the programs themselves, and then run. In this ring because
 * its images are built on demand, which takes minutes where Consul has to be compiled.
 */
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { hostLossBoundMs } from "../../components/patroni/timing.ts";
import { docker, dockerWith } from "../node/docker.ts";
import { until } from "../node/pair.ts";
import { ASK_DNS, ASK_REST, acknowledged, WRITER } from "../support/patroniClient.ts";
import { images, PatroniCluster } from "../support/patroniCluster.ts";
import { type Place, timing } from "../support/patroniShape.ts";

const cluster = new PatroniCluster(`test-patroni-${process.pid}`, "10.164.0");
const { servers, nodes, proxy, client, patroniTokens } = cluster.shape;
const [server, node, otherNode] = [servers[0], nodes[0], nodes[1]] as [Place, Place, Place];

const writer = cluster.container(client.name);

beforeAll(async () => {
  for (const name of ["haproxy", "patroni", "consul"]) {
    await promisify(execFile)(process.execPath, ["scripts/image.ts", name]);
  }
  await cluster.prepare();
});

afterAll(() => cluster.remove());

const judge = (options: readonly string[], image: string, ...command: readonly string[]) =>
  docker("run", "--rm", ...options, image, ...command);

describe("the programs themselves", () => {
  test.each([server, node])("consul takes the configuration of $name", async (place) => {
    const said = await judge(
      cluster.consulOptions(place),
      images.consul,
      "consul",
      "validate",
      "/etc/understudy/consul.json",
      "/etc/understudy/secrets.json",
    );
    expect(said).toContain("Configuration is valid!");
    expect(said).not.toMatch(/deprecated/i);
  });

  test("haproxy takes its configuration without a warning", async () => {
    const check = ["sh", "-c", "haproxy -c -V -f /etc/understudy/haproxy.cfg 2>&1"];
    const said = await judge(cluster.proxyOptions(), images.haproxy, ...check);
    expect(said).toContain("Configuration file is valid");
    // It says with a warning each that it took the servers for stopped, as the file says.
    expect(said.match(/is DOWN, changed from server-state after a reload/g)).toHaveLength(2 * nodes.length);
    expect(
      said.split("\n").filter((line) => /WARNING|ALERT/.test(line) && !/server-state/.test(line)),
    ).toEqual([]);
  });
});

describe("a cluster of it", () => {
  beforeAll(async () => {
    await cluster.startConsul();
  });

  test("patroni takes its configuration, and would not take another", async () => {
    const options = cluster.patroniOptions(node);
    const validate = ["patroni", "--validate-config", "/etc/understudy/patroni"];
    await expect(judge(options, images.patroni, ...validate)).resolves.not.toMatch(/error|invalid/i);
    const spoilt =
      "mkdir /tmp/c; sed 's/verify_client: optional/verify_client: maybe/' " +
      "/etc/understudy/patroni/patroni.yml > /tmp/c/patroni.yml; cp /etc/understudy/patroni/b* /tmp/c; patroni --validate-config /tmp/c 2>&1";
    await expect(judge(options, images.patroni, "sh", "-c", spoilt)).rejects.toThrow("restapi.verify_client");
  });

  test("a node's token is refused another scope's keys and another node's sessions", async () => {
    const token = patroniTokens[node.name] ?? "";
    const put = (path: string, body: unknown) => ({ method: "PUT" as const, path, token, body });
    const answers = await cluster.ask([
      put("/v1/kv/service/orders/test", 1),
      put("/v1/kv/service/orders2/test", 1),
      put("/v1/kv/service/other/test", 1),
      put("/v1/session/create", { Node: otherNode.name, TTL: "10s" }),
      { method: "GET", path: "/v1/acl/tokens", token },
      { method: "GET", path: "/v1/kv/service/orders/test", token: "" },
    ]);
    expect(answers.map(([status]) => status)).toEqual([200, 403, 403, 403, 403, 403]);
  });

  test("becomes healthy, takes writes, and takes them again after its leader was killed", async () => {
    const since = (start: number) => `${((Date.now() - start) / 1000).toFixed(1)} s`;
    const started = Date.now();
    await cluster.startPatroni();
    await cluster.startHaproxy();
    await until("three members, two of them streaming", 120, async () => {
      const members = await cluster.members(node);
      return members.filter(({ State }) => State === "streaming").length === 2;
    });
    console.log(`from Consul ready to two replicas streaming: ${since(started)}`);
    const leader = await leaderSeenFrom(node);
    await dockerWith(
      "CREATE ROLE app LOGIN; CREATE TABLE written (number int); GRANT INSERT, SELECT ON written TO app;",
      ...[
        "exec",
        "-i",
        cluster.container(`${leader.name}-patroni`),
        "psql",
        "-XqAt",
        "-v",
        "ON_ERROR_STOP=1",
      ],
    );
    await docker("exec", "-d", writer, "python3", "-c", WRITER, proxy.address);
    await until("the first writes", 20, async () => (await acknowledged(writer)).length > 10);

    await docker("kill", cluster.container(`${leader.name}-patroni`));
    const killed = (await acknowledged(writer)).at(-1)?.number ?? 0;
    const survivor = nodes.find(({ name }) => name !== leader.name) ?? node;
    await until("writes go on", 2 * (hostLossBoundMs(timing) / 1000), async () =>
      (await acknowledged(writer)).some(({ number }) => number > killed + 20),
    );
    const writes = await acknowledged(writer);
    const gapMs = Math.max(...writes.slice(1).map(({ atMs }, index) => atMs - (writes[index]?.atMs ?? atMs)));
    console.log(`longest gap between two acknowledged writes: ${gapMs} ms of ${hostLossBoundMs(timing)} ms`);
    expect(gapMs).toBeLessThan(hostLossBoundMs(timing));
    expect((await leaderSeenFrom(survivor)).name).not.toBe(leader.name);

    await docker("exec", writer, "touch", "/tmp/stop");
    const present = await docker(
      ...["exec", cluster.container(`${(await leaderSeenFrom(survivor)).name}-patroni`)],
      ...["psql", "-XqAt", "-c", "SELECT number FROM written"],
    );
    const numbers = new Set(present.split("\n").map(Number));
    expect((await acknowledged(writer)).filter(({ number }) => !numbers.has(number))).toEqual([]);

    const { address } = await leaderSeenFrom(survivor);
    await until("Consul's DNS has the new leader", 15, async () => {
      const asker = cluster.container(`${survivor.name}-patroni`);
      return (await docker("exec", asker, "python3", "-c", ASK_DNS)) === address;
    });

    const returned = Date.now();
    await docker("start", cluster.container(`${leader.name}-patroni`));
    await until("the old leader follows", 120, async () =>
      (await cluster.members(survivor)).some(
        ({ Member, State }) => Member === leader.name && State === "streaming",
      ),
    );
    console.log(`the old leader streams again after ${since(returned)}`);
  });

  test("an unsafe request without a certificate is refused, a question is answered", async () => {
    const ask = async (method: string, path: string) =>
      docker("exec", writer, "python3", "-c", ASK_REST, method, `https://${node.address}:8008${path}`);
    expect(await ask("GET", "/patroni")).toBe("200");
    expect(await ask("POST", "/restart")).toBe("403");
  });
});

async function leaderSeenFrom(place: Place): Promise<Place> {
  const leader = (await cluster.members(place)).find(({ Role }) => Role === "Leader");
  const found = nodes.find(({ name }) => name === leader?.Member);
  if (found === undefined) throw new Error(`seen from ${place.name}, nobody leads`);
  return found;
}
