/**
 * A deployment of one region gets another member, and then two more regions; it is moved, loses one of them for a while,
 * gives one up and takes it back. All of it while clients write.
 */
import { beforeAll, describe, expect, test } from "vitest";
import { tidyUp } from "../suites/regionTidy.ts";
import { Faults } from "../support/faults.ts";
import { monotonicMs } from "../support/ledgerHistory.ts";
import { eventually, sql } from "../support/nodes.ts";
import { executedSteps } from "../support/printed.ts";
import type { RegionName } from "../support/regionFacts.ts";
import { RegionStack } from "../support/regionStack.ts";
import { docker, refused } from "../support/stack.ts";
import { say, seconds } from "../support/told.ts";

describe("a deployment grows and shrinks", () => {
  const all: readonly RegionName[] = ["region-a", "region-b", "region-c"];
  const regions = new RegionStack({ name: "test-more", net: 181, port: 17410, regions: all });
  const declared = regions.stack.config.deployment.regions;
  const faults = new Faults();
  /** Of all three regions, before one of them leaves. */
  let identities: readonly string[] = [];
  tidyUp(regions, faults);

  beforeAll(async () => {
    declare("region-a");
    await regions.bringUp();
    await regions.settled();
  });

  function declare(...names: readonly RegionName[]): void {
    const some = Object.fromEntries(names.map((name) => [name, declared[name]]));
    regions.stack.config.deployment.regions = some as typeof declared;
  }

  const steps = (text: string) =>
    executedSteps(text)
      .map(({ description }) => description)
      .join("\n");

  /** Of the active region's leader: who has a place kept in its WAL. */
  async function slots(): Promise<string> {
    return await sql(
      regions.container(await regions.leader()),
      "SELECT string_agg(slot_name, ' ' ORDER BY slot_name) FROM pg_replication_slots",
    );
  }

  const member = (number: number) => `region-a-${number}`;

  /** Since when the servers of those members run. */
  async function servers(numbers: readonly number[]): Promise<string[]> {
    const asked = numbers.map((number) =>
      sql(regions.container(member(number)), "SELECT pg_postmaster_start_time()"),
    );
    return await Promise.all(asked);
  }

  function declareMembers(...numbers: readonly number[]): void {
    const named = numbers.map((number) => [member(number), {}]);
    declared["region-a"]["members"] = Object.fromEntries(named);
  }

  /** What is declared becomes so, while clients write, and nobody who stays is restarted. */
  async function update(what: string, ...staying: readonly number[]): Promise<void> {
    const before = await servers(staying);
    const ledger = await regions.startLedger({ writers: 4 });
    const began = monotonicMs();
    await regions.succeed();
    console.log(`${what}: up took ${seconds(monotonicMs() - began)}`);
    await ledger.acknowledgedAfter();
    await regions.findAccess();
    const verdict = await regions.judge(ledger);
    say(what, verdict);
    expect(verdict.changes).toEqual([]);
    expect(verdict.longestGapMs).toBeLessThan(2000);
    expect(await servers(staying)).toEqual(before);
  }

  test("a fourth member joins, one that has lost its data is copied anew, and the fourth leaves", async () => {
    declareMembers(1, 2, 3, 4);
    await update("a member joins", 1, 2, 3);
    expect(await slots()).toContain("region_a_4");
    await regions.expectNoChanges();

    // Neither the leader nor its synchronous standby: what those cost is asked elsewhere.
    const needed = [await regions.leader(), await regions.syncStandby()];
    const lost = [1, 2, 3].find((number) => !needed.includes(member(number))) ?? 0;
    const container = regions.container(member(lost));
    await docker("rm", "-f", container);
    await docker("volume", "rm", `${container}-data`);
    // An empty one in its place, as of a new disk. Docker would make it by itself, without the label by which it is found.
    const label = `understudy.deployment=${regions.stack.name}`;
    await docker("volume", "create", "--label", label, `${container}-data`);
    await update("a member is lost with its data", ...[1, 2, 3, 4].filter((number) => number !== lost));
    await regions.expectNoChanges();

    declareMembers(1, 2, 3);
    declared["region-a"]["retired"] = ["region-a-4"];
    regions.former.push("region-a-4");
    await update("a member leaves", 1, 2, 3);
    delete declared["region-a"]["retired"];
    await regions.succeed();
    await regions.expectNoChanges();
  });

  test("two more regions join, and the first notices nothing", async () => {
    declare(...all);
    await update("two regions join", 1, 2, 3);
    expect(await slots()).toMatch(/region_b.*region_c/);
    await regions.expectNoChanges();
  });

  test("whichever becomes active, all others follow it, and nobody is copied anew", async () => {
    const before = await regions.identities();
    const ledger = await regions.startLedger({ writers: 4 });
    for (const next of ["region-c", "region-b"] as const) {
      await regions.moveTo(next);
      await ledger.acknowledgedAfter();
      await regions.settled();
      const others = all.filter((name) => name !== next).map((name) => name.replace("-", "_"));
      expect(await slots()).toMatch(new RegExp(others.join(".*")));
    }
    const verdict = await regions.judge(ledger);
    say("two changes of the active region, of three", verdict);
    expect(verdict.changes).toHaveLength(2);
    for (const { gapMs } of verdict.changes) expect(gapMs).toBeLessThan(15_000);
    expect(await regions.identities()).toEqual(before);
    await regions.expectNoChanges();
  });

  test("the active one is lost: the one that is named takes over, the third follows it, the lost one comes back", async () => {
    const before = await regions.identities();
    const lost = regions.hosts().filter(({ region }) => region === "region-b");
    await regions.settled();
    await docker("kill", ...lost.map(({ name }) => regions.container(name)));
    regions.declareFenced("region-b", { to: "region-a", acceptDataLoss: true });
    const began = monotonicMs();
    const given = steps(await regions.succeed("--skip-preview"));
    console.log(
      `region-a leads, and region-c follows it, ${seconds(monotonicMs() - began)} after \`up\` began`,
    );
    expect(given).toMatch(/promote region-a/);
    expect(given).toMatch(/have region-c follow region-a/);
    const ledger = await regions.startLedger({ writers: 4 });
    await ledger.acknowledgedAfter();
    await docker("start", ...lost.map(({ name }) => regions.container(name)));
    await ledger.acknowledgedAfter(monotonicMs() + 10_000);
    regions.failover = undefined;
    expect(steps(await regions.succeed("--skip-preview"))).toMatch(/have region-b follow region-a/);
    await regions.settled(120);
    const verdict = await regions.judge(ledger);
    say("a lost region comes back", verdict);
    expect(verdict.changes).toEqual([]);
    expect(await regions.identities()).toEqual(before);
    await regions.expectNoChanges();
  });

  test("one leaves: its data is kept, and the active one keeps no WAL for it", async () => {
    identities = await regions.identities();
    const leaving = regions.members("region-c").map(({ name }) => name);
    declare("region-a", "region-b");
    // Its volumes are protected until somebody says that it may go.
    await refused(regions.preview(), "protect");
    Object.assign(declared["region-a"], { retired: leaving });
    regions.former.push(...leaving);
    await update("a region leaves", 1, 2, 3);
    await eventually(30, "nobody keeps WAL for it", async () => {
      return (await slots()).includes("region_c") ? undefined : true;
    });
    const filter = ["--filter", `name=${regions.container("region-c")}`];
    expect(await docker("ps", "-aq", ...filter)).toBe("");
    const kept = (await docker("volume", "ls", "-q", ...filter)).split("\n");
    for (const name of leaving) expect(kept.join("\n")).toContain(name);
    delete declared["region-a"]["retired"];
    await regions.succeed();
    await regions.expectNoChanges();
  });

  test("it is declared again on what it left behind: it follows, and nobody is copied anew", async () => {
    declare(...all);
    await update("a region returns", 1, 2, 3);
    expect(await regions.identities()).toEqual(identities);
    expect(await slots()).toMatch(/region_b.*region_c/);
    await regions.settled(120);
    await regions.expectNoChanges();
    const ledger = await regions.startLedger({ writers: 4 });
    await regions.moveTo("region-c");
    await ledger.acknowledgedAfter();
    say("it becomes the active one", await regions.judge(ledger));
  });
});
