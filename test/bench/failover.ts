/** The active site is killed: until the other one takes writes, and until the pair is whole again. */
import { Faults } from "../support/faults.ts";
import { copiesOf } from "../support/ledger.ts";
import { check, monotonicMs, summary } from "../support/ledgerHistory.ts";
import { type PairStack, succeed } from "../support/pairStack.ts";
import { type Run, sound, writers } from "./roleChange.ts";
import type { Row } from "./table.ts";

export async function failovers(pair: PairStack, rounds: number, { target, say }: Run): Promise<Row[]> {
  const faults = new Faults();
  const served: number[] = [];
  const back: number[] = [];
  let lost = 0;
  for (let round = 1; round <= rounds; round++) {
    const old = pair.active;
    const ledger = await pair.startLedger({ writers, writesPerSecond: Infinity });
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
    await pair.node(old).start();
    pair.failover = undefined;
    await succeed(pair.up("--skip-preview"));
    await pair.settled();
    back.push((monotonicMs() - returns) / 1000);
    const verdict = check(history, await copiesOf(pair.containers, pair.access.database));
    lost += verdict.lost;
    sound(verdict);
    say(`failover ${round}: first write after ${served.at(-1)?.toFixed(2)} s; ${summary(verdict)}`);
  }
  return [
    {
      what: "forced failover, stated: start of `pulumi up` → first write",
      target,
      under: `strict, ${writers} writers, ${lost} lost`,
      values: served,
      wanted: "≤ 6 s",
    },
    {
      what: "return of the killed site: its start and `pulumi up` → synchronous standby",
      target,
      values: back,
      wanted: "-",
    },
  ];
}
