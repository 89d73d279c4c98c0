/**
 * What a machine is after a reboot: what it was, or a standby, and never a second primary. At rest, and in the middle of a
 * switchover, where the next update finishes or goes back. Each with a ledger of acknowledged writes.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import type { Step } from "../../components/roles/steps.ts";
import { booted } from "../../scripts/toolchain/machines/machines.ts";
import { clientFor } from "../support/client.ts";
import { summary } from "../support/ledgerHistory.ts";
import { onMachine, powerOn, reboot } from "../support/machines.ts";
import { eventually, sql } from "../support/nodes.ts";
import { other, PairStack, type Site, succeed } from "../support/pairStack.ts";
import { docker } from "../support/stack.ts";
import { steppedConverge } from "../support/steppedConverge.ts";

const unit = "understudy-postgres.service";
const sites: readonly Site[] = ["site-a", "site-b"];

const pair = new PairStack({
  name: "ado-reboot",
  target: "machines",
  net: 82,
  port: 16792,
  database: { stepTimeoutSeconds: 20 },
});
const on = (site: Site, script: string) => onMachine(pair.container(site), script);

beforeAll(async () => {
  await pair.bringUp();
});

afterEach(async ({ task }) => {
  pair.endLedgers();
  if (task.result?.state !== "fail") return;
  // Whatever a test that failed has left half done, the next run finishes.
  pair.failover = undefined;
  await Promise.all(pair.nodes.map((node) => node.start()));
  await pair.up("--skip-preview");
});

afterAll(async () => {
  await pair.remove();
});

/** Sites whose server is no standby. */
async function primaries(): Promise<Site[]> {
  const answers = await Promise.all(
    sites.map((site) => sql(pair.container(site), "SELECT pg_is_in_recovery()").catch(() => "down")),
  );
  return sites.filter((_, index) => answers[index] === "f");
}

/** Nothing is flushed and nobody is told; then it boots. */
async function powerCycle(site: Site): Promise<void> {
  await docker("restart", "--time", "0", pair.container(site));
  await booted(pair.container(site));
}

async function isStandby(site: Site): Promise<void> {
  await eventually(
    30,
    `${site} is a standby`,
    async () => (await sql(pair.container(site), "SELECT pg_is_in_recovery()")) === "t" || undefined,
  );
}

describe("a machine that reboots", () => {
  test("as the active one leads again by itself, behind its firewall, and lets its clients in", async () => {
    const { active } = pair;
    const ledger = await pair.startLedger();
    await reboot(pair.container(active));
    await ledger.acknowledgedAfter();
    expect(await primaries()).toEqual([active]);
    expect(await on(active, `systemctl is-enabled ${unit} understudy-firewall.service`)).toBe(
      "enabled\nenabled",
    );
    const since = async (name: string, property: string) =>
      Number(await on(active, `systemctl show --value --property ${property} ${name}`));
    const guarded = await since("understudy-firewall.service", "ExecMainExitTimestampMonotonic");
    expect(guarded).toBeGreaterThan(0);
    expect(await since(unit, "ExecMainStartTimestampMonotonic")).toBeGreaterThan(guarded);
    expect(await on(active, "nft list chain inet understudy postgres")).toContain("tcp dport 5432 counter");
    const verdict = await pair.judge(ledger);
    expect(verdict.changes).toEqual([]);
    console.log(`reboot of the active machine: ${summary(verdict)}`);
    await pair.expectNoChanges();
  });

  test("as the one that handed over is a standby, whichever way it went down", async () => {
    const ledger = await pair.startLedger();
    const old = pair.active;
    await pair.moveTo(other(old));
    await reboot(pair.container(old));
    await isStandby(old);
    await powerCycle(old);
    await isStandby(old);
    expect(await primaries()).toEqual([other(old)]);
    await ledger.acknowledgedAfter();
    const verdict = await pair.judge(ledger);
    expect(verdict.changes).toHaveLength(1);
    await pair.expectNoChanges();
  });

  test("as the one that a failover gave up is held at every boot, until an update takes it back", async () => {
    const ledger = await pair.startLedger();
    const old = pair.active;
    await docker("kill", pair.container(old));
    pair.declareFenced(old);
    await succeed(pair.up("--skip-preview"));
    await ledger.acknowledgedAfter();
    for (const boot of [() => powerOn(pair.container(old)), () => reboot(pair.container(old))]) {
      await boot();
      const reason = await eventually(30, "it is held", async () => {
        const facts = (await pair.observe()).nodes[old];
        if (facts?.reach !== "up" || facts.report.server.state !== "held") return undefined;
        return facts.report.server.reason ?? "";
      });
      expect(reason).toContain(`superseded by ${pair.active}`);
      await expect(writeTo(old)).rejects.toThrow();
      expect(await primaries()).toEqual([pair.active]);
    }
    pair.failover = undefined;
    await succeed(pair.up("--skip-preview"));
    const verdict = await pair.judge(ledger);
    expect(verdict.changes).toHaveLength(1);
    console.log(`boots after a failover: ${summary(verdict)}`);
    await pair.expectNoChanges();
  });
});

/** As a client that knows of one site only. */
async function writeTo(site: Site): Promise<void> {
  const access = pair.accessOnly(site);
  const [target] = access.targets;
  if (!target) throw new Error("no target");
  const client = clientFor(access, target);
  await client.connect();
  try {
    await client.query("CREATE TABLE written_to_the_wrong_one (n int)");
  } finally {
    await client.end();
  }
}

type Whose = "old" | "new";
type Case = readonly [whose: Whose, moment: Step["kind"], said: RegExp];

/** From the power cut on, so that what a run does meanwhile meets a machine that is off. */
const offSeconds = 3;

describe("in the middle of a switchover a machine that goes down and boots,", () => {
  test.each<Case>([
    // The old one is fenced with its stop: the switchover goes on without it.
    ["old", "fence", /Switched, degraded: site-[ab] leads.*Run `pulumi up` again/],
    ["old", "awaitStandby", /Switched, degraded: site-[ab] leads.*Run `pulumi up` again/],
    // Before the promotion the old one leads again; when it was asked for, nobody can know, and the next run looks.
    ["new", "gate", /leads again/],
    ["new", "promote", /was not taken back.*Nothing was lost\. Run `pulumi up` again/],
    ["new", "awaitStandby", /Run `pulumi up` again/],
  ])(
    "that of the %s primary before the step %s, costs no write and no second update",
    async (whose, moment, said) => {
      const ledger = await pair.startLedger({ writers: 4 });
      const old = pair.active;
      const next = other(old);
      const machine = pair.container(whose === "old" ? old : next);
      let boots: Promise<void> | undefined;
      const outcome = await steppedConverge(await pair.wish(next), async ({ step }) => {
        if (boots || step.kind !== moment) return undefined;
        await docker("kill", machine);
        boots = sleep(offSeconds * 1000).then(() => powerOn(machine));
        return undefined;
      });
      await boots;
      expect(boots, `the run never came to ${moment}: ${outcome.text}`).toBeDefined();
      const what = `${whose} primary's machine, before ${moment}`;
      console.log(
        `${what}: exit ${outcome.code} after ${outcome.seconds.toFixed(1)} s\n${outcome.text.slice(-900)}`,
      );
      if (outcome.code !== 0) expect(outcome.text).toMatch(said);
      expect((await primaries()).length).toBeLessThanOrEqual(1);
      await pair.moveTo(next);
      expect(await primaries()).toEqual([next]);
      await ledger.acknowledgedAfter();
      console.log(`${what}: ${summary(await pair.judge(ledger))}`);
    },
  );

  test("leaves nothing for another update to do", async () => {
    await pair.expectNoChanges();
  });
});
