/**
 * Clients behind PgBouncer while somebody else takes over: inside a `describe` whose stack is up, with
 * `database.pooling`. Leaves the stack as it found it, but for who leads.
 */
import { expect, test } from "vitest";
import type { PoolerFacts } from "../../components/regions/facts.ts";
import { clientFor } from "../support/client.ts";
import { monotonicMs } from "../support/ledgerHistory.ts";
import { eventually } from "../support/nodes.ts";
import { activeProxy, PooledClients, pooledTarget } from "../support/pooledClients.ts";
import { executedSteps } from "../support/printed.ts";
import type { RegionStack } from "../support/regionStack.ts";

export function regionPooling(regions: RegionStack): void {
  const proxy = () => activeProxy(regions);
  const start = () => PooledClients.start(regions.access, pooledTarget(proxy()), 4);

  async function pooler(): Promise<PoolerFacts> {
    const { pooler } = await regions.call(proxy().name, "observe", {});
    if (!pooler) throw new Error("PgBouncer does not answer");
    return pooler;
  }

  test("another leader takes over as it is told to, and pooled clients see nothing but a pause", async () => {
    const next = await regions.syncStandby();
    const clients = await start();
    regions.stack.config.deployment.regions[regions.active]["leader"] = next;
    const text = await regions.succeed("--skip-preview");
    delete regions.stack.config.deployment.regions[regions.active]["leader"];
    const account = await clients.stop();
    console.log(`pooled, a planned switchover: ${JSON.stringify(account)}`);
    const steps = executedSteps(text).map(({ description }) => description);
    expect(steps.join("\n")).toMatch(/hold back the pooled clients[\s\S]*switch over[\s\S]*go on/);
    expect(account.errors).toEqual([]);
    expect(account.longestGapMs).toBeLessThan(10_000);
    expect(await regions.leader()).toBe(next);
    expect((await pooler()).paused).toBeNull();
    await regions.succeed("--skip-preview");
  });

  test("a pause that nobody ends is over when its time is", async () => {
    const clients = await start();
    await eventually(10, "they write", async () => clients.acknowledged > 20 || undefined);
    const began = monotonicMs();
    // Whoever asked is gone with the end of this conversation.
    await regions.call(proxy().name, "pauseClients", { ttlSeconds: 5, drainSeconds: 2 });
    const before = clients.acknowledged;
    const { paused, clients: held } = await pooler();
    expect(paused?.resumesInMs).toBeGreaterThan(0);
    expect(held.waiting).toBeGreaterThanOrEqual(4);
    expect(clients.acknowledged).toBe(before);
    await eventually(10, "they go on", async () => clients.acknowledged > before || undefined);
    expect(monotonicMs() - began).toBeGreaterThan(4_500);
    expect(monotonicMs() - began).toBeLessThan(8_000);
    const account = await clients.stop();
    console.log(`pooled, a pause that nobody ended: ${JSON.stringify(account)}`);
    expect(account.errors).toEqual([]);
  });

  test("a transaction that does not end is not cut off, and nobody else waits for it", async () => {
    const client = clientFor(regions.access, pooledTarget(proxy()));
    await client.connect();
    await client.query("BEGIN");
    await client.query("SELECT pg_current_xact_id()");
    const clients = await start();
    await expect(
      regions.call(proxy().name, "pauseClients", { ttlSeconds: 5, drainSeconds: 1 }),
    ).rejects.toMatchObject({ code: "E_CLIENTS_BUSY" });
    expect((await pooler()).paused).toBeNull();
    await client.query("COMMIT");
    await client.end();
    expect((await clients.stop()).errors).toEqual([]);
  });

  test("a PgBouncer that is started anew holds nobody back", async () => {
    await regions.call(proxy().name, "pauseClients", { ttlSeconds: 60, drainSeconds: 2 });
    await regions.call(proxy().name, "restart", { program: "pgbouncer", timeoutSeconds: 30 });
    expect((await pooler()).paused).toBeNull();
    const clients = await start();
    await eventually(10, "they write", async () => clients.acknowledged > 20 || undefined);
    expect((await clients.stop()).errors).toEqual([]);
  });
}
