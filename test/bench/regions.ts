/**
 * Regions of Patroni: how long clients cannot write when a leader or the active region changes, planned and not, and how
 * long it takes until a region serves. Beside our planned switchover: `patronictl switchover` on the same cluster, so by
 * the same timers and the same HAProxy.
 */
import { Faults } from "../support/faults.ts";
import { copiesOf, type Ledger } from "../support/ledger.ts";
import { check, monotonicMs, summary } from "../support/ledgerHistory.ts";
import { killPostmaster } from "../support/processes.ts";
import { RegionStack } from "../support/regionStack.ts";
import { docker, succeed } from "../support/stack.ts";
import { tidily } from "./cleanUp.ts";
import { around } from "./plainPair.ts";
import { sound, writers } from "./roleChange.ts";
import { secondsOf } from "./setup.ts";
import type { Row } from "./table.ts";

/** The numbers that are wanted are those of the shortest times; ours and Patroni's own run by the same ones. */
const profile = "fast";
const options = { name: "bench-regions", net: 176, port: 17350, database: { timing: profile } };
const target = "containers";

type Say = (line: string) => void;

interface Round {
  readonly gap: number;
  readonly rate: number;
  readonly lost: number;
}

interface Kind {
  readonly what: string;
  readonly wanted: string;
  /**
   * The same server may be the one that goes on: Patroni starts it again when at that moment nobody may take over, as while
   * it has another member become synchronous.
   */
  readonly sameMayGoOn?: true;
  /** Brings it about; what is returned is done once writes go on, and is not part of the gap. */
  change(): Promise<(() => Promise<unknown>) | undefined>;
}

/** `rounds` of each change of a leader, half as many of each that takes a region or a host, at most three of setting up. */
export async function regionChanges(rounds: number, say: Say): Promise<Row[]> {
  const few = Math.max(1, Math.ceil(rounds / 2));
  const serving = await timeToServeRegion(Math.min(3, rounds), say);
  return await tidily(new RegionStack(options), async (regions) => {
    await regions.bringUp();
    await regions.settled();
    const [planned, plain, crash, loss, region] = kinds(regions);
    return [
      serving,
      ...(await alternating(regions, [planned, plain], rounds, say)),
      ...(await alternating(regions, [crash], rounds, say)),
      ...(await alternating(regions, [loss], few, say)),
      ...(await alternating(regions, [region], few, say)),
    ];
  });
}

/** One region alone, from nothing but images to the first write through the floating name. */
async function timeToServeRegion(rounds: number, say: Say): Promise<Row> {
  const values: number[] = [];
  for (let round = 1; round <= rounds; round++) {
    await tidily(new RegionStack(options), async (regions) => {
      const { config } = regions.stack;
      const { "region-a": only } = config.deployment.regions;
      Object.assign(config.deployment, { regions: { "region-a": only } });
      await regions.stack.init();
      const serve = async () => {
        await succeed(regions.up());
        await regions.findAccess();
        await regions.writeThroughTheName("CREATE TABLE first_write (at timestamptz DEFAULT now())");
      };
      values.push(await secondsOf(serve));
    });
    say(`region, round ${round} of ${rounds}: serving after ${values.at(-1)?.toFixed(1)} s`);
  }
  return {
    what: "images present → serving region: 3 Consul servers, 3 members, HAProxy",
    target,
    values,
    wanted: "≤ 120 s",
  };
}

function kinds(regions: RegionStack): [Kind, Kind, Kind, Kind, Kind] {
  const faults = new Faults();
  const leading = async () => regions.container(await regions.leader());
  return [
    {
      what: "planned switchover in a region: write gap",
      wanted: "p95 ≤ 2 s",
      change: async () => {
        const region = regions.stack.config.deployment.regions[regions.active];
        region["leader"] = await regions.syncStandby();
        await regions.succeed("--skip-preview");
        // Whoever leads may go on; otherwise the next crash would be followed by a switchover back.
        delete region["leader"];
        return undefined;
      },
    },
    {
      what: "the same by `patronictl switchover`: write gap",
      wanted: "beside it",
      change: async () => {
        const [leader, candidate] = [await regions.leader(), await regions.syncStandby()];
        const who = ["--leader", leader, "--candidate", candidate, "--force"];
        await docker("exec", regions.container(candidate), "patronictl", "switchover", ...who);
        return undefined;
      },
    },
    {
      what: "crash of the leader's PostgreSQL: write gap",
      wanted: "p95 ≤ 10 s",
      sameMayGoOn: true,
      change: async () => {
        await killPostmaster(await leading());
        return undefined;
      },
    },
    {
      what: `loss of the leader's host, profile \`${profile}\`: write gap`,
      wanted: "≤ 22 s",
      change: async () => {
        const container = await leading();
        await faults.kill(container);
        return () => docker("start", container);
      },
    },
    {
      what: "planned change of the active region: write gap",
      wanted: "p95 ≤ 15 s",
      change: async () => {
        await regions.moveTo(regions.standby);
        return undefined;
      },
    },
  ];
}

/** In turns, so that whatever else the machine does falls on all of them alike. */
async function alternating(
  regions: RegionStack,
  together: readonly Kind[],
  rounds: number,
  say: Say,
): Promise<Row[]> {
  const measured = new Map(together.map((kind) => [kind, [] as Round[]]));
  for (let round = 1; round <= rounds; round++) {
    for (const [kind, found] of measured) {
      found.push(await oneRound(regions, kind, (line) => say(`${kind.what}, round ${round}: ${line}`)));
    }
  }
  return [...measured].map(([{ what, wanted }, found]) => ({
    what,
    target,
    under: described(found),
    values: found.map(({ gap }) => gap),
    wanted,
  }));
}

async function oneRound(regions: RegionStack, kind: Kind, say: Say): Promise<Round> {
  const ledger = await regions.startLedger({ writers, writesPerSecond: Infinity });
  const after = await around(ledger, () => changed(ledger, kind));
  const history = await ledger.stop();
  await after?.();
  await regions.settled(120);
  const containers = regions.allMembers().map(({ name }) => regions.container(name));
  const verdict = sound(check(history, await copiesOf(containers, regions.access.database)));
  say(summary(verdict));
  const changes = verdict.changes.length;
  if (changes !== 1 && !(changes === 0 && kind.sameMayGoOn))
    throw new Error(`${kind.what}: ${changes} changes of the server in one round`);
  const gapMs = verdict.changes[0]?.gapMs ?? verdict.longestGapMs;
  return { gap: gapMs / 1000, rate: verdict.ratePerSecond, lost: verdict.lost };
}

/** Until somebody acknowledges, somebody else where that is meant: a crash takes its time to be noticed. */
async function changed(ledger: Ledger, { what, change, sameMayGoOn }: Kind) {
  const { lastServer } = await ledger.progress();
  const after = await change();
  if (sameMayGoOn) {
    // What was on its way when it happened has arrived by then.
    await ledger.acknowledgedAfter(monotonicMs() + 300, 60);
    return after;
  }
  const end = performance.now() + 60_000;
  while ((await ledger.progress()).lastServer === lastServer) {
    if (performance.now() > end) throw new Error(`${what}: nobody else took writes for 60 s`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return after;
}

function described(rounds: readonly Round[]): string {
  const rate = rounds.reduce((sum, round) => sum + round.rate, 0) / rounds.length;
  const lost = rounds.reduce((sum, round) => sum + round.lost, 0);
  return `profile \`${profile}\`, strict, ${writers} writers at ${Math.round(rate)}/s, ${lost} lost`;
}
