/**
 * A primary that an operator promoted without a standby serves alone, also after a reboot out of everybody's sight. Once a
 * standby has followed it, another failover may have moved the role while it was down: under `strict` it lets nobody in then.
 */
import { afterAll, beforeAll, expect, it } from "vitest";
import { docker } from "../node/docker.ts";
import { limit, Pair, type TestNode, until } from "../node/pair.ts";

const insert = "INSERT INTO public.t VALUES (1) RETURNING 'written'";
let pair: Pair;
let a: TestNode;
let b: TestNode;

beforeAll(async () => {
  pair = await Pair.create({ synchronous: "strict", prefix: "sup" });
  ({ a, b } = pair);
  await pair.bringUp();
  await pair.addApplication();
  await kill(a);
  await failover(a, b);
});
afterAll(async () => {
  await pair?.remove();
});

async function kill(node: TestNode): Promise<void> {
  await node.close();
  await docker("kill", node.container);
}

async function boot(node: TestNode): Promise<void> {
  await node.close();
  await docker("restart", "--time", "0", node.container);
}

async function failover(from: TestNode, to: TestNode): Promise<void> {
  const at = new Date().toISOString();
  const change = { mode: "failover", from: from.name, to: to.name, at, statementAt: at } as const;
  await to.call("promote", { change, alone: true, ...limit });
  expect(await to.clientSql(insert)).toBe("written");
}

const leads = (node: TestNode) =>
  until(`${node.name} leads`, 20, async () => (await node.observe()).server.sql?.inRecovery === false);

it("serves alone after a reboot, as long as nobody has followed it", async () => {
  await boot(b);
  await leads(b);
  expect(await b.clientSql(insert)).toBe("written");
});

it("lets nobody in after a reboot out of sight, when a standby that had followed it leads by now", async () => {
  await boot(a);
  await until("it is held", 15, async () => (await a.observe()).server.state === "held");
  await a.call("rewind", { from: b.name });
  await b.call("slots", { ensure: [a.slot], drop: [] });
  // As on a busy node whose checkpoint takes long: until it ends, the marker of the time alone stays.
  await b.exec("sh", "-c", "kill -STOP $(pgrep -f 'postgres: .*[c]heckpointer')");
  await a.call("start", limit);
  await until("it streams", 20, async () => {
    return (await a.observe()).server.sql?.walReceiver?.status === "streaming";
  });
  await until("it is noted", 20, async () =>
    (await b.exec("cat", "/var/lib/understudy/state/degraded.json")).includes('"followed": true'),
  );
  await kill(b);
  await failover(b, a);

  await docker("pause", a.container);
  await boot(b);
  await leads(b);
  const end = performance.now() + 4_000;
  while (performance.now() < end) {
    await expect(b.clientSql("SELECT 1")).rejects.toThrow(/no pg_hba.conf entry|rejects connection/);
  }
  expect((await b.observe()).server.sql?.clientsAdmitted).toBe(false);
  await docker("unpause", a.container);
  const held = await until("it is held", 20, async () => {
    const { server } = await b.observe();
    return server.state === "held" && server;
  });
  expect(held.reason).toContain("superseded by site-a");
});
