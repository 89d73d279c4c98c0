/** A region is lost, and somebody lies to the gate: rows 24 and 25 of the acceptance matrix. */
import { afterEach, expect, test } from "vitest";
import { canDelay, Faults } from "../support/faults.ts";
import { copiesOf } from "../support/ledger.ts";
import { check, monotonicMs, summary } from "../support/ledgerHistory.ts";
import { eventually, sql } from "../support/nodes.ts";
import { executedSteps } from "../support/printed.ts";
import type { RegionName } from "../support/regionFacts.ts";
import type { RegionStack } from "../support/regionStack.ts";
import { docker, refused } from "../support/stack.ts";

export function regionLoss(regions: RegionStack): void {
  const faults = new Faults();

  afterEach(async ({ task }) => {
    await faults.healAll();
    regions.endLedgers();
    if (task.result?.state === "fail") await regions.recover();
  });

  test("(24) the gate takes no forged word for the old primary's end", async () => {
    const [leader, standby] = [await regions.leader(), await regions.leader(regions.standby)];
    await regions.call(leader, "checkpoint", {});
    await regions.settled();
    const control = { ...(await regions.call(leader, "control", {})), state: "shut down" };
    const [high = "0", low = "0"] = control.redoLsn.split("/");
    const moved = (bytes: number) =>
      `${high}/${(Number.parseInt(low, 16) + bytes).toString(16).toUpperCase()}`;
    const forged = [
      ["E_GATE_OTHER", { systemIdentifier: "7000000000000000001" }],
      ["E_GATE_OTHER", { timeline: control.timeline + 1 }],
      ["E_GATE_OTHER", { state: "in production" }],
      ["E_GATE_AHEAD", { redoLsn: moved(-40) }],
      ["E_GATE_BEHIND", { redoLsn: moved(64 << 20) }],
    ] as const;
    const before = await regions.incarnations();
    for (const [code, lie] of forged) {
      const asked = regions.call(standby, "gate", { control: { ...control, ...lie }, timeoutSeconds: 2 });
      await expect(asked, JSON.stringify(lie)).rejects.toMatchObject({ code });
    }
    expect(await regions.incarnations()).toBe(before);
  });

  test("(25) a region is lost: it takes a statement, loses no more than it says, and comes back as a standby", async () => {
    const [lost, next] = [regions.active, regions.standby];
    const members = regions.members(lost).map(({ name }) => regions.container(name));
    const hosts = regions.hosts().filter(({ region }) => region === lost);
    // Far apart, where this machine's kernel can make it so.
    if (await canDelay()) await far(lost, next);
    else console.log("the regions are near each other: this kernel has no nfnetlink_queue");
    const ledger = await regions.startLedger({ writers: 4 });
    await ledger.acknowledgedAfter(monotonicMs() + 5000);
    await docker("kill", ...hosts.map(({ name }) => regions.container(name)));

    regions.stack.config.active = next;
    await refused(regions.up("--skip-preview"), "E_FENCE_UNCONFIRMED");
    regions.declareFenced(lost);
    const refusal = await refused(regions.up("--skip-preview"), "E_DATA_LOSS");
    expect(refusal).toMatch(/asynchronously/);
    regions.declareFenced(lost, { acceptDataLoss: true });
    const began = monotonicMs();
    const text = await regions.succeed("--skip-preview");
    await ledger.acknowledgedAfter(began);
    console.log(
      `up took ${((monotonicMs() - began) / 1000).toFixed(1)} s; ${text.match(/N_DATA_AT_RISK.*/)?.[0]}`,
    );
    expect(await regions.leader()).toMatch(new RegExp(`^${next}-`));

    // It comes back by itself, with everything it had, while clients know its proxy as well.
    await docker("start", ...hosts.map(({ name }) => regions.container(name)));
    await takesNoWrite(members, 20);
    await eventually(60, "somebody there has seen who leads", async () => {
      const { hosts: facts } = await regions.observe();
      return (
        regions.members(lost).some(({ name }) => {
          const found = facts[name];
          return found?.reach === "up" && found.report.programs.patroni?.state === "superseded";
        }) || undefined
      );
    });
    regions.failover = undefined;
    const back = monotonicMs();
    const steps = executedSteps(await regions.succeed("--skip-preview")).map(
      ({ description }) => description,
    );
    expect(steps.join("\n")).toContain(`have ${lost} follow ${next}`);
    expect(steps.join("\n")).not.toMatch(/promote/);
    const history = await ledger.stop();
    await regions.settled(120);
    console.log(`${lost} follows ${next} ${((monotonicMs() - back) / 1000).toFixed(1)} s after \`up\` began`);

    const containers = regions.allMembers().map(({ name }) => regions.container(name));
    const copies = await copiesOf(containers, regions.access.database);
    const verdict = check(history, copies);
    console.log(`region lost: ${summary(verdict)}`);
    // What is lost was acknowledged in the last moment before the loss, and by the old region alone.
    const held = new Set(Object.values(copies)[0]);
    const lostWrites = history.writes.filter((write) => write.kind === "ok" && !held.has(write.id));
    const end = verdict.reigns[0]?.lastAckAt ?? 0;
    for (const write of lostWrites) expect(end - write.doneAt).toBeLessThan(2000);
    const unexpected = verdict.violations.filter(
      ({ message }) => !message.includes("acknowledged and not there"),
    );
    expect(unexpected).toEqual([]);
    expect(new Set(Object.values(copies).map((ids) => [...ids].sort().join())).size).toBe(1);
    expect(await regions.complaints()).toEqual([]);
    await regions.expectNoChanges();

    const again = await regions.startLedger({ writers: 4 });
    await regions.moveTo(lost);
    await again.acknowledgedAfter();
    console.log(`and back: ${summary(await regions.judge(again))}`);
  });

  /** 200 ms there and back between their members. */
  async function far(one: RegionName, other: RegionName): Promise<void> {
    for (const [from, to] of [
      [one, other],
      [other, one],
    ] as const) {
      const addresses = regions.members(to).map(({ address }) => address);
      for (const { name } of regions.members(from))
        await faults.delay(regions.container(name), 100, addresses);
    }
  }

  async function takesNoWrite(containers: readonly string[], seconds: number): Promise<void> {
    const end = Date.now() + seconds * 1000;
    while (Date.now() < end) {
      for (const container of containers) {
        const state = await sql(container, "SELECT pg_is_in_recovery()").catch(() => "down");
        expect(state, `${container} takes writes`).not.toBe("f");
      }
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  }
}
