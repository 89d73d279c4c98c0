/**
 * The life of two regions of Patroni, in one story: each test goes on from where the last one stopped, because bringing
 * them up is the expensive part. The numbers in brackets are rows of the acceptance matrix.
 */
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { Faults } from "../support/faults.ts";
import type { Ledger } from "../support/ledger.ts";
import { monotonicMs, summary, type Verdict } from "../support/ledgerHistory.ts";
import { ContainerNode } from "../support/nodeHandle.ts";
import { asPostgres, eventually, sql } from "../support/nodes.ts";
import { executedSteps, printedPlan } from "../support/printed.ts";
import { killPostmaster, processesOf, signal } from "../support/processes.ts";
import { RegionStack, type RegionStackOptions } from "../support/regionStack.ts";
import { docker, refused, succeed } from "../support/stack.ts";

export interface RegionStory extends RegionStackOptions {
  /** Of a Consul agent's end on the leader's host, for each kind of end. */
  readonly agentRounds: number;
}

/** The profile's `ttl`: so long Consul keeps a lock whose holder is gone; what comes on top is a promotion and a standby for it. */
const lockSeconds = 20;

export function regionStory({ agentRounds, ...options }: RegionStory): void {
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

    afterEach(async ({ task }) => {
      await faults.healAll();
      regions.endLedgers();
      if (task.result?.state === "fail") await regions.recover();
    });

    afterAll(async () => {
      await regions.remove();
    });

    function say(what: string, verdict: Verdict): void {
      console.log(`${what}: ${summary(verdict)}; longest pause ${seconds(verdict.longestGapMs)}`);
    }

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
        const values = await everywhere("SHOW log_min_duration_statement");
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
      expect(new Set(await everywhere("SHOW max_connections"))).toEqual(new Set(["150"]));
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

    test("(15) the leader's container is killed: nothing is lost, at most the lock's life and 10 s without writes, nobody's hand", async () => {
      const ledger = await regions.startLedger();
      const verdict = await afterwards(
        ledger,
        async (leader) => {
          await faults.kill(regions.container(leader));
          return lockSeconds + 15;
        },
        async (leader) => {
          await docker("start", regions.container(leader));
          await rejoined(leader);
        },
      );
      say("the leader's container is killed", verdict);
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
      const before = await identities();
      const ledger = await regions.startLedger();
      for (const region of [regions.standby, regions.active] as const) {
        const text = await regions.moveTo(region);
        const steps = executedSteps(text)
          .map(({ description }) => description)
          .join("\n");
        expect(steps).toMatch(/prove that[\s\S]*promote/);
        expect(await regions.leader()).toMatch(new RegExp(`^${region}-`));
        await ledger.acknowledgedAfter();
        await regions.settled();
      }
      const verdict = await regions.judge(ledger);
      say("another region, and back", verdict);
      expect(verdict.changes).toHaveLength(2);
      for (const { gapMs } of verdict.changes) expect(gapMs).toBeLessThan(15_000);
      expect(await identities()).toEqual(before);
      await regions.expectNoChanges();
    });

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
      const secrets = await secretsOf(regions);
      expect(secrets.length).toBeGreaterThan(15);
      const places = regions.hosts().map(({ name }) => new ContainerNode(regions.container(name)).exposed());
      const exposed = [...(await Promise.all(places)), regions.said];
      for (const text of exposed) expect(secrets.filter((secret) => text.includes(secret))).toEqual([]);
    });

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

    async function everywhere(statement: string): Promise<string[]> {
      return await Promise.all(
        regions.allMembers().map(({ name }) => sql(regions.container(name), statement)),
      );
    }

    async function postmasters(): Promise<string[]> {
      return await everywhere("SELECT pg_postmaster_start_time()");
    }

    /** Of the database, and of the folder that each member has it in: a copy made anew has another one. */
    async function identities(): Promise<string[]> {
      const systems = await everywhere("SELECT system_identifier FROM pg_control_system()");
      const folders = regions
        .allMembers()
        .map(({ name }) =>
          asPostgres(
            regions.container(name),
            "stat",
            "-c",
            "%n %i %W",
            "/var/lib/understudy/pgdata/PG_VERSION",
          ),
        );
      return [...systems, ...(await Promise.all(folders))];
    }
  });
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}

async function remaining(since: number, wanted: number): Promise<void> {
  const left = since + wanted * 1000 - monotonicMs();
  if (left > 0) await new Promise((resolve) => setTimeout(resolve, left));
}

async function patronictl(container: string, ...args: string[]): Promise<void> {
  await docker("exec", container, "patronictl", ...args);
}

/** Everything that lies in a secret file of a host, and what the stack gives out as one. */
async function secretsOf(regions: RegionStack): Promise<string[]> {
  const files = "cd /etc/understudy/secrets && cat consul.json patroni.yml passwords/* 2>/dev/null; true";
  const inside = await Promise.all(
    regions.hosts().map(({ name }) => docker("exec", regions.container(name), "sh", "-c", files)),
  );
  const servers = [...regions.servers("region-a"), ...regions.servers("region-b")];
  const tokens = await Promise.all(
    servers.map(async ({ name }) => {
      const text = await docker(
        "exec",
        regions.container(name),
        "cat",
        "/etc/understudy/secrets/tokens.json",
      );
      return Object.values(JSON.parse(text) as Record<string, string>);
    }),
  );
  const others = inside.join("\n").match(/[A-Za-z0-9+/=_-]{20,}/g) ?? [];
  const found = [...tokens.flat(), ...others, regions.access.password];
  // Consul's own word for one of its tokens is no secret.
  return [...new Set(found)].filter((text) => !/^[a-z_-]+$/.test(text));
}
