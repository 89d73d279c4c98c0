/**
 * The machine of an old primary comes up again, and nobody could write a fence to its disk before its successor was
 * promoted. In sight of the successor it does not lead. Out of its sight it cannot know, and the policy decides.
 */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Synchronous } from "../../components/spec/model.ts";
import { docker } from "../node/docker.ts";
import { limit, Pair, type TestNode, until } from "../node/pair.ts";

const insert = "INSERT INTO public.t VALUES (1) RETURNING 'written'";
const degradeAfterSeconds = 2;

describe.each<Synchronous>(["strict", "available"])("an old primary under %s", (synchronous) => {
  let pair: Pair;
  let a: TestNode;
  let b: TestNode;

  beforeAll(async () => {
    pair = await Pair.create({ synchronous, degradeAfterSeconds, prefix: "fen" });
    ({ a, b } = pair);
    await pair.bringUp();
    await pair.addApplication();
    await a.clientSql(insert);
    await a.close();
    await docker("kill", a.container);
    const at = new Date().toISOString();
    const change = { mode: "failover", from: a.name, to: b.name, at, statementAt: at } as const;
    await b.call("promote", { change, alone: true, ...limit });
    expect(await b.clientSql(insert)).toBe("written");
  });
  afterAll(async () => {
    await pair?.remove();
  });

  const reboot = async () => {
    await a.close();
    await docker("restart", "--time", "0", a.container);
  };
  const held = () =>
    until("it is held", 15, async () => {
      const { server } = await a.observe();
      return server.state === "held" && server;
    });

  it("does not lead after a reboot, nor after the next, while its successor is in sight", async () => {
    const starts = async () => (await a.logs()).split("ready to accept connections").length;
    const before = await starts();
    for (let boot = 0; boot < 2; boot++) {
      await reboot();
      expect((await held()).reason).toMatch(/superseded by site-b, which leads on timeline 2/);
      await expect(a.clientSql(insert)).rejects.toThrow();
    }
    expect(await starts(), "its server was never started").toBe(before);
  });

  it("comes up out of its successor's sight, and takes writes only where the policy has none wait", async () => {
    await docker("pause", b.container);
    await reboot();
    await until("it runs", 20, async () => (await a.observe()).server.sql?.inRecovery === false);
    if (synchronous === "strict") {
      // As long as nobody confirms what it had, no client is let in.
      const end = performance.now() + (degradeAfterSeconds + 3) * 1000;
      while (performance.now() < end) {
        await expect(a.clientSql(insert)).rejects.toThrow(/no pg_hba.conf entry|rejects connection/);
      }
      expect((await a.observe()).server.sql?.clientsAdmitted).toBe(false);
    } else {
      // This is what a site's power switch that stays off, or strict, is for.
      expect(await a.clientSql(insert, 8)).toBe("written");
      expect((await a.observe()).degraded).not.toBeNull();
    }
  });

  it("stops as soon as it sees its successor, and a fenced one stays a standby through every reboot", async () => {
    await docker("unpause", b.container);
    expect((await held()).reason).toContain("superseded by site-b");
    await a.call("follow", { from: b.name });
    await docker("pause", b.container);
    for (let boot = 0; boot < 2; boot++) {
      await reboot();
      await until("it is a standby", 20, async () => (await a.observe()).server.sql?.inRecovery === true);
      await expect(a.clientSql(insert)).rejects.toThrow(/read-only/);
    }
    await docker("unpause", b.container);
  });
});
