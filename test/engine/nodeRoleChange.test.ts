/** What a change of the leading node asks of the nodes' agents, on a real pair, verb by verb. */
import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { childProgram } from "../../components/hosts/childProgram.ts";
import { imageTag } from "../../components/hosts/containers/images.ts";
import { LineSession } from "../../components/hosts/lineSession.ts";
import type { ControlFacts, NodeReport } from "../../components/roles/facts.ts";
import { docker } from "../node/docker.ts";
import { limit, Pair, type TestNode, until } from "../node/pair.ts";
import { deviations } from "../node/shape.ts";

const gateLimit = { timeoutSeconds: 3 } as const;
const times: Record<string, number[]> = {};

function note(what: string, ms: number): void {
  times[what] = [...(times[what] ?? []), ms];
}

function printTimes(): void {
  for (const [what, all] of Object.entries(times)) {
    const sorted = all.toSorted((x, y) => x - y);
    console.log(`${what}: median ${sorted[Math.floor(sorted.length / 2)]} ms of ${JSON.stringify(all)}`);
  }
}

function sqlFacts(report: NodeReport) {
  if (!report.server.sql) throw new Error(`no SQL facts: ${report.server.state}, ${report.server.reason}`);
  return report.server.sql;
}

function changeFrom(from: TestNode, to: TestNode, mode: "switchover" | "failover") {
  return { mode, from: from.name, to: to.name, at: new Date().toISOString(), statementAt: null } as const;
}

function controlOf(control: ControlFacts | null): ControlFacts {
  if (!control) throw new Error("no control file");
  return control;
}

/** The order of calls that a switchover has. */
async function switchOver(from: TestNode, to: TestNode) {
  await to.call("slots", { ensure: [from.slot], drop: [] });
  await from.call("checkpoint", {});
  await to.call("checkpoint", {});
  const change = changeFrom(from, to, "switchover");
  const prepared = to.call("prepare", { change, ...limit });
  const stopped = await from.call("stop", { ...limit, follow: to.name });
  const old = controlOf(stopped.control);
  expect((await prepared).ended).toBe(true);
  const gate = await to.call("gate", { control: old, ...gateLimit });
  const begun = performance.now();
  const started = from.call("start", limit);
  const promoted = await to.call("promote", { change, alone: false, ...limit });
  await started;
  await to.call("awaitStandby", { standby: from.name, ...limit });
  note("stop", stopped.ms);
  note("gate", gate.ms);
  note("promote", promoted.ms);
  note("gate passed → old primary in sync", Math.round(performance.now() - begun));
  return { old, gate, promoted, change };
}

async function streamsFrom(node: TestNode, source: TestNode): Promise<void> {
  await until(
    `${node.name} streams from ${source.name}`,
    20,
    async () => sqlFacts(await node.observe()).walReceiver?.host === source.address,
  );
}

/** An agent beside a stopped container. */
function beside(node: TestNode): LineSession {
  const run = ["run", "--rm", "-i", "--volumes-from", node.container, "--network", "none"];
  const agent = ["python3", "/etc/understudy/node.py", "serve", "--offline"];
  return new LineSession(node.name, childProgram(["docker", ...run, imageTag("postgres"), ...agent]));
}

describe("a change of the leading node", () => {
  let pair: Pair;
  let a: TestNode;
  let b: TestNode;

  beforeAll(async () => {
    pair = await Pair.create({ synchronous: "strict", prefix: "rc" });
    ({ a, b } = pair);
    await pair.bringUp();
    await pair.addApplication();
  });
  afterAll(async () => {
    printTimes();
    await pair?.remove();
  });

  it("goes there and back by three equalities, without a rewind, and both nodes know of it", async () => {
    for (const [from, to, timeline] of [
      [a, b, 2],
      [b, a, 3],
      [a, b, 4],
      [b, a, 5],
    ] as const) {
      expect(await from.clientSql("INSERT INTO public.t VALUES (1) RETURNING 'written'")).toBe("written");
      const { old, gate, promoted, change } = await switchOver(from, to);
      expect(old.state).toBe("shut down");
      for (const fact of ["systemIdentifier", "timeline", "redoLsn"] as const) {
        expect(gate.control[fact]).toBe(old[fact]);
      }
      expect(promoted.timeline).toBe(timeline);
      expect(await to.clientSql("INSERT INTO public.t VALUES (1) RETURNING 'written'")).toBe("written");
      const reports = [await to.observe(), await from.observe()];
      for (const report of reports) {
        expect(deviations(report, "NodeReport")).toEqual([]);
        expect(report.promotion).toEqual({ ...change, timeline, switchLsn: promoted.switchLsn });
        expect(report.history?.at(-1)).toEqual({ timeline: timeline - 1, switchLsn: promoted.switchLsn });
        expect(report.degraded).toBeNull();
      }
      // Repeated, it says what it said.
      const again = await to.call("promote", { change, alone: false, ...limit });
      expect(again).toMatchObject({ timeline, switchLsn: promoted.switchLsn });
      await expect(
        to.call("promote", { change: { ...change, statementAt: "x" }, alone: false, ...limit }),
      ).rejects.toMatchObject({ code: "E_NOT_STANDBY" });
    }
    expect(await a.clientSql("SELECT count(*) FROM public.t")).toBe("8");
    expect(`${await a.logs()}${await b.logs()}`).not.toContain("pg_rewind");
  });

  it("has its standby know how far the primary was, and under which promise", async () => {
    await until("it is on disk", 10, async () => (await b.observe()).received?.policy === "strict");
    const report = await b.observe();
    expect(report.received).toMatchObject({ policy: "strict", degraded: null });
    expect(Date.now() - Date.parse(report.received?.lastContactAt ?? "")).toBeLessThan(15_000);
    expect((await a.observe()).received).toBeNull();
  });

  it("verifies as a client, and measures a gap", async () => {
    const targets = pair.nodes.map(({ name, address }) => ({ name, address, port: 5432 }));
    const target = { name: a.name, address: a.address, port: 5432 };
    expect(await b.call("verify", target)).toMatchObject({ server: a.name, timeline: 5 });
    await expect(b.call("verify", { ...target, name: b.name })).rejects.toMatchObject({ code: "E_VERIFY" });
    await expect(b.call("verify", { ...target, name: b.name, address: b.address })).rejects.toMatchObject({
      code: "E_VERIFY",
      message: expect.stringContaining("read-only"),
    });
    const watcher = await b.newAccess().open();
    await watcher.call("probeStart", { targets, everyMs: 5 });
    await sleep(1000);
    const { promoted } = await switchOver(a, b);
    const probed = await watcher.call("probeStop", { graceSeconds: 5 });
    await watcher.close();
    note("gap of the probe", probed.gapMs);
    const written = Number(await b.sql("SELECT count(*) FROM understudy.probe"));
    // First of all, so that what follows here fails for reasons of its own.
    await switchOver(b, a);
    expect(probed).toMatchObject({
      before: { server: a.name, timeline: 5 },
      after: { server: b.name, timeline: promoted.timeline },
    });
    expect(probed.gapMs).toBeLessThan(3000);
    expect(written).toBeLessThan(5);
  });

  it("refuses at the gate what the standby lacks, and gives the old primary its role back", async () => {
    const { timeline } = sqlFacts(await a.observe());
    await a.call("checkpoint", {});
    await pair.awaitSync();
    await b.call("checkpoint", {});
    await b.call("stop", limit);
    await a.sql("CREATE TABLE public.late (n int)", "app");
    const stopped = await a.call("stop", { ...limit, follow: b.name });
    const old = controlOf(stopped.control);
    await b.call("start", limit);
    await expect(b.call("gate", { control: old, timeoutSeconds: 1 })).rejects.toMatchObject({
      code: "E_GATE_BEHIND",
      message: expect.stringMatching(new RegExp(`redo ${old.redoLsn}; standby: .*redo `)),
    });
    for (const [control, code] of [
      [{ ...old, state: "in production" }, "E_GATE_OTHER"],
      [{ ...old, systemIdentifier: "1" }, "E_GATE_OTHER"],
      [{ ...old, redoLsn: "0/1000000" }, "E_GATE_AHEAD"],
    ] as const) {
      await expect(b.call("gate", { control, timeoutSeconds: 1 })).rejects.toMatchObject({ code });
    }
    expect((await a.observe()).data.standbySignal).toBe(true);
    await a.call("lead", {});
    await a.call("lead", {});
    expect((await a.observe()).data).toMatchObject({ standbySignal: false, follows: null });
    expect(await a.call("control", {})).toMatchObject({ redoLsn: old.redoLsn });
    await a.call("start", limit);
    await pair.awaitSync();
    expect(sqlFacts(await a.observe()).timeline).toBe(timeline);
    expect(await a.clientSql("INSERT INTO public.t VALUES (1) RETURNING 'written'")).toBe("written");
  });

  it("has one owner at a time, and says when one did not get to the end", async () => {
    const first = await a.newAccess().open();
    const second = await a.newAccess().open();
    expect(await first.call("lock", { owner: "alice on one" })).toEqual({ tookOver: null });
    await expect(second.call("lock", { owner: "bob on two" })).rejects.toMatchObject({
      code: "E_LOCKED",
      message: expect.stringMatching(/alice on one for \d+ s/),
    });
    expect((await a.observe()).lock).toMatchObject({ owner: "alice on one", alive: true });
    await first.call("unlock", {});
    expect((await a.observe()).lock).toBeNull();
    await first.call("lock", { owner: "alice on one" });
    await first.close();
    // Far below a lease.
    await until("it is free", 10, async () => (await a.observe()).lock?.alive === false);
    expect((await second.call("lock", { owner: "bob on two" })).tookOver?.owner).toBe("alice on one");
    await second.call("unlock", {});
    await second.close();
  });

  it("is not locked for ever by an owner whose network went away without a word", async () => {
    const { spawn } = await import("node:child_process");
    // The agent's own serve, with a lease that a test can wait for; its standard input stays open and silent.
    const script =
      "import sys; sys.path.insert(0, '/etc/understudy'); sys.dont_write_bytecode = True; import conversation, serve; conversation.LEASE = 3; serve.serve()";
    const owner = spawn("docker", ["exec", "-i", a.container, "python3", "-c", script], {
      stdio: ["pipe", "ignore", "ignore"],
    });
    owner.stdin.write(`${JSON.stringify({ id: 1, verb: "lock", args: { owner: "gone" } })}\n`);
    const beat = setInterval(() => owner.stdin.write("\n"), 500).unref();
    await until("he has it", 20, async () => (await a.observe()).lock?.alive === true);
    await sleep(4500);
    expect((await a.observe()).lock?.alive).toBe(true);
    clearInterval(beat);
    await until("the lease has ended", 20, async () => (await a.observe()).lock?.alive === false);
    const next = await a.newAccess().open();
    expect((await next.call("lock", { owner: "next" })).tookOver?.owner).toBe("gone");
    await next.call("unlock", {});
    await next.close();
    owner.kill("SIGKILL");
  });

  it("is not locked for ever by an owner who was killed, nor before his verb is done", async () => {
    const { spawn } = await import("node:child_process");
    const serve = ["exec", "-i", a.container, "python3", "/etc/understudy/node.py", "serve"];
    const owner = spawn("docker", serve, { stdio: ["pipe", "pipe", "ignore"] });
    const say = (verb: string, args: object) =>
      owner.stdin.write(`${JSON.stringify({ id: 1, verb, args })}\n`);
    say("lock", { owner: "killed" });
    await until("he has it", 20, async () => (await a.observe()).lock?.owner === "killed");
    say("awaitStandby", { standby: "nobody", timeoutSeconds: 5 });
    await sleep(1000);
    owner.kill("SIGKILL");
    await sleep(500);
    expect((await a.observe()).lock?.alive).toBe(true);
    await until("it is free", 20, async () => (await a.observe()).lock?.alive === false);
    const next = await a.newAccess().open();
    expect((await next.call("lock", { owner: "next" })).tookOver?.owner).toBe("killed");
    await next.call("unlock", {});
    await next.close();
  });

  it("fails over with nobody left to ask: marked, alone, and told apart from a switchover", async () => {
    await a.clientSql("INSERT INTO public.t VALUES (1)");
    await until("it is on disk", 10, async () => (await b.observe()).received?.receivedLsn !== null);
    await a.close();
    await docker("kill", a.container);
    const change = { ...changeFrom(a, b, "failover"), statementAt: "2026-01-01T00:00:00.000Z" };
    const { received } = await b.observe();
    expect(received).toMatchObject({ policy: "strict", degraded: null, lastContactAt: expect.any(String) });
    const { ms, timeline } = await b.call("promote", { change, alone: true, ...limit });
    note("promote alone", ms);
    expect(await b.clientSql("INSERT INTO public.t VALUES (1) RETURNING 'written'", 5)).toBe("written");
    const report = await b.observe();
    expect(report.promotion).toMatchObject({ ...change, timeline });
    expect(report.degraded).not.toBeNull();
    expect(sqlFacts(report).synchronousStandbyNames).toBe("");
  });

  it("reads and fences a stopped unit from beside it, and leaves a running one alone", async () => {
    const agent = beside(a);
    const report = await agent.call("observe", {});
    expect(deviations(report, "NodeReport")).toEqual([]);
    expect(report).toMatchObject({
      server: { state: "stopped", reason: "its unit is stopped" },
      data: { state: "ready", standbySignal: false, control: { state: "in production" } },
    });
    await agent.call("follow", { from: b.name });
    expect((await agent.call("observe", {})).data).toMatchObject({ standbySignal: true, follows: b.name });
    await agent.call("lead", {});
    await expect(agent.call("start", limit)).rejects.toMatchObject({ code: "E_OFFLINE" });
    await agent.close();
    const intruder = beside(b);
    await expect(intruder.call("observe", {})).rejects.toMatchObject({ code: "E_RUNNING" });
    await intruder.close();
  });

  it("has an old primary that comes back by itself not lead", async () => {
    await docker("start", a.container);
    const report = await until("it is held", 15, async () => {
      const found = await a.observe();
      return found.server.state === "held" && found;
    });
    expect(report.server.reason).toMatch(/superseded by site-b, which leads on timeline \d+/);
    await expect(a.call("start", limit)).rejects.toMatchObject({ code: "E_SUPERSEDED" });
  });

  it("stops one that leads when its successor comes into sight", async () => {
    await docker("pause", b.container);
    await a.call("start", limit); // nobody answers, so it may; `strict` lets no client in
    expect(sqlFacts(await a.observe())).toMatchObject({ inRecovery: false, clientsAdmitted: false });
    await a.sql("CREATE TABLE public.only_here (n int)", "app");
    await docker("unpause", b.container);
    const { server } = await until("it is held", 15, async () => {
      const found = await a.observe();
      return found.server.state === "held" && found;
    });
    expect(server.reason).toContain("superseded");
  });

  it("keeps what only the old primary has, and rewinds it", async () => {
    const fork = (await b.observe()).promotion?.switchLsn ?? "";
    const { timeline } = await a.call("control", {});
    const kept = await a.call("keepDivergent", { switchLsn: fork });
    expect(kept.bytes).toBeGreaterThan(16 * 1024 * 1024);
    expect(await a.call("keepDivergent", { switchLsn: fork })).toEqual(kept);
    const dump = `pg_waldump -p ${kept.path}/pg_wal -t ${timeline} -s ${fork} 2>&1 | grep -c COMMIT`;
    expect(Number(await a.exec("sh", "-c", dump))).toBeGreaterThan(0);
    await a.exec("test", "-s", `${kept.path}/README`);
    const begun = performance.now();
    await a.call("rewind", { from: b.name });
    note("rewind", Math.round(performance.now() - begun));
    expect((await a.observe()).data).toMatchObject({ state: "ready", standbySignal: true, follows: b.name });
    await b.call("slots", { ensure: [a.slot], drop: [] });
    await a.call("start", limit);
    await streamsFrom(a, b);
    await b.call("awaitStandby", { standby: a.name, ...limit });
    expect(await a.sql("SELECT to_regclass('public.only_here') IS NULL", "app")).toBe("t");
    const [report, standby] = [await b.observe(), await a.observe()];
    expect(report.degraded).toBeNull();
    expect(standby.promotion).toMatchObject({ mode: "failover", to: b.name });
    expect(standby.received?.degraded).toBeNull();
  });

  it("never starts a half-rewound data directory, and does not mark one when the source cannot be read", async () => {
    await a.call("stop", limit);
    await b.call("stop", limit);
    await expect(a.call("rewind", { from: b.name })).rejects.toMatchObject({ code: "E_SOURCE" });
    expect((await a.observe()).data.state).toBe("ready");
    await a.exec("touch", "/var/lib/understudy/pgdata.rewinding");
    expect((await a.observe()).data.state).toBe("rewinding");
    for (const verb of ["start", "restart"] as const) {
      await expect(a.call(verb, limit)).rejects.toMatchObject({ code: "E_NOT_STARTABLE" });
    }
    await expect(a.call("lead", {})).rejects.toMatchObject({ code: "E_NO_DATA" });
    await expect(a.call("follow", { from: b.name })).rejects.toMatchObject({ code: "E_NO_DATA" });
    await expect(a.call("rewind", { from: b.name })).rejects.toMatchObject({ code: "E_REWINDING" });
    await b.call("start", limit);
    await a.call("clone", {
      from: b.name,
      discard: controlOf((await a.observe()).data.control).systemIdentifier,
    });
    await a.call("start", limit);
    await b.call("awaitStandby", { standby: a.name, ...limit });
  });

  it("has written nothing that is secret", async () => {
    const key =
      readFileSync(new URL("../node/pair.ts", import.meta.url), "utf8").match(/canary-\w+/)?.[0] ?? "";
    expect(key).not.toBe("");
    expect(`${await a.logs()}${await b.logs()}${randomUUID()}`).not.toContain(key);
  });
});
