/**
 * A forced failover that rests on the site's fence command, through `pulumi up`: the old site does not answer and is
 * alive (its container stands still), and a script of the test is its power switch.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Evidence } from "../../components/roles/act/evidence.ts";
import { Faults } from "../support/faults.ts";
import { summary } from "../support/ledgerHistory.ts";
import { untouched } from "../support/nodeHandle.ts";
import { sql } from "../support/nodes.ts";
import { PairStack, refused, succeed } from "../support/pairStack.ts";
import { executedSteps, printedPlan } from "../support/printed.ts";
import { docker } from "../support/stack.ts";

const old = "site-a";
const next = "site-b";
const pair = new PairStack({ name: "fen-command", net: 98, port: 16752 });
const faults = new Faults();
const folder = mkdtempSync(join(tmpdir(), "fen-command-"));
const powerSwitch = join(folder, "power-off");
const broken = join(folder, "broken");
const log = join(folder, "log");

beforeAll(async () => {
  // Harmless twice, and silent success only when the site is seen to be off.
  writeFileSync(
    powerSwitch,
    `#!/bin/sh
echo "$1" >> ${log}
if test -e ${broken}; then
  echo "user admin, password: canary-3e81"
  echo "bmc: no route to host" >&2
  exit 7
fi
docker kill "$1" > /dev/null 2>&1
test "$(docker inspect -f '{{.State.Running}}' "$1")" = false
`,
    { mode: 0o755 },
  );
  await pair.prepare();
  const { sites } = pair.stack.config.deployment;
  const fenceCommand = { command: [powerSwitch, pair.container(old)], timeoutSeconds: 20 };
  sites[old] = { ...sites[old], fenceCommand };
  await succeed(pair.up("--skip-preview"));
  await pair.findAccess();
});

afterAll(async () => {
  await faults.healAll();
  await pair.remove();
  rmSync(folder, { recursive: true });
});

const runs = () => readFileSync(log, "utf8").trim().split("\n").length;
const inRecovery = (site: typeof old | typeof next) =>
  sql(pair.container(site), "SELECT pg_is_in_recovery()");

test("the command's success promotes, its failure does not, and no word of the operator is needed", async () => {
  const ledger = await pair.startLedger({ writers: 2 });
  await ledger.acknowledgedAfter();
  await faults.pause(pair.container(old));
  pair.stack.config.active = next;

  const refusal = await untouched([pair.node(next)], () =>
    refused(pair.up("--skip-preview"), "E_FENCE_UNCONFIRMED"),
  );
  expect(refusal).toContain(
    `runs the fence command of ${old} (${powerSwitch} ${pair.container(old)}, at most 20 s)`,
  );

  pair.failover = { from: old, to: next, at: new Date().toISOString() };
  writeFileSync(broken, "");
  const failed = await pair.up("--skip-preview");
  expect(failed.code, failed.text).not.toBe(0);
  expect(failed.text).toMatch(/failed on this machine: exit code 7; it printed:/);
  expect(failed.text).toContain("bmc: no route to host");
  expect(failed.text).toContain("Nobody was promoted.");
  expect(failed.text).toContain("pulumi config set --path failover.fenceConfirmed");
  expect(failed.text).not.toContain("canary-3e81");
  expect(await inRecovery(next)).toBe("t");
  expect(runs()).toBe(1);

  rmSync(broken);
  const preview = await untouched([pair.node(next)], () => succeed(pair.preview()));
  const planned = printedPlan(preview);
  expect(planned.map((step) => step.split(":")[0])).toEqual([`fence ${old} from outside`, `promote ${next}`]);
  expect(runs(), "a preview runs no command").toBe(1);

  const text = await succeed(pair.up("--skip-preview"));
  expect(executedSteps(text).map(({ description }) => description)).toEqual(planned);
  expect(runs()).toBe(2);
  expect(await docker("inspect", "-f", "{{.State.Running}}", pair.container(old))).toBe("false");
  expect(await inRecovery(next)).toBe("f");
  const { evidence } = await pair.stack.outputs<{ evidence: Evidence }>();
  expect(evidence).toMatchObject({ mode: "failover", fence: { site: old, proven: true, exitCode: 0 } });
  await ledger.acknowledgedAfter();

  // Used up: neither another update nor the return of the site runs it again.
  await pair.expectNoChanges();
  await pair.node(old).start();
  await succeed(pair.up("--skip-preview"));
  pair.failover = undefined;
  await succeed(pair.up("--skip-preview"));
  expect(await inRecovery(old)).toBe("t");
  const verdict = await pair.judge(ledger);
  console.log(`fence command: ${summary(verdict)}`);
  expect(runs()).toBe(2);
  await pair.expectNoChanges();
});
