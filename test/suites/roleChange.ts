/**
 * `active` moves the pair: rows 1, 2, 5, 6, 9, 10 and 34 of the acceptance matrix for two nodes, each with a ledger of
 * acknowledged writes. One story on one stack, wherever its sites are; the numbers in brackets are the rows.
 */
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { describe as describeStep } from "../../components/roles/plan/consequences.ts";
import { clientFor, connectWritable } from "../support/client.ts";
import { Faults } from "../support/faults.ts";
import { monotonicMs, summary, type Verdict } from "../support/ledgerHistory.ts";
import { untouched } from "../support/nodeHandle.ts";
import { asPostgres, eventually, sql } from "../support/nodes.ts";
import {
  other,
  PairStack,
  type PairStackOptions,
  refused,
  type Site,
  succeed,
} from "../support/pairStack.ts";
import { executedSteps, printedPlan } from "../support/printed.ts";
import { steppedConverge } from "../support/steppedConverge.ts";

export interface RoleChangeSuite extends PairStackOptions {
  /** Of switchovers there and back. */
  readonly rounds: number;
  /** Of row 1: see `LedgerOptions.writesPerSecond`, and its default. */
  readonly writesPerSecond?: number;
  /** Also the rows that take minutes. */
  readonly all: boolean;
}

export function roleChangeSuite({ rounds, all, ...more }: RoleChangeSuite): void {
  const { writesPerSecond, ...options } = more;
  describe(`roles of a pair, ${options.target}`, () => {
    const pair = new PairStack(options);
    const faults = new Faults();

    beforeAll(async () => {
      await pair.bringUp();
    });

    afterEach(async ({ task }) => {
      await faults.healAll();
      pair.endLedgers();
      if (task.result?.state === "fail") await pair.recover();
    });

    afterAll(async () => {
      await pair.remove();
    });

    function say(what: string, verdict: Verdict): void {
      console.log(`${what}: ${summary(verdict)}`);
    }

    /** Sites whose server would take a write. */
    async function writable(): Promise<Site[]> {
      const sites: Site[] = ["site-a", "site-b"];
      const answers = await Promise.all(
        sites.map((site) => sql(pair.container(site), "SELECT pg_is_in_recovery()").catch(() => "down")),
      );
      return sites.filter((_, index) => answers[index] === "f");
    }

    describe("a planned switchover", () => {
      test("preview prints the steps that run, and touches nothing", async () => {
        const target = pair.standby;
        pair.stack.config.active = target;
        const preview = await untouched(pair.nodes, () => succeed(pair.preview()));
        const planned = printedPlan(preview);
        expect(planned.length).toBeGreaterThan(3);
        expect(preview).toMatch(/writes stop/i);
        const up = await pair.moveTo(target);
        expect(executedSteps(up).map((step) => step.description)).toEqual(planned);
        expect(await writable()).toEqual([target]);
        const { active, evidence } = await pair.stack.outputs<{ active: string; evidence?: unknown }>();
        expect(active).toBe(target);
        expect(JSON.stringify(evidence)).toContain("redo");
        await pair.expectNoChanges();
      });

      test(`(1) ${rounds} rounds there and back under eight writers lose nothing`, async () => {
        const ledger = await pair.startLedger(writesPerSecond === undefined ? {} : { writesPerSecond });
        const stated: number[] = [];
        for (let round = 0; round < rounds; round++) {
          const text = await pair.moveTo(pair.standby);
          stated.push(Number(text.match(/write gap +(\d+) ms, as a client saw it/)?.[1]));
          const steps = executedSteps(text).map((step) => step.description);
          expect(steps.join("\n"), "the old primary follows without being rebuilt").not.toMatch(
            /rewind|copy /,
          );
          await ledger.acknowledgedAfter();
        }
        const verdict = await pair.judge(ledger);
        say("switchover", verdict);
        expect(verdict.changes).toHaveLength(rounds);
        const gaps = verdict.changes.map((change) => change.gapMs);
        expect(Math.max(...gaps)).toBeLessThan(5000);
        // What `up` says of the gap is what clients saw: two clients differ by how soon each found the new primary, and in a
        // single round one of them may have waited for a core.
        const apart = gaps.map((gap, round) => Math.abs(gap - (stated[round] ?? Number.NaN))).sort(byNumber);
        expect(
          apart[Math.floor(apart.length / 2)],
          `stated ${stated} ms, seen ${gaps.map(Math.round)} ms`,
        ).toBeLessThan(150);
        await pair.expectNoChanges();
      });

      test.runIf(all)("(2) killed before any of its steps it is finished by the next up", async () => {
        const ledger = await pair.startLedger({ writers: 4 });
        const twice: string[] = [];
        for (let index = 0, more = true; more; index++) {
          const target = pair.standby;
          const outcome = await steppedConverge(await pair.wish(target), (before) =>
            before.index === index ? "kill" : undefined,
          );
          more = outcome.killed;
          const where = more
            ? `killed before ${describeStep(outcome.steps.at(-1) ?? never())}`
            : "not killed";
          expect((await writable()).length, where).toBeLessThanOrEqual(1);
          pair.stack.config.active = target;
          const { code, text } = await pair.up("--skip-preview");
          if (code !== 0) {
            twice.push(
              `${where}: ${text.match(/Every step was carried out[\s\S]*?\n.*\n|E_[A-Z_]+.*/)?.[0] ?? text}`,
            );
            await pair.moveTo(target);
          }
          expect(await writable(), where).toEqual([target]);
          await ledger.acknowledgedAfter();
        }
        say("killed at every step", await pair.judge(ledger));
        expect(twice, "one up is enough").toEqual([]);
        await pair.expectNoChanges();
      });

      test("(2) killed before the promotion, the operator may also stay where he was", async () => {
        const ledger = await pair.startLedger({ writers: 4 });
        const stay = pair.active;
        const outcome = await steppedConverge(await pair.wish(pair.standby), ({ step }) =>
          step.kind === "promote" ? "kill" : undefined,
        );
        expect(outcome.killed, outcome.text).toBe(true);
        await pair.moveTo(stay);
        await ledger.acknowledgedAfter();
        const verdict = await pair.judge(ledger);
        expect(verdict.changes).toEqual([]);
        say("killed and gone back", verdict);
      });
    });

    describe("two operators", () => {
      test("a second change is refused by name while one runs, and a killed one is taken over knowingly", async () => {
        const target = pair.standby;
        let held: () => void = () => undefined;
        const release = new Promise<void>((resolve) => {
          held = resolve;
        });
        let reached: () => void = () => undefined;
        const underWay = new Promise<void>((resolve) => {
          reached = resolve;
        });
        const first = steppedConverge(await pair.wish(target), async ({ index }) => {
          if (index !== 1) return undefined;
          reached();
          await release;
          return undefined;
        });
        await underWay;
        pair.stack.config.active = target;
        const text = await refused(pair.up("--skip-preview"), "E_LOCKED");
        expect(text).toMatch(/E_LOCKED.*(since|for)/s);
        held();
        const outcome = await first;
        expect(outcome.code, outcome.text).toBe(0);
        await pair.moveTo(target);

        const back = pair.standby;
        const killed = await steppedConverge(await pair.wish(back), ({ index }) =>
          index === 2 ? "kill" : undefined,
        );
        expect(killed.killed).toBe(true);
        expect(await pair.moveTo(back)).toMatch(/took over|taken over/i);
        expect(await writable()).toEqual([back]);
      });
    });

    describe("a forced failover", () => {
      test("(6) is refused without the operator's statement, with an old one, and while the site is alive", async () => {
        const [old, next] = [pair.active, pair.standby];
        pair.declareFenced(old);
        await untouched(pair.nodes, () => refused(pair.up("--skip-preview"), "E_PRIMARY_ALIVE"));
        pair.failover = undefined;
        const heal = await faults.pause(pair.container(old));
        pair.stack.config.active = next;
        await untouched([pair.node(next)], () => refused(pair.up("--skip-preview"), "E_FENCE_UNCONFIRMED"));
        pair.declareFenced(old, { at: new Date(Date.now() - 3_600_000).toISOString() });
        await untouched([pair.node(next)], () => refused(pair.up("--skip-preview"), "E_FENCE_STALE"));
        await heal();
        pair.failover = undefined;
        pair.stack.config.active = old;
        await pair.expectNoChanges();
      });

      test("(5) from a killed primary loses nothing", async () => {
        const [old, next] = [pair.active, pair.standby];
        const ledger = await pair.startLedger();
        await faults.kill(pair.container(old));
        pair.declareFenced(old);
        const began = monotonicMs();
        const text = await succeed(pair.up("--skip-preview"));
        const first = await ledger.acknowledgedAfter(began);
        expect(text).toMatch(/No acknowledged write is lost/);
        expect(await writable()).toEqual([next]);
        const history = await ledger.stop();
        const served = Math.min(
          ...history.writes.filter((w) => w.kind === "ok" && w.doneAt > began).map((w) => w.doneAt),
        );
        console.log(
          `failover: first write ${((served - began) / 1000).toFixed(2)} s after the start of pulumi up`,
        );
        expect(first.acknowledged).toBeGreaterThan(0);
        expect(served - began).toBeLessThan(20_000);

        // (10) The old one comes back by itself, and a client that knows nothing else goes on trying it.
        await pair.node(old).start();
        await takesNoWrite(old, 8);
        // The statement is used up: left in the configuration it allows no second failover, and the old one rejoins.
        const steps = executedSteps(await succeed(pair.up("--skip-preview"))).map((step) => step.description);
        // Whether it had WAL of its own at the kill is chance; what is done with such WAL is proven in nodeRoleChange.
        expect(steps.join("\n")).toMatch(new RegExp(`wait until ${old} follows ${next}`));
        expect(steps.join("\n")).not.toMatch(/promote/);
        expect(await writable()).toEqual([next]);
        const verdict = await pair.judge(history);
        say("failover", verdict);
        expect(verdict.changes).toHaveLength(1);
        pair.failover = undefined;
        await succeed(pair.up("--skip-preview"));
        await pair.expectNoChanges();
      });

      test("(9) a commit in doubt is never shown to a client before it is certain", async () => {
        const [old, next] = [pair.active, pair.standby];
        const writer = await connectWritable(pair.access);
        await writer.query("CREATE TABLE IF NOT EXISTS doubt (id int)");
        await writer.query("TRUNCATE doubt");
        await pair.settled();
        await pair.node(next).stop();
        const hanging = writer.query("INSERT INTO doubt VALUES (1)").then(
          () => "acknowledged",
          () => "unknown",
        );
        await eventually(30, "the commit waits", async () => {
          const waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'SyncRep'";
          return (await sql(pair.container(old), waiting)) === "1" || undefined;
        });
        await faults.kill(pair.container(old));
        expect(await hanging).toBe("unknown");
        await pair.node(old).start();
        await eventually(30, "the primary is back", async () => {
          return (
            (await sql(pair.container(old), "SELECT count(*) FROM doubt", pair.access.database)) === "1" ||
            undefined
          );
        });
        await isClosed(old, 5);
        await faults.kill(pair.container(old));
        await pair.node(next).start();
        pair.declareFenced(old);
        await eventually(60, "the failover", async () => {
          const { code } = await pair.up("--skip-preview");
          return code === 0 || undefined;
        });
        const reader = await connectWritable(pair.access);
        expect((await reader.query("SELECT * FROM doubt")).rows).toEqual([]);
        await reader.end();
        await pair.node(old).start();
        pair.failover = undefined;
        await succeed(pair.up("--skip-preview"));
        expect(await sql(pair.container(old), "SELECT count(*) FROM doubt", pair.access.database)).toBe("0");
        await pair.expectNoChanges();
      });
    });

    /** For so many seconds no write is acknowledged by a site that a client knows alone. */
    async function takesNoWrite(site: Site, seconds: number): Promise<void> {
      const [target] = pair.accessOnly(site).targets;
      if (!target) throw new Error(`no target for ${site}`);
      const end = Date.now() + seconds * 1000;
      while (Date.now() < end) {
        const client = clientFor(pair.access, target);
        client.on("error", () => undefined);
        const written = await client
          .connect()
          .then(() => client.query("SET statement_timeout = '1s'"))
          .then(() => client.query("CREATE TABLE must_not_be ()"))
          .then(
            () => true,
            () => false,
          );
        client.connection.stream.destroy();
        expect(written, `${site} took a write`).toBe(false);
        await new Promise((resolve) => setTimeout(resolve, 200));
      }
    }

    /** For so many seconds nobody can read there either. */
    async function isClosed(site: Site, seconds: number): Promise<void> {
      const [target] = pair.accessOnly(site).targets;
      if (!target) throw new Error(`no target for ${site}`);
      const end = Date.now() + seconds * 1000;
      while (Date.now() < end) {
        const client = clientFor(pair.access, target);
        client.on("error", () => undefined);
        await expect(client.connect(), `${site} lets a client in`).rejects.toThrow();
        client.connection.stream.destroy();
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
    }

    describe("(34) what is refused on a live fleet", () => {
      /** Makes something wrong, sees the refusal and that nothing was changed, and puts it right again. */
      async function isRefused(
        code: string,
        wrong: () => Promise<void>,
        right: () => Promise<void>,
      ): Promise<void> {
        const stay = pair.active;
        try {
          await wrong();
          pair.stack.config.active = other(stay);
          await untouched(pair.nodes, async () => {
            const began = monotonicMs();
            await refused(pair.preview(), code);
            await refused(pair.up("--skip-preview"), code);
            console.log(`${code} ${((monotonicMs() - began) / 2000).toFixed(1)} s`);
          });
        } finally {
          pair.stack.config.active = stay;
          await right();
        }
        expect(await writable()).toEqual([stay]);
      }
      const settings = (value: Record<string, unknown> | undefined) => async () => {
        if (value) pair.stack.config.deployment.database["settings"] = value;
        else delete pair.stack.config.deployment.database["settings"];
      };
      const onPrimary = (statement: string) => async () => {
        await sql(pair.container(pair.active), statement);
      };
      const onStandby = (statement: string) => async () => {
        await sql(pair.container(pair.standby), statement);
      };

      test("a standby that does not replay", async () => {
        await isRefused(
          "E_REPLAY_PAUSED",
          onStandby("SELECT pg_wal_replay_pause()"),
          onStandby("SELECT pg_wal_replay_resume()"),
        );
      });

      test("a standby that does not stream", async () => {
        const standby = pair.container(pair.standby);
        const address =
          (await pair.wish()).nodes.find((node) => node.site === pair.active)?.address ?? never();
        const heal = await faults.cut(standby, [address]);
        const gone = "SELECT count(*) FROM pg_stat_replication";
        const primary = pair.container(pair.active);
        await eventually(20, "it is missed", async () => (await sql(primary, gone)) === "0" || undefined);
        await isRefused("E_STANDBY_NOT_SYNC", async () => undefined, heal);
        await pair.settled();
      });

      test("a role whose commits do not wait", async () => {
        await isRefused(
          "E_DURABILITY_LOWERED",
          // Of a role that the stack does not declare; one that it does is put right by the update.
          onPrimary("CREATE ROLE batch LOGIN; ALTER ROLE batch SET synchronous_commit = local"),
          onPrimary("DROP ROLE batch"),
        );
      });

      test("a base backup that runs", async () => {
        // As slow as it goes, taken by the standby's own way to its primary.
        const standby = pair.container(pair.standby);
        const source = `$(sed -n "s/^primary_conninfo = '\\(.*\\)'$/\\1/p" /var/lib/understudy/state/role.conf)`;
        const backup = `pg_basebackup -D /tmp/backup --max-rate=32k -X none -c fast -d "${source}"`;
        const running = "SELECT count(*) FROM pg_stat_progress_basebackup";
        const count = () => sql(pair.container(pair.active), running);
        await isRefused(
          "E_BACKUP_RUNNING",
          async () => {
            await asPostgres(standby, "sh", "-c", `${backup} > /dev/null 2>&1 &`);
            await eventually(20, "the backup runs", async () => (await count()) === "1" || undefined);
          },
          async () => {
            await onPrimary("SELECT pg_terminate_backend(pid) FROM pg_stat_progress_basebackup")();
            await eventually(20, "the backup has ended", async () => (await count()) === "0" || undefined);
            await asPostgres(standby, "rm", "-rf", "/tmp/backup");
          },
        );
      });

      test("a change that is too wide", async () => {
        await isRefused("E_CHANGE_TOO_WIDE", settings({ max_connections: 130 }), settings(undefined));
      });

      test("a site that there is not", async () => {
        const stay = pair.active;
        pair.stack.config.active = "site-c";
        try {
          await untouched(pair.nodes, () => refused(pair.up("--skip-preview"), "E_ACTIVE_UNKNOWN"));
        } finally {
          pair.stack.config.active = stay;
        }
      });

      test("and afterwards the pair is as it was", async () => {
        const before = await Promise.all(pair.nodes.map((node) => node.fingerprint()));
        await pair.expectNoChanges();
        expect(await Promise.all(pair.nodes.map((node) => node.fingerprint()))).toEqual(before);
      });
    });
  });
}

function byNumber(one: number, other: number): number {
  return one - other;
}

function never(): never {
  throw new Error("internal: nothing there");
}
