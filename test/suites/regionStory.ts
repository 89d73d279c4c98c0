/**
 * The life of two regions of Patroni, in one story: each test goes on from where the last one stopped, because bringing
 * them up is the expensive part. The numbers in brackets are rows of the acceptance matrix.
 */
import { beforeAll, describe, expect, test } from "vitest";
import { Faults } from "../support/faults.ts";
import { monotonicMs } from "../support/ledgerHistory.ts";
import { eventually } from "../support/nodes.ts";
import { executedSteps, printedPlan } from "../support/printed.ts";
import { expectNoSecretExposed } from "../support/regionSecrets.ts";
import { RegionStack, type RegionStackOptions } from "../support/regionStack.ts";
import { docker, refused, succeed } from "../support/stack.ts";
import { say, seconds } from "../support/told.ts";
import { regionPooling } from "./regionPooling.ts";
import { regionRecord } from "./regionRecord.ts";
import { type RegionRows, regionRows } from "./regionRows.ts";
import { tidyUp } from "./regionTidy.ts";

export function regionStory({ agentRounds, ...options }: RegionStackOptions & RegionRows): void {
  describe("two regions", () => {
    const regions = new RegionStack(options);
    const faults = new Faults();
    const { stack } = regions;
    const database = () => stack.config.deployment.database;

    beforeAll(async () => {
      const began = monotonicMs();
      await regions.bringUp();
      await regions.writeThroughTheName("CREATE TABLE first_write (id int)");
      console.log(`serving ${seconds(monotonicMs() - began)} after nothing but images was there`);
    });

    tidyUp(regions, faults);

    test("they come up from images whole, and nobody is missing", async () => {
      await regions.settled();
      expect(await regions.complaints()).toEqual([]);
    });

    test("a second up changes nothing and restarts nothing", async () => {
      const before = await regions.incarnations();
      const text = await regions.succeed("--expect-no-changes");
      expect(text).not.toMatch(/\b(created|updated|replaced|deleted)\b/);
      expect(await regions.incarnations()).toBe(before);
    });

    if (regions.target === "containers") regionRecord(regions);

    test("what is wrong is refused all at once at preview, and nothing is touched", async () => {
      const before = await regions.incarnations();
      const good = structuredClone(stack.config);
      stack.config.active = "region-c";
      Object.assign(database(), {
        timing: { ttlSeconds: 10 },
        settings: { fsync: "off", hba_file: "/tmp/x" },
      });
      stack.config.deployment.regions["region-a"].leader = "region-b-1";
      const { code, text } = await regions.preview();
      Object.assign(stack.config, good);
      expect(code).not.toBe(0);
      for (const error of [
        "E_ACTIVE_UNKNOWN",
        "E_PATRONI_TIMING",
        "E_DURABILITY_LOWERED",
        "E_LEADER_UNKNOWN",
      ])
        expect(text).toContain(error);
      expect(text).not.toMatch(/\bat \S+ \(|node_modules/);
      expect(await regions.incarnations()).toBe(before);
    });

    test("a setting that reloads is reloaded everywhere", async () => {
      const before = await postmasters();
      database()["settings"] = { log_min_duration_statement: "250ms" };
      const text = await regions.succeed();
      expect(text).toMatch(/log_min_duration_statement/);
      await eventually(20, "every member has it", async () => {
        const values = await regions.everywhere("SHOW log_min_duration_statement");
        return values.every((value) => value === "250ms") || undefined;
      });
      expect(await postmasters()).toEqual(before);
    });

    test("a setting that restarts goes through the replicas first, and loses nothing", async () => {
      const leader = await regions.leader();
      database()["settings"] = { log_min_duration_statement: "250ms", max_connections: 150 };
      const planned = printedPlan(await succeed(regions.preview())).join("\n");
      expect(planned).toMatch(
        new RegExp(
          `restart[^\n]* region-b-[\\s\\S]*restart[^\n]* region-a-[\\s\\S]*switch over from ${leader}`,
        ),
      );
      expect(planned).not.toMatch(new RegExp(`restart PostgreSQL on ${leader}`));
      const ledger = await regions.startLedger();
      await regions.succeed("--skip-preview");
      await ledger.acknowledgedAfter();
      say("a restart of all", await regions.judge(ledger));
      expect(new Set(await regions.everywhere("SHOW max_connections"))).toEqual(new Set(["150"]));
      await regions.expectNoChanges();
    });

    test("another leader takes over as it is told to, without loss", async () => {
      const next = await regions.syncStandby();
      const ledger = await regions.startLedger();
      stack.config.deployment.regions[regions.active].leader = next;
      const text = await regions.succeed("--skip-preview");
      expect(
        executedSteps(text)
          .map(({ description }) => description)
          .join("\n"),
      ).toContain("switch over");
      await ledger.acknowledgedAfter();
      const verdict = await regions.judge(ledger);
      say("planned switchover in the region", verdict);
      expect(await regions.leader()).toBe(next);
      expect(verdict.changes).toHaveLength(1);
      expect(verdict.longestGapMs).toBeLessThan(8000);
      await regions.expectNoChanges();
      // Whoever leads stays; the member is only no longer the first to be synchronous.
      delete stack.config.deployment.regions[regions.active].leader;
      await regions.succeed("--skip-preview");
      expect(await regions.leader()).toBe(next);
    });

    if (options.database?.["pooling"] !== undefined) regionPooling(regions);

    regionRows(regions, faults, { agentRounds });

    test("`standby_cluster` that somebody took away is seen at preview", async () => {
      const region = regions.standby;
      const section = (await regions.dynamicConfig(region))["standby_cluster"] as Record<string, unknown>;
      const member = regions.container(await regions.leader(region));
      // Paused, Patroni promotes nobody: what is to be seen here is the key that is gone, not what comes of it.
      await patronictl(member, "pause", "--wait");
      await patronictl(member, "edit-config", "--force", "-s", "standby_cluster=null");
      try {
        const text = await refused(regions.preview(), "E_STANDBY_CLUSTER_GONE");
        expect(text).toMatch(new RegExp(`${region} follows ${regions.active}`));
        expect(text).toMatch(/patronictl edit-config --force -s 'standby_cluster\./);
      } finally {
        const put = Object.entries(section).map(([name, value]) => [
          "-s",
          `standby_cluster.${name}=${typeof value === "object" ? JSON.stringify(value) : value}`,
        ]);
        await patronictl(member, "edit-config", "--force", ...put.flat());
        await patronictl(member, "resume", "--wait");
      }
      await regions.settled();
      await regions.expectNoChanges();
    });

    test("no secret is in argv, environment, labels, logs, or in what Pulumi printed", async () => {
      await expectNoSecretExposed(regions);
    });

    async function postmasters(): Promise<string[]> {
      return await regions.everywhere("SELECT pg_postmaster_start_time()");
    }
  });
}

async function patronictl(container: string, ...args: string[]): Promise<void> {
  await docker("exec", container, "patronictl", ...args);
}
