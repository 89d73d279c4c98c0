/**
 * A clock is wrong: row 26 of the acceptance matrix. No data depends on it and nobody fails over because of it; a planned
 * change of roles is refused, and what TLS says of certificates names the clock.
 */
import { afterEach, describe, expect, test } from "vitest";
import { Faults } from "../support/faults.ts";
import type { Ledger, LedgerOptions } from "../support/ledger.ts";
import { monotonicMs, summary, type Verdict } from "../support/ledgerHistory.ts";
import { eventually, sql } from "../support/nodes.ts";
import type { PairStack } from "../support/pairStack.ts";
import type { RegionStack } from "../support/regionStack.ts";
import { docker, refused } from "../support/stack.ts";

const shifts = [300, -300];
const loadMs = 20_000;
/** PostgreSQL ends what has been silent for `wal_sender_timeout` by the clock, so a step costs a connection. */
const gapLimitMs = 15_000;
const hour = 3600;
/** What the machine's load may add. */
const lateSeconds = 3;

/** A pair, or regions. */
interface Subject {
  startLedger(options?: LedgerOptions): Promise<Ledger>;
  judge(ledger: Ledger): Promise<Verdict>;
}

/** Seconds ahead of ours, as a program has it that is started there now. */
async function aheadSeconds(container: string): Promise<number> {
  return Math.round(Number(await docker("exec", container, "date", "+%s.%N")) - Date.now() / 1000);
}

/** Writes go on before, while and after the clocks of these containers are wrong, at the same server. */
async function underLoad(subject: Subject, faults: Faults, hosts: readonly string[], seconds: number) {
  const ledger = await subject.startLedger();
  await ledger.acknowledgedAfter(monotonicMs() + 2000);
  for (const host of hosts) await faults.clock(host, seconds);
  await ledger.acknowledgedAfter(monotonicMs() + loadMs, 90);
  for (const host of hosts) expect(Math.abs((await aheadSeconds(host)) - seconds)).toBeLessThan(lateSeconds);
  await faults.healAll();
  await ledger.acknowledgedAfter(monotonicMs() + 5000, 60);
  const verdict = await subject.judge(ledger);
  const gap = (verdict.longestGapMs / 1000).toFixed(1);
  console.log(`clocks of ${hosts.join(", ")} by ${seconds} s: ${summary(verdict)}; longest pause ${gap} s`);
  expect(verdict.changes).toEqual([]);
  expect(verdict.longestGapMs).toBeLessThan(gapLimitMs);
}

/** A certificate that is younger than a clock is behind is not valid yet by that clock, which is another test. */
async function olderThan(seconds: number, notBefore: string | undefined): Promise<void> {
  const begin = Date.parse(notBefore ?? "");
  expect(begin).not.toBeNaN();
  await eventually(seconds + 60, "the certificates are old enough", async () => {
    return Date.now() - begin > (seconds + 10) * 1000 || undefined;
  });
}

export function pairClocks(pair: PairStack): void {
  const faults = new Faults();
  const ofNode = async (name: string) => {
    const facts = (await pair.observe()).nodes[name];
    if (facts?.reach !== "up") throw new Error(`${name} is ${facts?.reach}`);
    return facts.report;
  };

  afterEach(async ({ task }) => {
    await faults.healAll();
    pair.endLedgers();
    if (task.result?.state === "fail") await pair.recover();
  });

  describe("(26) a clock is wrong", () => {
    test.each(shifts)("by %i s, of the primary and of its standby: nothing happens", async (seconds) => {
      if (seconds < 0) await olderThan(-seconds, (await ofNode(pair.active)).certificate?.notBefore);
      for (const site of [pair.active, pair.standby])
        await underLoad(pair, faults, [pair.container(site)], seconds);
      await pair.expectNoChanges();
    });

    test("a switchover is refused, and nothing is touched", async () => {
      const [old, next] = [pair.active, pair.standby];
      await faults.clock(pair.container(next), 300);
      pair.stack.config.active = next;
      try {
        const text = await refused(pair.up("--skip-preview"), "E_CLOCK");
        expect(text).toMatch(new RegExp(`${next} says \\S+ \\((299|30\\d)\\.\\d s ahead\\)`));
      } finally {
        pair.stack.config.active = old;
      }
      expect(await sql(pair.container(old), "SELECT pg_is_in_recovery()")).toBe("f");
      await faults.healAll();
      await pair.settled();
      await pair.expectNoChanges();
    });

    test("a time at which its certificate is not valid yet is refused as a clock's error", async () => {
      const node = pair.standby;
      const { certificate } = await ofNode(node);
      const back = Math.round((Date.now() - Date.parse(certificate?.notBefore ?? "")) / 1000) + hour;
      await faults.clock(pair.container(node), -back);
      const text = await refused(pair.up("--skip-preview"), "E_CLOCK");
      expect(text).toMatch(new RegExp(`${node} says .* before its certificate begins`));
      await faults.healAll();
      await pair.settled();
      await pair.expectNoChanges();
    });
  });
}

export function regionClocks(regions: RegionStack): void {
  const faults = new Faults();
  const ofHost = async (name: string) => {
    const facts = (await regions.observe()).hosts[name];
    if (facts?.reach !== "up") throw new Error(`${name} is ${facts?.reach}`);
    return facts.report;
  };

  afterEach(async ({ task }) => {
    await faults.healAll();
    regions.endLedgers();
    if (task.result?.state === "fail") await regions.recover();
  });

  /** Nobody hands over, and nobody's lock ends. */
  async function unmoved(hosts: readonly string[], seconds: number): Promise<void> {
    const before = { leader: await regions.leader(), ended: await regions.failovers(regions.active) };
    await underLoad(
      regions,
      faults,
      hosts.map((host) => regions.container(host)),
      seconds,
    );
    const after = { leader: await regions.leader(), ended: await regions.failovers(regions.active) };
    expect(after).toEqual(before);
  }

  describe("(26) a clock is wrong", () => {
    test.each(shifts)("by %i s, the leader's: it goes on leading", async (seconds) => {
      const leader = await regions.leader();
      if (seconds < 0) await olderThan(-seconds, (await ofHost(leader)).certificate?.notBefore);
      await unmoved([leader], seconds);
    });

    test.each(shifts)("by %i s, the synchronous standby's: nobody notices", async (seconds) => {
      await unmoved([await regions.syncStandby()], seconds);
    });

    // Raft's and the sessions' timers are Go's, which count on; what is read off the time of day is for people.
    test("by an hour, on all servers of Consul: no lock ends", async () => {
      await unmoved(
        regions.servers(regions.active).map(({ name }) => name),
        hour,
      );
    });

    test("a change of the leader and one of the region are refused, and nothing is touched", async () => {
      const [region, leader, sync] = [regions.active, await regions.leader(), await regions.syncStandby()];
      const before = await regions.incarnations();
      await faults.clock(regions.container(sync), 300);
      const said = new RegExp(`${sync} says \\S+ \\((299|30\\d)\\.\\d s ahead\\)`);
      const written = regions.stack.config.deployment.regions[region] as Record<string, unknown>;
      written["leader"] = sync;
      expect(await refused(regions.up("--skip-preview"), "E_CLOCK")).toMatch(said);
      written["leader"] = leader;
      regions.stack.config.active = regions.standby;
      expect(await refused(regions.up("--skip-preview"), "E_CLOCK")).toMatch(said);
      regions.stack.config.active = region;
      expect(await regions.incarnations()).toBe(before);
      await faults.healAll();
      delete written["leader"];
      await regions.settled();
      await regions.succeed("--skip-preview");
    });

    test("where a certificate is of another time by it, TLS names the clock, and an update is refused", async () => {
      const sync = await regions.syncStandby();
      const { certificate } = await ofHost(sync);
      const ledger = await regions.startLedger();
      for (const [seconds, tls, refusal] of [
        [
          -(Math.round((Date.now() - Date.parse(certificate?.notBefore ?? "")) / 1000) + hour),
          /certificate is not yet valid.*a wrong clock looks like this too: here it is/,
          /before its certificate begins/,
        ],
        [
          Math.round((Date.parse(certificate?.notAfter ?? "") - Date.now()) / 1000) + hour,
          /certificate has expired.*a wrong clock looks like this too: here it is/,
          /after its certificate ends/,
        ],
      ] as const) {
        await faults.clock(regions.container(sync), seconds);
        expect((await ofHost(sync)).problems.join("\n")).toMatch(tls);
        const text = await refused(regions.up("--skip-preview"), "E_CLOCK");
        expect(text).toMatch(new RegExp(`${sync} says .*${refusal.source}`));
        await faults.healAll();
        await regions.settled();
      }
      const verdict = await regions.judge(ledger);
      console.log(`certificates of another time: ${summary(verdict)}`);
      expect(verdict.changes).toEqual([]);
      await regions.expectNoChanges();
    });
  });
}
