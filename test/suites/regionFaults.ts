/**
 * What a region survives by itself, and what it must not do: rows 17, 18 and 21 of the acceptance matrix, each
 * with a ledger of acknowledged writes. The numbers in brackets are the rows.
 */
import { afterEach, describe, expect, test } from "vitest";
import { Faults } from "../support/faults.ts";
import { monotonicMs, summary, type Verdict } from "../support/ledgerHistory.ts";
import { eventually, sql } from "../support/nodes.ts";
import { processesOf, signal } from "../support/processes.ts";
import type { RegionStack } from "../support/regionStack.ts";
import { docker } from "../support/stack.ts";

/** Of the profile `fast`: the lock's time and what Consul adds to it. */
const ttlMs = 20_000;
const failoverLimitMs = ttlMs + 10_000;
/** Where Consul's leading server is cut off as well: who is elected next counts every session's time anew. */
const withElectionLimitMs = 2 * ttlMs + 10_000;

export function regionFaults(regions: RegionStack): void {
  const faults = new Faults();

  afterEach(async ({ task }) => {
    await faults.healAll();
    regions.endLedgers();
    if (task.result?.state === "fail") await regions.recover();
  });

  function say(what: string, verdict: Verdict): void {
    console.log(`${what}: ${summary(verdict)}; longest pause ${(verdict.longestGapMs / 1000).toFixed(1)} s`);
  }

  const at = (host: string) => regions.container(host);
  /** Addresses of the hosts that are neither proxies nor among these. */
  const elsewhere = (...these: readonly string[]) => {
    const proxies = regions.wish.regions.flatMap((region) => region.proxies.map(({ name }) => name));
    const others = regions.hosts().filter(({ name }) => !these.includes(name) && !proxies.includes(name));
    return others.map(({ address }) => address);
  };

  describe("(17) a partition deposes the leader, which acknowledges nothing from then on", () => {
    const withServer = "the leader with one of three Consul servers";
    const shapes = {
      "the leader alone": async (leader: string) => {
        await faults.cut(at(leader), elsewhere(leader));
      },
      [withServer]: async (leader: string) => {
        const [server] = regions.servers(regions.active);
        const together = [leader, server?.name ?? ""];
        for (const host of together) await faults.cut(at(host), elsewhere(...together));
      },
      "the leader hears, and is not heard": async (leader: string) => {
        await faults.cut(at(leader), elsewhere(leader), "out");
      },
    };

    // The proxies reach both sides, so a client could still write to the old leader if that let it.
    test.each(Object.entries(shapes))("%s", async (what, cut) => {
      const limitMs = cut === shapes[withServer] ? withElectionLimitMs : failoverLimitMs;
      const leader = await regions.leader();
      const ledger = await regions.startLedger();
      const began = monotonicMs();
      await cut(leader);
      await ledger.acknowledgedAfter(began + 3000, 90);
      await eventually(60, "the old leader takes no writes", async () => {
        const state = await sql(at(leader), "SELECT pg_is_in_recovery()").catch(() => "down");
        return state !== "f" || undefined;
      });
      console.log(`${what}: the old leader is none after ${((monotonicMs() - began) / 1000).toFixed(1)} s`);
      await faults.healAll();
      const verdict = await regions.judge(ledger);
      say(what, verdict);
      expect(verdict.changes).toHaveLength(1);
      expect(verdict.longestGapMs).toBeLessThan(limitMs);
    });
  });

  describe("(18) Consul's servers go, and writes go on", () => {
    test("one of three, three times, the leading one first: nobody fails over", async () => {
      const { before, ledger } = await beforehand();
      for (let round = 0; round < 3; round++) {
        const servers = regions.servers(regions.active).map(({ name }) => name);
        const first = await leadingServer();
        const victim = round === 0 ? first : (servers.filter((name) => name !== first)[round - 1] ?? first);
        await faults.kill(at(victim));
        await ledger.acknowledgedAfter(monotonicMs() + 15_000, 60);
        await docker("start", at(victim));
        await regions.call(victim, "awaitVoters", { expected: 3, timeoutSeconds: 90 });
      }
      await unmoved("one of three Consul servers", before, ledger, 5000);
    });

    test("two of three for a minute, then all of them for five", async () => {
      const { before, ledger } = await beforehand();
      const [first = "", ...others] = regions.servers(regions.active).map(({ name }) => at(name));
      await Promise.all(others.map((container) => faults.kill(container)));
      await ledger.acknowledgedAfter(monotonicMs() + 60_000, 120);
      await faults.kill(first);
      await ledger.acknowledgedAfter(monotonicMs() + 300_000, 400);
      await docker("start", first, ...others);
      await regions.call(regions.servers(regions.active)[0]?.name ?? "", "awaitVoters", {
        expected: 3,
        timeoutSeconds: 90,
      });
      await unmoved("all Consul servers", before, ledger, 12_000);
    });

    test("their leader is killed again and again", async () => {
      const { before, ledger } = await beforehand();
      for (let round = 0; round < 5; round++) {
        const leading = await leadingServer();
        const killed = await signal(at(leading), "consul", "KILL");
        // It is back before an election with split votes ends, and may win it.
        await eventually(60, "one leads by another election", async () => {
          const now = await leadingServer();
          const [process] = await processesOf(at(now), "consul");
          return now !== leading || process !== killed || undefined;
        });
      }
      await unmoved("an election storm", before, ledger, 12_000);
    });

    async function beforehand() {
      const before = { leader: await regions.leader(), ended: await regions.failovers(regions.active) };
      return { before, ledger: await regions.startLedger({ writers: 4 }) };
    }

    async function unmoved(
      what: string,
      before: Awaited<ReturnType<typeof beforehand>>["before"],
      ledger: Awaited<ReturnType<typeof beforehand>>["ledger"],
      limitMs: number,
    ): Promise<void> {
      const verdict = await regions.judge(ledger);
      say(what, verdict);
      const leader = await eventually(20, "somebody has the leader's key", () => regions.leader());
      expect(leader).toBe(before.leader);
      expect(await regions.failovers(regions.active)).toEqual(before.ended);
      expect(verdict.changes).toEqual([]);
      expect(verdict.longestGapMs).toBeLessThan(limitMs);
    }

    async function leadingServer(): Promise<string> {
      const asked = regions.servers(regions.active).map(async ({ name }) => {
        const { consul } = await regions.call(name, "observe", {});
        const leading = consul?.peers.find(({ leader }) => leader);
        if (!leading) throw new Error(`${name} knows of no leader`);
        return leading.node;
      });
      return await Promise.any(asked);
    }
  });

  test("(21) leader and synchronous standby are lost at once: the third never takes over", async () => {
    const [leader, sync] = [await regions.leader(), await regions.syncStandby()];
    const third = regions.members(regions.active).find(({ name }) => name !== leader && name !== sync);
    if (!third) throw new Error("there is no third member");
    const ledger = await regions.startLedger();
    await Promise.all([leader, sync].map((name) => faults.kill(at(name))));
    const lost = monotonicMs() + 1000;
    while (monotonicMs() - lost < 60_000) {
      expect(await sql(at(third.name), "SELECT pg_is_in_recovery()")).toBe("t");
      await new Promise((resolve) => setTimeout(resolve, 1000));
    }
    expect((await ledger.progress()).lastAckAt).toBeLessThan(lost);
    const back = monotonicMs();
    await docker("start", at(sync));
    await ledger.acknowledgedAfter(back, 120);
    console.log(
      `writes go on ${((monotonicMs() - back) / 1000).toFixed(1)} s after the synchronous standby came back`,
    );
    await docker("start", at(leader));
    const verdict = await regions.judge(ledger);
    say("leader and synchronous standby lost", verdict);
    const served = regions.addressesOf([leader, sync]);
    expect(served).toEqual(expect.arrayContaining(verdict.reigns.map(({ server }) => server)));
  });
}
