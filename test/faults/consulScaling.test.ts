/** The servers of a region's Consul become more, fewer and others while clients write: nobody fails over, no program restarts. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { Faults } from "../support/faults.ts";
import { summary } from "../support/ledgerHistory.ts";
import { eventually } from "../support/nodes.ts";
import { executedSteps, printedPlan } from "../support/printed.ts";
import { processesOf, signal } from "../support/processes.ts";
import { RegionStack } from "../support/regionStack.ts";
import { docker, refused, succeed } from "../support/stack.ts";

describe("Consul's servers, live", () => {
  const regions = new RegionStack({ name: "test-cscale", net: 180, port: 17390, regions: ["region-a"] });
  const faults = new Faults();

  beforeAll(async () => {
    await regions.bringUp();
    await regions.settled();
  });

  afterEach(async () => {
    await faults.healAll();
    regions.endLedgers();
  });

  afterAll(async () => {
    await regions.remove();
  });

  const named = (...numbers: readonly number[]) => numbers.map((number) => `region-a-consul-${number}`);
  const at = (host: string) => regions.container(host);

  function declare(...numbers: readonly number[]): void {
    const servers = Object.fromEntries(named(...numbers).map((name) => [name, {}]));
    regions.stack.config.deployment.regions["region-a"]["consulServers"] = servers;
  }

  /** Every Consul that runs, and who leads on which timeline. */
  async function lives(hosts: readonly string[]): Promise<string[]> {
    const consuls = hosts.map(async (host) => `${host} ${await processesOf(at(host), "consul")}`);
    const [leader, ended] = [await regions.leader(), JSON.stringify(await regions.failovers("region-a"))];
    return [...(await Promise.all(consuls)), leader, ended];
  }

  async function peersBy(host: string): Promise<string[]> {
    const { consul } = await regions.call(host, "observe", {});
    return (consul?.peers ?? []).map(({ node, voter }) => `${node}${voter ? "" : " without a vote"}`).sort();
  }

  /** Under load, with the plan that a preview shows; `stay`: the hosts whose Consul must not be touched. */
  async function update(what: string, stay: readonly string[]): Promise<string> {
    const members = regions.members("region-a").map(({ name }) => name);
    const before = await lives([...stay, ...members]);
    const plan = printedPlan(await succeed(regions.preview())).join("\n");
    expect(plan).not.toMatch(/restart|reload/);
    const ledger = await regions.startLedger({ writers: 4 });
    const steps = executedSteps(await regions.succeed("--skip-preview"));
    await ledger.acknowledgedAfter();
    await regions.findAccess();
    const verdict = await regions.judge(ledger);
    console.log(`${what}: ${summary(verdict)}; longest pause ${(verdict.longestGapMs / 1000).toFixed(1)} s`);
    expect(await lives([...stay, ...members])).toEqual(before);
    expect(verdict.changes).toEqual([]);
    expect(verdict.longestGapMs).toBeLessThan(5000);
    return steps.map(({ description }) => description).join("\n");
  }

  test("3 become 5: the new ones get a vote, and nobody is restarted", async () => {
    declare(1, 2, 3, 4, 5);
    await update("3 → 5", named(1, 2, 3));
    expect(await peersBy("region-a-consul-5")).toEqual(named(1, 2, 3, 4, 5));
    await regions.expectNoChanges();
  });

  test("none is taken away while one that stays does not answer", async () => {
    declare(1, 2, 3);
    // It may well lead; the others are then looked at in the middle of an election.
    await signal(at("region-a-consul-2"), "consul", "STOP");
    const text = await refused(regions.preview(), "E_CONSUL_QUORUM").finally(() =>
      signal(at("region-a-consul-2"), "consul", "CONT"),
    );
    expect(text).toMatch(/region-a-consul-[45] would be taken out .* region-a-consul-2 has a Consul/);
    // Where it led, another one is elected meanwhile.
    await eventually(30, "all five are there", async () => {
      return (await peersBy("region-a-consul-1")).join() === named(1, 2, 3, 4, 5).join() || undefined;
    });
    const gone = regions.call("region-a-consul-1", "removeServer", {
      node: "region-a-consul-5",
      stay: named(1, 2, 9),
    });
    await expect(gone).rejects.toMatchObject({ code: "E_SERVERS_ILL" });
  });

  test("5 become 3: one after the other leaves Raft and gossip", async () => {
    declare(1, 2, 3);
    const said = await update("5 → 3", named(1, 2, 3));
    expect(said.match(/^take region-a-consul-[45] out/gm)).toHaveLength(2);
    expect(await peersBy("region-a-consul-1")).toEqual(named(1, 2, 3));
    // A member may miss the word, and has them among those that left then; no server may, for the plan goes by them.
    const members = regions.members("region-a").map(({ name }) => name);
    for (const host of [...named(1, 2, 3), ...members]) {
      const may = members.includes(host) ? ["left"] : [];
      await eventually(30, `${host} knows that they left`, async () => {
        const { consul } = await regions.call(host, "observe", {});
        if (!consul?.members.length) return undefined;
        const those = consul.members.filter(({ node }) => named(4, 5).includes(node));
        if (those.length > 0) console.log(`${host}: ${JSON.stringify(those)}`);
        return those.every(({ status }) => may.includes(status)) || undefined;
      });
    }
    const left = await docker(
      "ps",
      "-a",
      "--format",
      "{{.Names}}",
      "--filter",
      `name=${at("region-a-consul")}`,
    );
    expect(left.split("\n").sort()).toEqual(named(1, 2, 3).map(at));
    await regions.expectNoChanges();
  });

  test("another text rotates the gossip key", async () => {
    regions.stack.config.deployment.regions["region-a"]["consul"] = { gossipKeyRotation: "once" };
    const before = await lives(everybody());
    const ledger = await regions.startLedger({ writers: 4 });
    const steps = executedSteps(await regions.succeed()).map(({ description }) => description);
    expect(steps.join("\n")).toContain("bring the new gossip key into use");
    const verdict = await regions.judge(ledger);
    expect(await lives(everybody())).toEqual(before);
    expect(verdict.changes).toEqual([]);
    await regions.expectNoChanges();
  });

  test("every server takes snapshots by itself, and one that is restored under load moves nobody", async () => {
    const [server = ""] = named(1);
    for (const host of named(1, 2, 3)) {
      await eventually(240, `${host} has a snapshot`, async () => {
        const { snapshots } = await regions.call(host, "observe", {});
        return snapshots?.newestAt ?? undefined;
      });
    }
    const before = await lives(everybody());
    const ledger = await regions.startLedger({ writers: 4 });
    const { path } = await regions.call(server, "snapshot", {});
    const restore = ["python3", "/etc/understudy/agent.py", "restore", path];
    expect(await docker("exec", at(server), ...restore)).toBe(`Consul's state is that of ${path}`);
    await ledger.acknowledgedAfter();
    await new Promise((resolve) => setTimeout(resolve, 25_000));
    const verdict = await regions.judge(ledger);
    console.log(`restored: ${summary(verdict)}; longest pause ${(verdict.longestGapMs / 1000).toFixed(1)} s`);
    expect(await lives(everybody())).toEqual(before);
    expect(verdict.changes).toEqual([]);
  });

  const everybody = () => [...named(1, 2, 3), ...regions.members("region-a").map(({ name }) => name)];

  test("one that is lost for good is replaced by another, whatever it was", async () => {
    await faults.kill(at("region-a-consul-3"));
    declare(1, 2, 6);
    await update("3 lost → 6", named(1, 2));
    expect(await peersBy("region-a-consul-6")).toEqual(named(1, 2, 6));
    await regions.expectNoChanges();
  });
});
