/** How long clients cannot write when `active` is changed, beside a hand-written switchover; then, when a site is lost. */
import { copiesOf, Ledger } from "../support/ledger.ts";
import { check, monotonicMs, summary, type Verdict } from "../support/ledgerHistory.ts";
import type { Target } from "../support/nodeHandle.ts";
import { eventually, sql } from "../support/nodes.ts";
import { PairStack } from "../support/pairStack.ts";
import { tidily } from "./cleanUp.ts";
import { failovers } from "./failover.ts";
import { PlainContainers } from "./plainContainers.ts";
import { PlainMachines } from "./plainMachines.ts";
import { around, PlainPair } from "./plainPair.ts";
import { type Run, sound, writers } from "./roleChange.ts";
import type { Row } from "./table.ts";

const kinds = {
  containers: {
    pair: { name: "bench-roles", net: 91, port: 16582 },
    plain: (like: PairStack) => new PlainContainers(like, { name: "bench-plain", net: 92, port: 16592 }),
    wanted: "median ≤ 0.22 s, p95 ≤ 0.30 s",
  },
  machines: {
    pair: { name: "bench-mroles", net: 101, port: 16582 },
    plain: () => new PlainMachines({ name: "bench-mplain", net: 152 }),
    wanted: "p95 ≤ 0.35 s",
  },
} as const;

export async function switchovers(
  target: Target,
  rounds: number,
  failoverRounds: number,
  say: (line: string) => void,
): Promise<Row[]> {
  const kind = kinds[target];
  return await tidily(new PairStack({ ...kind.pair, target }), (pair) =>
    tidily(new PlainPair(pair, kind.plain(pair)), async (plain) => {
      await pair.bringUp();
      await plain.bringUp();
      const planned = await alternating(pair, plain, rounds, { target, say });
      return [...planned, ...(await failovers(pair, failoverRounds, { target, say }))];
    }),
  );
}

interface Round {
  readonly gap: number;
  readonly rate: number;
  readonly lost: number;
}

async function alternating(
  pair: PairStack,
  plain: PlainPair,
  rounds: number,
  { target, say }: Run,
): Promise<Row[]> {
  const ours: Round[] = [];
  const byHand: Round[] = [];
  const again: number[] = [];
  for (let round = 1; round <= rounds; round++) {
    const { verdict, syncAgain } = await ourRound(pair);
    ours.push(measured(verdict));
    again.push(syncAgain);
    say(`round ${round}, pulumi up:  ${summary(verdict)}`);
    const other = await plainRound(plain);
    byHand.push(measured(other));
    say(`round ${round}, by hand:    ${summary(other)}`);
  }
  return [
    {
      what: "planned switchover: write gap",
      target,
      under: described(ours),
      values: gaps(ours),
      wanted: kinds[target].wanted,
    },
    {
      what: `the same by hand, ${plain.way}: write gap`,
      target,
      under: described(byHand),
      values: gaps(byHand),
      wanted: "beside it",
    },
    {
      what: "from the first write on the new site until the old one is a synchronous standby",
      target,
      values: again,
      wanted: "≤ 10 s",
    },
  ];
}

async function ourRound(pair: PairStack): Promise<{ verdict: Verdict; syncAgain: number }> {
  const ledger = await pair.startLedger({ writers, writesPerSecond: Infinity });
  const target = pair.standby;
  const before = (await ledger.progress()).lastServer;
  const syncAgain = await around(ledger, async () => {
    const moved = pair.moveTo(target);
    const watched = secondsUntilSync(ledger, before, pair.container(target));
    await moved;
    return await watched;
  });
  const history = await ledger.stop();
  await pair.settled();
  const verdict = check(history, await copiesOf(pair.containers, pair.access.database));
  return { verdict: sound(verdict), syncAgain };
}

async function plainRound(plain: PlainPair): Promise<Verdict> {
  const ledger = await Ledger.start(plain.access, { writers, writesPerSecond: Infinity });
  try {
    await around(ledger, () => plain.switchOver());
    const history = await ledger.stop();
    await plain.settled();
    return sound(check(history, await copiesOf(plain.containers, plain.access.database)));
  } finally {
    ledger.kill();
  }
}

/** Asked only from the first write on: a question costs a tenth of the gap. */
async function secondsUntilSync(ledger: Ledger, before: string, container: string): Promise<number> {
  const first = await eventually(120, "a write on the new site", async () => {
    const { lastServer, lastAckAt } = await ledger.progress();
    return lastServer !== before ? lastAckAt : undefined;
  });
  await eventually(60, "the old site is in sync", async () => {
    return (await sql(container, "SELECT sync_state FROM pg_stat_replication")) === "sync" || undefined;
  });
  return (monotonicMs() - first) / 1000;
}

function measured({ changes, ratePerSecond, lost }: Verdict): Round {
  const [change] = changes;
  if (!change || changes.length !== 1)
    throw new Error(`${changes.length} changes of the server in one round`);
  return { gap: change.gapMs / 1000, rate: ratePerSecond, lost };
}

function gaps(rounds: readonly Round[]): number[] {
  return rounds.map((round) => round.gap);
}

function described(rounds: readonly Round[]): string {
  const rate = rounds.reduce((sum, round) => sum + round.rate, 0) / rounds.length;
  const lost = rounds.reduce((sum, round) => sum + round.lost, 0);
  return `${writers} writers at ${Math.round(rate)}/s, ${lost} lost`;
}
