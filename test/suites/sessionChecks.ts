/**
 * The study behind `database.sessionChecks`: what a leader's session survives with `serfHealth` and without, and how soon
 * a host's death is noticed. One region, profile `fast`, strict; each trouble by itself, under load.
 */
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { Faults } from "../support/faults.ts";
import { signal } from "../support/processes.ts";
import { RegionStack, type RegionStackOptions } from "../support/regionStack.ts";
import { docker } from "../support/stack.ts";

export interface SessionCheckOptions extends Omit<RegionStackOptions, "database" | "regions"> {
  readonly checks: readonly "serfHealth"[];
  /** Of each way to end the agent. */
  readonly restarts: number;
  /** Of every other trouble. */
  readonly rounds: number;
}

export interface TroubleRow {
  readonly trouble: string;
  readonly rounds: number;
  /** Times that another member led afterwards, or the same one on another timeline. */
  readonly failovers: number;
  /** Times that the leader's lock got another session, so that it had lost the one before. */
  readonly sessionsLost: number;
  readonly longestPauseMs: number;
}

export function sessionChecks(options: SessionCheckOptions): void {
  const { checks, restarts, rounds, ...names } = options;
  const database = { sessionChecks: checks };

  describe(`the leader's session depends on ${checks.join() || "its own time alone"}`, () => {
    const regions = new RegionStack({ ...names, database, regions: ["region-a"] });
    const faults = new Faults();
    const rows: TroubleRow[] = [];

    beforeAll(async () => {
      await regions.bringUp();
      await regions.settled();
    });

    afterEach(async ({ task }) => {
      await faults.healAll();
      regions.endLedgers();
      if (task.result?.state === "fail") await regions.recover();
    });

    afterAll(async () => {
      console.log(table(checks, rows));
      await regions.remove();
    });

    /** What `harm` does is over when it returns; then Consul and Patroni get the time that they need to find out. */
    async function suffer(trouble: string, times: number, harm: (leader: string) => Promise<unknown>) {
      await regions.settled();
      const ledger = await regions.startLedger({ writers: 2 });
      let [failovers, sessionsLost] = [0, 0];
      for (let round = 0; round < times; round++) {
        const [leader, before] = [await regions.leader(), await state()];
        await harm(leader);
        await sleep(quietMs);
        await regions.settled(90);
        const after = await state();
        if (after.ended !== before.ended || (await regions.leader()) !== leader) failovers++;
        if (after.session !== before.session) sessionsLost++;
      }
      const { longestGapMs, lost } = await regions.judge(ledger);
      const row = { trouble, rounds: times, failovers, sessionsLost, longestPauseMs: longestGapMs };
      rows.push(row);
      console.log(JSON.stringify({ checks, ...row }));
      expect(lost).toBe(0);
      return row;
    }

    async function state() {
      const server = regions.servers(regions.active)[0]?.name ?? "";
      const key = `service/${names.name}/leader`;
      return {
        ended: JSON.stringify(await regions.failovers(regions.active)),
        session: await docker("exec", regions.container(server), "python3", "-c", sessionOf, key),
      };
    }

    const needless = [
      ["its agent is killed", restarts, (leader) => signal(at(leader), "consul", "KILL")],
      ["its agent is told to end", restarts, (leader) => signal(at(leader), "consul", "TERM")],
      [
        "its agent is restarted by its host's supervisor",
        restarts,
        (leader) => regions.call(leader, "restart", { program: "consul", timeoutSeconds: 30 }),
      ],
      ...[1, 3, 5].map(
        (seconds): Trouble => [
          `its gossip is dropped for ${seconds} s`,
          rounds,
          async (leader) => {
            const heal = await faults.cutPort(at(leader), gossipPort);
            await sleep(seconds * 1000);
            await heal();
          },
        ],
      ),
      ...[2, 5, 10].map(
        (seconds): Trouble => [
          `its agent stands still for ${seconds} s`,
          rounds,
          async (leader) => {
            await signal(at(leader), "consul", "STOP");
            await sleep(seconds * 1000);
            await signal(at(leader), "consul", "CONT");
          },
        ],
      ),
      ["a server of Consul's is restarted", rounds, async () => await endServer(false)],
      ["Consul's leading server is killed", rounds, async () => await endServer(true)],
    ] satisfies Trouble[];

    test.each<Trouble>(needless)("%s: nobody fails over", async (trouble, times, harm) => {
      const { failovers } = await suffer(trouble, times, harm);
      expect(failovers).toBe(0);
    });

    test.each([2, 4, 8])("its host stands still for %i s", async (seconds) => {
      await suffer(`its host stands still for ${seconds} s`, rounds, async (leader) => {
        const heal = await faults.pause(at(leader));
        await sleep(seconds * 1000);
        await heal();
      });
    });

    test("its host is lost: how soon somebody else takes writes", async () => {
      const row = await suffer("its host is lost", rounds, async (leader) => {
        await faults.kill(at(leader));
        await sleep(noticedMs);
        await docker("start", at(leader));
      });
      expect(row.failovers).toBe(rounds);
    });

    async function endServer(leading: boolean): Promise<void> {
      const leads = async ({ name }: { name: string }) => {
        const { consul } = await regions.call(name, "observe", {});
        return consul?.leader === name;
      };
      for (const server of regions.servers(regions.active)) {
        if ((await leads(server)) !== leading) continue;
        await signal(at(server.name), "consul", "KILL");
        return;
      }
      throw new Error("no such server");
    }

    const at = (host: string) => regions.container(host);
  });
}

type Trouble = [trouble: string, times: number, harm: (leader: string) => Promise<unknown>];

const gossipPort = 8301;
/** A failed member is known as one after 5 to 7 s, and a Patroni looks once a second. */
const quietMs = 8_000;
/** Longer than the lock lives. */
const noticedMs = 25_000;
const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

function table(checks: readonly string[], rows: readonly TroubleRow[]): string {
  const head = `| ${checks.join() || "none"} | rounds | failovers | sessions lost | longest pause, s |`;
  const lines = rows.map(
    ({ trouble, rounds, failovers, sessionsLost, longestPauseMs }) =>
      `| ${trouble} | ${rounds} | ${failovers} | ${sessionsLost} | ${(longestPauseMs / 1000).toFixed(1)} |`,
  );
  return [head, "|---|---|---|---|---|", ...lines].join("\n");
}

/** The session that holds a key. Read on a server, with the token that lies there. */
const sessionOf = `import sys
sys.path.insert(0, "/etc/understudy")
import unit
from consulapi import Consul
consul = Consul(unit.installed())
found = consul.get("/v1/kv/" + sys.argv[1], consul.management)
print(found[0].get("Session", ""))`;
