/**
 * The synchronous standby is slow, or stands still: row 20 of the acceptance matrix. What is acknowledged is on it or on
 * whoever took its place, and nobody fails over because of it. A slow disk is not among the ways: what PostgreSQL writes
 * is written back by the kernel, which in cgroups of version 1 is on nobody's account.
 */
import { afterEach, describe, expect, test } from "vitest";
import { canDelay, Faults } from "../support/faults.ts";
import { monotonicMs, summary, type Verdict } from "../support/ledgerHistory.ts";
import { eventually, sql } from "../support/nodes.ts";
import { killPostmaster } from "../support/processes.ts";
import type { RegionStack } from "../support/regionStack.ts";
import { docker } from "../support/stack.ts";

/** Of the profile `fast`: the lock's time, and what Consul and a loaded machine add to it. */
const failoverLimitMs = 40_000;
/**
 * Of the leader's PostgreSQL, where a member has to be rewound before anything can be acknowledged. The old leader and the
 * other region's are rewound at the same time: on two cores this took 4 to 11 s.
 */
const crashLimitMs = 20_000;
/** Until the leader's server gives up a receiver that says nothing, and Patroni has named another member. */
const replacedLimitMs = 20_000;

export function regionStandby(regions: RegionStack): void {
  const faults = new Faults();

  afterEach(async ({ task }) => {
    await faults.healAll();
    regions.endLedgers();
    if (task.result?.state === "fail") await regions.recover();
  });

  const at = (host: string) => regions.container(host);

  function say(what: string, verdict: Verdict): void {
    console.log(`${what}: ${summary(verdict)}; longest pause ${(verdict.longestGapMs / 1000).toFixed(1)} s`);
  }

  describe("(20) a slow synchronous standby loses nothing", () => {
    test("200 ms away", async ({ skip }) => {
      skip(!(await canDelay()), "this kernel has no nfnetlink_queue");
      const verdict = await whileSlow((container) => faults.delay(container, 200), "a standby 200 ms away");
      expect(verdict.changes).toEqual([]);
    });

    test("behind a line that is narrow and full", async () => {
      const narrow = ["tbf", "rate", "256kbit", "burst", "2kb", "latency", "300ms"];
      const verdict = await whileSlow(
        (container) => faults.slow(container, ...narrow),
        "a standby behind 256 kbit/s",
      );
      expect(verdict.changes).toEqual([]);
    });

    async function whileSlow(slow: (container: string) => Promise<unknown>, what: string): Promise<Verdict> {
      const ledger = await regions.startLedger();
      await slow(at(await regions.syncStandby()));
      await ledger.acknowledgedAfter(monotonicMs() + 20_000);
      await faults.healAll();
      const verdict = await regions.judge(ledger);
      say(what, verdict);
      return verdict;
    }

    test("it receives nothing more, and another member takes its place", async () => {
      const [leader, sync] = [await regions.leader(), await regions.syncStandby()];
      const ledger = await regions.startLedger();
      const receiver = await sql(
        at(sync),
        "SELECT pid FROM pg_stat_activity WHERE backend_type = 'walreceiver'",
      );
      expect(receiver).toMatch(/^\d+$/);
      const stopped = monotonicMs();
      await docker("exec", at(sync), "kill", "-STOP", receiver);
      try {
        await ledger.acknowledgedAfter(stopped + 2000);
        const replaced = (await ledger.progress()).lastAckAt - stopped;
        console.log(`writes go on ${(replaced / 1000).toFixed(1)} s after the receiver stood still`);
        // PostgreSQL waits for the next one before Patroni has written down whom.
        const next = await regions.syncStandby();
        expect(next).not.toBe(sync);
      } finally {
        await docker("exec", at(sync), "kill", "-CONT", receiver).catch(() => undefined);
      }
      const verdict = await regions.judge(ledger);
      say("a standby that receives nothing", verdict);
      expect(verdict.changes).toEqual([]);
      expect(await regions.leader()).toBe(leader);
      expect(verdict.longestGapMs).toBeLessThan(replacedLimitMs);
    });

    test("the third has received more than it when the leader crashes: that one is rewound, and writes go on", async () => {
      const sync = await regions.syncStandby();
      const members = regions.members(regions.active);
      const leads = await regions.leader();
      const [leader, third] = [
        members.find(({ name }) => name === leads),
        members.find(({ name }) => name !== leads && name !== sync),
      ];
      if (!leader || !third) throw new Error("there are not three members");
      const ledger = await regions.startLedger();
      await ledger.acknowledgedAfter();
      // Commits wait for it from now on, and the third receives them.
      const heal = await faults.cut(at(sync), [leader.address], "both", leader.port);
      await eventually(5, `${third.name} has more than ${sync}`, async () => {
        const [ahead = 0, behind = 0] = await Promise.all([third.name, sync].map(received));
        return ahead > behind || undefined;
      });
      await killPostmaster(at(leader.name));
      const began = monotonicMs();
      await eventually(20, `${sync} leads`, async () => (await regions.leader()) === sync || undefined);
      await heal();
      await ledger.acknowledgedAfter(began + 500, 60);
      const verdict = await regions.judge(ledger);
      say("a third that has more than whoever takes over", verdict);
      expect(verdict.changes).toHaveLength(1);
      expect(verdict.longestGapMs).toBeLessThan(crashLimitMs);
    });

    /** Bytes of WAL. */
    async function received(host: string): Promise<number> {
      const lsn = "SELECT pg_wal_lsn_diff(pg_last_wal_receive_lsn(), '0/0')";
      return Number(await sql(at(host), lsn));
    }

    test("its replay stands still, and it takes over nevertheless without loss", async () => {
      const [leader, sync] = [await regions.leader(), await regions.syncStandby()];
      const ledger = await regions.startLedger();
      await sql(at(sync), "SELECT pg_wal_replay_pause()");
      await ledger.acknowledgedAfter(monotonicMs() + 5000);
      const began = monotonicMs();
      await faults.kill(at(leader));
      await ledger.acknowledgedAfter(began + 1000, 120);
      await docker("start", at(leader));
      const verdict = await regions.judge(ledger);
      say("a standby that does not replay takes over", verdict);
      expect(verdict.changes).toHaveLength(1);
      expect(verdict.longestGapMs).toBeLessThan(failoverLimitMs);
    });
  });
}
