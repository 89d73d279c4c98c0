/**
 * HAProxy is killed and reloaded while a member takes over, with clients through the proxies of both regions: row 22 of
 * the acceptance matrix. Nobody writes to a replica, and a session to the old primary does not outlive it by long.
 */
import type pg from "pg";
import { afterEach, describe, expect, test } from "vitest";
import { timingProfiles } from "../../components/patroni/timing.ts";
import { clientFor, type Target } from "../support/client.ts";
import { Faults } from "../support/faults.ts";
import { Ledger } from "../support/ledger.ts";
import { monotonicMs, summary } from "../support/ledgerHistory.ts";
import { eventually } from "../support/nodes.ts";
import { processesOf, signal } from "../support/processes.ts";
import type { RegionStack } from "../support/regionStack.ts";
import { docker } from "../support/stack.ts";

const { intervalMs, fastIntervalMs, timeoutMs, fall } = timingProfiles.fast.haproxy;
/** A check has just begun, all that it takes fail by their timeout; a second more for whatever else this machine does. */
const cutLimitMs = intervalMs + fall * timeoutMs + (fall - 1) * fastIntervalMs + 1000;
const failoverLimitMs = 30_000;

export function regionProxies(regions: RegionStack): void {
  const faults = new Faults();
  const clients: pg.Client[] = [];

  afterEach(async ({ task }) => {
    await faults.healAll();
    regions.endLedgers();
    for (const client of clients.splice(0)) client.end().catch(() => undefined);
    if (task.result?.state === "fail") await regions.recover();
  });

  const at = (host: string) => regions.container(host);
  const seconds = (ms: number) => `${(ms / 1000).toFixed(1)} s`;

  /** A session that says nothing, and when it ended. */
  async function session(target: Target): Promise<{ readonly endedAt: Promise<number> }> {
    const client = clientFor(regions.access, target);
    clients.push(client);
    const endedAt = new Promise<number>((resolve) => {
      client.on("error", () => resolve(monotonicMs()));
      client.on("end", () => resolve(monotonicMs()));
    });
    await client.connect();
    return { endedAt };
  }

  describe("(22) clients through two proxies while a member takes over", () => {
    test("sessions to the old primary are cut, also those that a reload has left behind", async () => {
      const [own, other] = proxies();
      const left = await Promise.all(regions.access.targets.map(session));
      for (const proxy of [own, other]) await regions.call(proxy, "reload", { program: "haproxy" });
      const fresh = await Promise.all(regions.access.targets.map(session));
      const leader = await regions.leader();
      const killed = monotonicMs();
      await faults.kill(at(leader));
      const untilCut = async (sessions: typeof left) =>
        await Promise.all(
          sessions.map(async ({ endedAt }) => (await Promise.race([endedAt, never(30_000)])) - killed),
        );
      const [ofLeft, ofFresh] = [await untilCut(left), await untilCut(fresh)];
      console.log(
        `sessions to the old primary ended after ${ofFresh.map(seconds)}; from before a reload ${ofLeft.map(seconds)}`,
      );
      await docker("start", at(leader));
      await regions.settled(120);
      expect(Math.max(...ofFresh)).toBeLessThan(cutLimitMs);
      expect(Math.max(...ofLeft)).toBeLessThan(cutLimitMs);
    });

    test("one is killed again and again, the other reloaded: no write port leads to a replica", async () => {
      const [leader, [own, other]] = [await regions.leader(), proxies()];
      const { access } = regions;
      const near = await regions.startLedger({ writers: 4 });
      const far = await Ledger.start(
        { ...access, targets: [...access.targets].reverse() },
        { writers: 4, keepTable: true },
      );
      try {
        const watch = watchWritePorts();
        const began = monotonicMs();
        await faults.kill(at(leader));
        for (let round = 0; round < 3; round++) {
          const [old] = await processesOf(at(own), "haproxy");
          await signal(at(own), "haproxy", "KILL");
          await regions.call(other, "reload", { program: "haproxy" });
          await eventually(20, "HAProxy runs again", async () => {
            const [now] = await processesOf(at(own), "haproxy");
            return (now !== undefined && now !== old) || undefined;
          });
        }
        await near.acknowledgedAfter(began + 5000, 90);
        await far.acknowledgedAfter(began + 5000, 90);
        await docker("start", at(leader));
        const { asked, replicas } = await watch.end();
        const histories = [await near.stop(), await far.stop()];
        const verdict = await regions.judge({ writes: histories.flatMap(({ writes }) => writes) });
        console.log(
          `HAProxy killed and reloaded in a failover: ${summary(verdict)}; longest pause ${seconds(verdict.longestGapMs)}; ${asked} new sessions, ${replicas.length} of them on a replica`,
        );
        expect(asked).toBeGreaterThan(10);
        expect(replicas).toEqual([]);
        expect(verdict.changes).toHaveLength(1);
        expect(verdict.longestGapMs).toBeLessThan(failoverLimitMs);
      } finally {
        far.kill();
      }
    });
  });

  function proxies(): [own: string, other: string] {
    const first = (region: string) =>
      regions.wish.regions.find(({ name }) => name === region)?.proxies[0]?.name ?? "";
    return [first(regions.active), first(regions.standby)];
  }

  /** Asks whoever answers at the write ports, in new sessions without an end, whether it is a replica. */
  function watchWritePorts() {
    let ended = false;
    let asked = 0;
    const replicas: string[] = [];
    const ask = async (target: Target): Promise<void> => {
      while (!ended) {
        const client = clientFor(regions.access, target);
        client.on("error", () => undefined);
        try {
          await client.connect();
          const { rows } = await client.query(
            "SELECT pg_is_in_recovery() AS replica, inet_server_addr() AS at",
          );
          asked++;
          if (rows[0]?.replica) replicas.push(`${target.host}: ${rows[0].at}`);
        } catch {
          // Nobody leads, or the proxy is down.
        }
        await client.end().catch(() => undefined);
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    };
    const all = regions.access.targets.map(ask);
    return {
      end: async () => {
        ended = true;
        await Promise.all(all);
        return { asked, replicas };
      },
    };
  }
}

async function never(ms: number): Promise<number> {
  await new Promise((resolve) => setTimeout(resolve, ms));
  return Number.POSITIVE_INFINITY;
}
