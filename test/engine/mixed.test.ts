/** One site in a container, the other on a machine: the role moves there and back under load, and nothing is lost. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { summary } from "../support/ledgerHistory.ts";
import { PairStack } from "../support/pairStack.ts";
import { executedSteps } from "../support/printed.ts";

const rounds = 4;

describe("a pair, one site in a container and one on a machine", () => {
  const pair = new PairStack({ name: "test-mixed", target: "mixed", net: 96, port: 16722 });

  beforeAll(async () => {
    await pair.bringUp();
  });

  afterAll(async () => {
    await pair.remove();
  });

  test("an unchanged stack is a no-op", async () => {
    await pair.expectNoChanges();
  });

  test(`${rounds} rounds there and back under eight writers lose nothing`, async () => {
    const ledger = await pair.startLedger();
    for (let round = 0; round < rounds; round++) {
      const steps = executedSteps(await pair.moveTo(pair.standby)).map((step) => step.description);
      expect(steps.join("\n"), "the old primary follows without being rebuilt").not.toMatch(/rewind|copy /);
      await ledger.acknowledgedAfter();
    }
    const verdict = await pair.judge(ledger);
    console.log(`mixed: ${summary(verdict)}`);
    expect(verdict.changes).toHaveLength(rounds);
    expect(Math.max(...verdict.changes.map((change) => change.gapMs))).toBeLessThan(5000);
    await pair.expectNoChanges();
  });
});
