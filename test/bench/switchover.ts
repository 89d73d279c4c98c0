/** How long clients cannot write when `active` is changed, planned and after a loss, beside a hand-written switchover. */
import { Faults } from "../support/faults.ts";
import { copiesOf, Ledger } from "../support/ledger.ts";
import { check, monotonicMs, summary, type Verdict } from "../support/ledgerHistory.ts";
import { eventually, sql } from "../support/nodes.ts";
import { PairStack, succeed } from "../support/pairStack.ts";
import { docker } from "../support/stack.ts";
import { around, PlainPair } from "./plainPair.ts";
import { row } from "./statistics.ts";

const writers = 8;

export async function switchovers(
  rounds: number,
  failoverRounds: number,
  say: (line: string) => void,
): Promise<string[]> {
  const pair = new PairStack({ name: "bench-roles", net: 91, port: 16582 });
  const plain = new PlainPair(pair, { name: "bench-plain", net: 92, port: 16592 });
  try {
    await pair.bringUp();
    await plain.bringUp();
    const planned = await alternating(pair, plain, rounds, say);
    return [...planned, ...(await failovers(pair, failoverRounds, say))];
  } finally {
    await plain.remove();
    await pair.remove();
  }
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
  say: (line: string) => void,
): Promise<string[]> {
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
    row(`planned switchover, ${described(ours)}: write gap`, gaps(ours), "median ≤ 0.22 s, p95 ≤ 0.30 s"),
    row(
      `the same by hand through \`docker exec\`, ${described(byHand)}: write gap`,
      gaps(byHand),
      "beside it",
    ),
    row("from the first write on the new site until the old one is a synchronous standby", again, "≤ 10 s"),
  ];
}

async function ourRound(pair: PairStack): Promise<{ verdict: Verdict; syncAgain: number }> {
  const ledger = await pair.startLedger({ writers });
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
  const ledger = await Ledger.start(plain.access, { writers });
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

async function failovers(pair: PairStack, rounds: number, say: (line: string) => void): Promise<string[]> {
  const faults = new Faults();
  const served: number[] = [];
  const back: number[] = [];
  let lost = 0;
  for (let round = 1; round <= rounds; round++) {
    const old = pair.active;
    const ledger = await pair.startLedger({ writers });
    await new Promise((resolve) => setTimeout(resolve, 1500));
    await faults.kill(pair.container(old));
    pair.declareFenced(old);
    const began = monotonicMs();
    await succeed(pair.up("--skip-preview"));
    await ledger.acknowledgedAfter(began);
    const history = await ledger.stop();
    const acks = history.writes.filter((write) => write.kind === "ok" && write.doneAt > began);
    served.push(((acks[0]?.doneAt ?? Number.NaN) - began) / 1000);
    const returns = monotonicMs();
    await docker("start", pair.container(old));
    pair.failover = undefined;
    await succeed(pair.up("--skip-preview"));
    await pair.settled();
    back.push((monotonicMs() - returns) / 1000);
    const verdict = check(history, await copiesOf(pair.containers, pair.access.database));
    lost += verdict.lost;
    sound(verdict);
    say(`failover ${round}: first write after ${served.at(-1)?.toFixed(2)} s; ${summary(verdict)}`);
  }
  const load = `strict, ${writers} writers, ${lost} acknowledged writes lost`;
  return [
    row(`forced failover (${load}): start of \`pulumi up\` → first write`, served, "≤ 6 s"),
    row("return of the killed site: its start and `pulumi up` → synchronous standby", back, "-"),
  ];
}

/** A gap of a switchover that lost or doubled something is not a measurement. */
function sound(verdict: Verdict): Verdict {
  if (verdict.violations.length === 0) return verdict;
  throw new Error(verdict.violations.map(({ invariant, message }) => `${invariant} ${message}`).join("\n"));
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
