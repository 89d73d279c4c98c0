/**
 * What two regions live through on either target: rows 14, 15, 16, 19 and 23 of the acceptance matrix, each with a ledger
 * of acknowledged writes. The numbers in brackets are the rows.
 */
import { expect, test } from "vitest";
import type { Faults } from "../support/faults.ts";
import type { Ledger } from "../support/ledger.ts";
import { monotonicMs, type Verdict } from "../support/ledgerHistory.ts";
import { eventually } from "../support/nodes.ts";
import { activeProxy, PooledClients, pooledTarget } from "../support/pooledClients.ts";
import { executedSteps } from "../support/printed.ts";
import { killPostmaster, processesOf, signal } from "../support/processes.ts";
import type { RegionStack } from "../support/regionStack.ts";
import { say, seconds } from "../support/told.ts";

export interface RegionRows {
  /** Of a Consul agent's end on the leader's host, for each kind of end. */
  readonly agentRounds: number;
}

/** The profile's `ttl`: so long Consul keeps a lock whose holder is gone; what comes on top is a promotion and a standby for it. */
const lockSeconds = 20;

export function regionRows(regions: RegionStack, faults: Faults, { agentRounds }: RegionRows): void {
  const what = regions.target === "machines" ? "machine" : "container";

  test(`(19) the Consul agent of the leader's host ends ${2 * agentRounds} times, and nobody fails over`, async () => {
    const leader = await regions.leader();
    const container = regions.container(leader);
    const before = await regions.failovers(regions.active);
    const ledger = await regions.startLedger({ writers: 4 });
    const ends = [
      () => signal(container, "consul", "KILL"),
      () => regions.call(leader, "restart", { program: "consul", timeoutSeconds: 30 }),
    ];
    for (const end of ends) {
      for (let round = 0; round < agentRounds; round++) {
        const [old] = await processesOf(container, "consul");
        await end();
        await eventually(20, "another agent runs", async () => {
          const [now] = await processesOf(container, "consul");
          return (now !== undefined && now !== old) || undefined;
        });
        await regions.call(leader, "awaitConsul", { timeoutSeconds: 30 });
        await regions.call(leader, "awaitLeader", { as: "primary", timeoutSeconds: 10 });
      }
    }
    const verdict = await regions.judge(ledger);
    say("ends of the Consul agent", verdict);
    expect(await regions.leader()).toBe(leader);
    expect(await regions.failovers(regions.active)).toEqual(before);
    expect(verdict.changes).toEqual([]);
  });

  test("(14) the leader's postmaster is killed: nothing is lost, at most 10 s without writes", async () => {
    const ledger = await regions.startLedger();
    const verdict = await afterwards(ledger, async (leader) => {
      await killPostmaster(regions.container(leader));
      return 10;
    });
    say("the leader's postmaster is killed", verdict);
  });

  test(`(15) the leader's ${what} is killed: nothing is lost, at most the lock's life and 10 s without writes, nobody's hand`, async () => {
    const ledger = await regions.startLedger();
    const verdict = await afterwards(
      ledger,
      async (leader) => {
        await faults.kill(regions.container(leader));
        return lockSeconds + 15;
      },
      async (leader) => {
        await regions.node(leader).start();
        await rejoined(leader);
      },
    );
    say(`the leader's ${what} is killed`, verdict);
    expect(verdict.changes).toHaveLength(1);
    await regions.expectNoChanges();
  });

  test("(16) a leader that stood still acknowledges nothing once it goes on", async () => {
    const ledger = await regions.startLedger();
    const verdict = await afterwards(ledger, async (leader) => {
      const heal = await faults.pause(regions.container(leader));
      const paused = monotonicMs();
      await ledger.acknowledgedAfter(paused + 5000);
      await remaining(paused, 25);
      await heal();
      // It is asked to write on while the old leader finds out.
      await rejoined(leader);
      return lockSeconds + 15;
    });
    say("the leader stands still", verdict);
    expect(verdict.changes).toHaveLength(1);
  });

  test("(23) the other region takes over and hands back under load, and nobody is copied anew", async () => {
    const before = await regions.identities();
    const ledger = await regions.startLedger();
    const pooled = await pooledClients();
    for (const region of [regions.standby, regions.active] as const) {
      const text = await regions.moveTo(region);
      const steps = executedSteps(text)
        .map(({ description }) => description)
        .join("\n");
      expect(steps).toMatch(/prove that[\s\S]*promote/);
      // All proxies lead to the one member that takes writes, so all of them hold their clients back.
      if (pooled) {
        expect(steps.match(/hold back the pooled clients/g)).toHaveLength(2);
        expect(text).toMatch(/clients? waits? after/);
        // Not what the preview says of a transaction that does not end.
        expect(text).not.toMatch(/nobody (is held back there|was held back)/);
      }
      expect(await regions.leader()).toMatch(new RegExp(`^${region}-`));
      await ledger.acknowledgedAfter();
      await regions.settled();
    }
    const verdict = await regions.judge(ledger);
    say("another region, and back", verdict);
    expect(verdict.changes).toHaveLength(2);
    for (const { gapMs } of verdict.changes) expect(gapMs).toBeLessThan(15_000);
    if (pooled) await sawNothing(pooled);
    expect(await regions.identities()).toEqual(before);
    await regions.expectNoChanges();
  });

  /** Undefined: this stack pools nobody. */
  async function pooledClients(): Promise<PooledClients | undefined> {
    const proxy = activeProxy(regions);
    return proxy.pooled && (await PooledClients.start(regions.access, pooledTarget(proxy), 4));
  }

  /** But a pause. */
  async function sawNothing(clients: PooledClients): Promise<void> {
    const account = await clients.stop();
    console.log(`pooled, another region and back: ${JSON.stringify(account)}`);
    expect(account.errors).toEqual([]);
    expect(account.longestGapMs).toBeLessThan(15_000);
  }

  /** A fault at the leader, what is done once another one leads, and what the ledger has to say to it. */
  async function afterwards(
    ledger: Ledger,
    fault: (leader: string) => Promise<number>,
    after: (leader: string) => Promise<void> = async () => undefined,
  ): Promise<Verdict> {
    const leader = await regions.leader();
    const began = monotonicMs();
    const limitSeconds = await fault(leader);
    await ledger.acknowledgedAfter(Math.max(began + 1000, (await ledger.progress()).lastAckAt));
    await after(leader);
    const verdict = await regions.judge(ledger);
    expect(verdict.longestGapMs).toBeLessThan(limitSeconds * 1000);
    return verdict;
  }

  async function rejoined(member: string): Promise<void> {
    const began = monotonicMs();
    await eventually(60, `${member} follows`, async () => {
      const { members } = await regions.cluster(regions.active);
      return members.some(({ name, state }) => name === member && state === "streaming") || undefined;
    });
    console.log(`${member} follows again after ${seconds(monotonicMs() - began)}`);
  }
}

async function remaining(since: number, wanted: number): Promise<void> {
  const left = since + wanted * 1000 - monotonicMs();
  if (left > 0) await new Promise((resolve) => setTimeout(resolve, left));
}
