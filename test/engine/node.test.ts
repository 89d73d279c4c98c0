/** The node's agent against real servers: the rendered configuration, the image and the agent together. */
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { NodeReport } from "../../components/roles/facts.ts";
import { docker } from "../node/docker.ts";
import { appPassword, limit, Pair, until } from "../node/pair.ts";
import { deviations } from "../node/shape.ts";

const insert = "INSERT INTO public.t VALUES (1) RETURNING 'written'";

function sqlFacts(report: NodeReport) {
  if (!report.server.sql) throw new Error(`no SQL facts: ${report.server.state}, ${report.server.reason}`);
  return report.server.sql;
}

describe("a strict pair", () => {
  let pair: Pair;

  beforeAll(async () => {
    // No WAL beyond what slots hold, so that a test can make it go away.
    pair = await Pair.create({ synchronous: "strict", settings: { wal_keep_size: 0 } });
  });
  afterAll(async () => {
    await pair?.remove();
  });

  it("is idle, healthy and says so before there is data", async () => {
    const report = await pair.a.observe();
    expect(deviations(report, "NodeReport")).toEqual([]);
    expect(report.data).toMatchObject({ state: "empty", control: null, standbySignal: false, follows: null });
    expect(report.server).toEqual({ state: "stopped", reason: "there is no data directory", sql: null });
    expect(report.agent.running).toBe(report.agent.installed);
    await pair.a.exec("python3", "/etc/understudy/node.py", "health");
    await expect(pair.a.call("start", limit)).rejects.toMatchObject({ code: "E_NOT_STARTABLE" });
  });

  it("is bootstrapped: initdb, slot, base backup over TLS, in sync, clients let in", async () => {
    await pair.a.call("initdb", {});
    await pair.a.call("start", limit);
    const alone = sqlFacts(await pair.a.observe());
    expect(alone).toMatchObject({
      inRecovery: false,
      synchronousStandbyNames: '"site-b"',
      clientsAdmitted: false,
    });
    await pair.addApplication(); // commits of the agent do not wait for the standby that it is to bring
    await expect(pair.a.clientSql("SELECT 1")).rejects.toThrow(/pg_hba.conf/);
    await pair.a.call("slots", { ensure: ["site_b"], drop: [] });
    const progress: string[] = [];
    const { bytes } = await pair.b.call(
      "clone",
      { from: "site-a" },
      { onProgress: (line) => progress.push(line) },
    );
    expect(bytes).toBeGreaterThan(10_000_000);
    expect(progress.some((line) => line.includes("100%"))).toBe(true);
    await pair.b.call("start", limit);
    await pair.awaitSync();
    const [a, b] = await Promise.all([pair.a.observe(), pair.b.observe()]);
    expect(sqlFacts(a).senders).toMatchObject([
      { applicationName: "site-b", state: "streaming", syncState: "sync" },
    ]);
    expect(sqlFacts(a).slots).toMatchObject([{ name: "site_b", kind: "physical", active: true }]);
    expect(sqlFacts(a).clientsAdmitted).toBe(true);
    expect(sqlFacts(b).walReceiver).toEqual({ status: "streaming", host: pair.a.address, slot: "site_b" });
    expect(b.data).toMatchObject({ state: "ready", standbySignal: true, follows: "site-a" });
    expect(b.data.control?.systemIdentifier).toBe(a.data.control?.systemIdentifier);
    expect([a.degraded, b.degraded]).toEqual([null, null]);
    expect(await pair.a.clientSql(insert)).toBe("written");
    expect(await pair.b.clientSql("SELECT count(*) FROM public.t")).toBe("1");
  });

  it("is told from the old pair by nothing but its data: verbs are repeatable, and refuse to destroy", async () => {
    await pair.a.call("slots", { ensure: ["site_b"], drop: ["never_there"] });
    expect(await pair.a.call("start", limit)).toEqual({ ms: 0 });
    await expect(pair.a.call("initdb", {})).rejects.toMatchObject({ code: "E_RUNNING" });
    await expect(pair.b.call("clone", { from: "site-a" })).rejects.toMatchObject({ code: "E_RUNNING" });
    await expect(pair.b.call("follow", { from: "site-a" })).rejects.toMatchObject({ code: "E_RUNNING" });
    await expect(pair.a.call("slots", { ensure: [], drop: ["site_b"] })).rejects.toMatchObject({
      code: "E_SLOT_ACTIVE",
    });
    await expect(pair.b.call("sql", { database: "app", statements: ["SELECT 1"] })).rejects.toMatchObject({
      code: "E_IN_RECOVERY",
    });
    const broken = { database: "app", statements: ["SELECT 'canary-9d' FROM nowhere"] };
    await expect(pair.a.call("sql", broken)).rejects.toMatchObject({
      code: "E_SQL",
      message: expect.not.stringContaining("canary"),
    });
    await expect(
      pair.a.call("awaitStandby", { standby: "site-x", timeoutSeconds: 0.2 }),
    ).rejects.toMatchObject({ code: "E_STANDBY_TIMEOUT" });
  });

  it("reports everything in the shape that the plan reads, quickly", async () => {
    for (const node of pair.nodes) {
      expect(deviations(await node.observe(true), "NodeReport")).toEqual([]);
    }
    const { catalog } = sqlFacts(await pair.a.observe(true));
    expect(catalog?.roles.app).toMatchObject({ login: true, passwordMatches: true, superuser: false });
    expect(catalog?.roles.replicator).toMatchObject({
      login: true,
      replication: true,
      passwordMatches: null,
    });
    expect(catalog?.databases.app).toEqual({ owner: "app", extensions: ["plpgsql"], settings: {} });
    const times: number[] = [];
    for (let i = 0; i < 20; i++) {
      const begun = performance.now();
      await pair.a.observe();
      times.push(performance.now() - begun);
    }
    times.sort((x, y) => x - y);
    console.log(`observe: median ${times[10]?.toFixed(1)} ms, worst ${times[19]?.toFixed(1)} ms`);
    // Of the quicker ones: what it takes by itself, and not what else the machine did meanwhile.
    expect(times[5]).toBeLessThan(100);
  });

  it("stops, starts and restarts in tenths of a second, and says how long it took", async () => {
    const times: Record<string, number[]> = { stop: [], start: [], restart: [] };
    for (let i = 0; i < 5; i++) {
      times.stop?.push((await pair.a.call("stop", limit)).ms);
      expect((await pair.a.observe()).data.control?.state).toBe("shut down");
      times.start?.push((await pair.a.call("start", limit)).ms);
      times.restart?.push((await pair.a.call("restart", limit)).ms);
    }
    await pair.awaitSync();
    console.log(`ms: ${JSON.stringify(times)}`);
    expect(Math.min(...(times.stop ?? []))).toBeLessThan(500);
    expect(Math.min(...(times.start ?? []))).toBeLessThan(500);
  });

  it("changes a password without showing it to anybody", async () => {
    pair.a.password = "canary-pä\u00a0sswörd-77"; // a no-break space and umlauts: SASLprep has work to do
    const talkative = (name: string, text: string) =>
      name === "postgresql.conf" ? `${text}log_statement = 'all'\nlog_min_duration_statement = 0\n` : text;
    await pair.a.install(talkative);
    await pair.a.call("reload", {});
    expect(sqlFacts(await pair.a.observe(true)).catalog?.roles.app?.passwordMatches).toBe(false);
    await pair.a.call("password", { role: "app" });
    expect(sqlFacts(await pair.a.observe(true)).catalog?.roles.app?.passwordMatches).toBe(true);
    expect(await pair.a.clientSql("SELECT 1")).toBe("1");
    pair.a.password = appPassword;
    await pair.a.install(talkative);
    await pair.a.call("password", { role: "app" });
    await expect(pair.a.call("password", { role: "nobody" })).rejects.toMatchObject({
      code: "E_NO_PASSWORD",
    });
    const report = JSON.stringify(await pair.a.observe(true));
    expect(await pair.a.logs()).toContain("SELECT rolpassword FROM"); // the log does tell what it is let
    expect(`${report}${await pair.a.logs()}`).not.toMatch(/canary|SCRAM-SHA/);
  });

  it("reloads, names what it cannot use, and knows what waits for a restart", async () => {
    pair.options = { ...pair.options, settings: { wal_keep_size: 0, work_mem: "9MB" } };
    await pair.a.install();
    expect((await pair.a.observe()).files.loaded["postgresql.conf"]).not.toContain("9MB");
    expect(await pair.a.call("reload", {})).toEqual({ errors: [] });
    expect(await pair.a.sql("SHOW work_mem")).toBe("9MB");
    const { files } = await pair.a.observe();
    expect(files.loaded).toEqual(files.installed);
    expect(files.started["postgresql.conf"]).not.toContain("9MB");

    await pair.a.install((name, text) => (name === "postgresql.conf" ? `${text}work_mem = 'lots'\n` : text));
    expect((await pair.a.call("reload", {})).errors).toEqual([
      expect.stringMatching(/^postgresql.conf:\d+: work_mem: /),
    ]);
    await pair.a.install((name, text) =>
      name === "clients.conf" ? `${text}hostssl app app nonsense\n` : text,
    );
    expect((await pair.a.call("reload", {})).errors).toEqual([expect.stringMatching(/^clients.conf:6: /)]);

    pair.options = { ...pair.options, settings: { wal_keep_size: 0, max_locks_per_transaction: 128 } };
    await pair.a.install();
    expect(await pair.a.call("reload", {})).toEqual({ errors: [] });
    expect(sqlFacts(await pair.a.observe())).toMatchObject({
      pendingRestart: ["max_locks_per_transaction"],
      configErrors: [],
    });
    // Shared memory goes up on the standby first: it would not replay a primary that has more.
    await pair.b.install();
    await pair.b.call("restart", limit);
    await pair.a.call("restart", limit);
    await pair.awaitSync();
    expect(sqlFacts(await pair.a.observe()).pendingRestart).toEqual([]);
    expect(await pair.a.sql("SHOW max_locks_per_transaction")).toBe("128");
  });

  it("says when a new certificate did not come into force", async () => {
    const old = pair.a.leaf;
    pair.a.leaf = { ...old, certificate: pair.b.leaf.certificate };
    await pair.a.install();
    expect((await pair.a.call("reload", {})).errors).toEqual([
      expect.stringContaining("still presents another certificate"),
    ]);
    // So that the next update asks for it again.
    expect((await pair.a.observe()).files.loaded).not.toHaveProperty(["certificate.json"]);
    pair.a.leaf = old;
    await pair.a.install();
    expect(await pair.a.call("reload", {})).toEqual({ errors: [] });
    expect((await pair.a.observe()).files.loaded).toHaveProperty(["certificate.json"]);
  });

  it("lets no client see a commit that is in doubt after a crash", async () => {
    await pair.b.call("stop", limit);
    const before = Number(await pair.a.sql("SELECT count(*) FROM public.t", "app"));
    const hanging = pair.a.clientSql(insert, 30).then(
      () => "acknowledged",
      () => "cut off",
    );
    await until("the commit waits", 30, async () => {
      return (await pair.a.sql("SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'SyncRep'")) === "1";
    });
    await pair.a.exec("kill", "-9", await pair.a.postmaster());
    expect(await hanging).toBe("cut off");
    await until("the server is back", 30, async () => (await pair.a.observe()).server.sql !== null);
    for (let i = 0; i < 10; i++) {
      expect(sqlFacts(await pair.a.observe()).clientsAdmitted).toBe(false);
      await expect(pair.a.clientSql("SELECT count(*) FROM public.t")).rejects.toThrow(/pg_hba.conf/);
    }
    expect(Number(await pair.a.sql("SELECT count(*) FROM public.t", "app"))).toBe(before + 1);
    expect(await pair.a.exec("ps", "-eo", "stat")).not.toContain("Z");

    await pair.b.call("start", limit);
    await pair.awaitSync();
    expect(Number(await pair.a.clientSql("SELECT count(*) FROM public.t"))).toBe(before + 1);
    expect(Number(await pair.b.clientSql("SELECT count(*) FROM public.t"))).toBe(before + 1);
  });

  it("leaves a stop that takes too long to itself, and never escalates", async () => {
    await docker("pause", pair.b.container);
    try {
      await pair.a.sql("SELECT pg_switch_wal()"); // something that the paused standby has not confirmed
      await expect(pair.a.call("stop", { timeoutSeconds: 1 })).rejects.toMatchObject({
        code: "E_STOP_TIMEOUT",
      });
      expect((await pair.a.observe()).server.state).toBe("stopping");
      await expect(pair.a.call("start", limit)).rejects.toMatchObject({ code: "E_STOPPING" });
    } finally {
      await docker("unpause", pair.b.container);
    }
    await until("the server is down", 20, async () => (await pair.a.observe()).server.state === "held");
    expect((await pair.a.observe()).data.control?.state).toBe("shut down");
    await pair.a.call("start", limit);
    await pair.awaitSync();
  });

  it("restarts a server that dies, and gives up on one that keeps dying", async () => {
    for (let i = 0; i < 6; i++) {
      const old = await pair.a.postmaster();
      await pair.a.exec("kill", "-9", old);
      await until("it was restarted or given up", 30, async () => {
        const { server } = await pair.a.observe();
        return server.state === "failed" || (server.sql !== null && (await pair.a.postmaster()) !== old);
      });
    }
    const { server } = await pair.a.observe();
    expect(server).toMatchObject({
      state: "failed",
      reason: expect.stringMatching(/gave up after 5 restarts.*signal 9/),
    });
    await expect(pair.a.exec("python3", "/etc/understudy/node.py", "health")).rejects.toThrow();
    await pair.a.call("start", limit);
    await pair.awaitSync();
    expect(await pair.a.exec("ps", "-eo", "stat")).not.toContain("Z");
  });

  it("says why a start fails, in the server's own words", async () => {
    await pair.a.install((name, text) =>
      name === "postgresql.conf" ? `${text}shared_buffers = 'much'\n` : text,
    );
    await expect(pair.a.call("restart", limit)).rejects.toMatchObject({
      code: "E_START_FAILED",
      message: expect.stringContaining("shared_buffers"),
    });
    expect((await pair.a.observe()).server).toMatchObject({
      state: "failed",
      reason: expect.stringContaining("shared_buffers"),
    });
    await pair.a.install();
    await pair.a.call("start", limit);
    await pair.awaitSync();
  });

  it("shuts the server down cleanly with its container, and comes up with it; a hold ends there", async () => {
    await pair.a.close();
    await docker("stop", pair.a.container);
    expect(await pair.a.logs()).toMatch(/database system is shut down\nunderstudy: stopped\n$/);
    await docker("start", pair.a.container);
    await until("it serves", 20, async () => sqlFacts(await pair.a.observe()).clientsAdmitted);
    await pair.b.call("stop", limit);
    expect((await pair.b.observe()).server.state).toBe("held");
    await pair.b.close();
    await docker("restart", pair.b.container);
    await until(
      "the standby streams",
      20,
      async () => sqlFacts(await pair.b.observe()).walReceiver?.status === "streaming",
    );
    // As after a power cut: the lock file of the old postmaster is there, and its number is somebody else's.
    await pair.b.close();
    await docker("kill", pair.b.container);
    await docker("start", pair.b.container);
    await until(
      "the standby streams",
      20,
      async () => sqlFacts(await pair.b.observe()).walReceiver?.status === "streaming",
    );
    await pair.awaitSync();
  });

  it("says when its source has removed the WAL that it needs, and is copied anew when that is asked for by name", async () => {
    await pair.b.call("stop", limit);
    await pair.a.call("slots", { ensure: [], drop: ["site_b"] });
    for (let i = 0; i < 4; i++)
      await pair.a.sql("CREATE TABLE IF NOT EXISTS public.x (n int); SELECT pg_switch_wal(); CHECKPOINT");
    await pair.a.call("slots", { ensure: ["site_b"], drop: [] });
    await pair.b.call("start", limit);
    await until("the WAL is gone", 20, async () => sqlFacts(await pair.b.observe()).walGone === true);
    const system = (await pair.b.observe()).data.control?.systemIdentifier ?? "";
    await pair.b.call("stop", limit);
    await expect(pair.b.call("clone", { from: "site-a" })).rejects.toMatchObject({ code: "E_DATA_PRESENT" });
    await expect(pair.b.call("clone", { from: "site-a", discard: "1234" })).rejects.toMatchObject({
      code: "E_DATA_PRESENT",
    });
    await pair.b.call("clone", { from: "site-a", discard: system });
    await pair.b.call("start", limit);
    await pair.awaitSync();
    expect(sqlFacts(await pair.b.observe()).walGone).toBeUndefined();

    await pair.a.call("stop", limit);
    await expect(pair.a.call("clone", { from: "site-b", discard: system })).rejects.toMatchObject({
      code: "E_DATA_PRESENT",
      message: expect.stringContaining("not a standby's"),
    });
    await pair.a.call("start", limit);
    await pair.awaitSync();
  });

  it("finishes what a killed clone began, and no base backup outlives whoever asked for it", async () => {
    const system = (await pair.b.observe()).data.control?.systemIdentifier ?? "";
    for (const how of ["the caller leaves", "the agent is killed"]) {
      await pair.b.call("stop", limit);
      await docker("pause", pair.a.container); // the base backup hangs in the middle
      try {
        const access = pair.b.newAccess();
        const session = await access.open();
        const begun = await pair.b.observe();
        const discard = begun.data.state === "ready" ? { discard: system } : {};
        const cut = session.call("clone", { from: "site-a", ...discard }).catch((error: Error) => error);
        await until("it runs", 10, async () =>
          (await pair.b.exec("ps", "-eo", "args")).includes("pg_basebackup -D"),
        );
        if (how === "the caller leaves") await access.close();
        else
          await pair.b.exec(
            "sh",
            "-c",
            "kill -9 $(ps -eo pid,args | awk '/[p]g_basebackup -D/ {print $1}' | head -1 | xargs -I{} ps -o ppid= -p {})",
          );
        expect(await cut).toBeInstanceOf(Error);
        await until(
          "it is gone",
          10,
          async () => !(await pair.b.exec("ps", "-eo", "args")).includes("pg_basebackup -D"),
        );
        await access.close();
      } finally {
        await docker("unpause", pair.a.container);
      }
      const report = await pair.b.observe();
      expect(["building", "empty"]).toContain(report.data.state);
      await expect(pair.b.call("start", limit)).rejects.toMatchObject({ code: "E_NOT_STARTABLE" });
      await pair.b.call("clone", { from: "site-a" });
      await pair.b.call("start", limit);
      await pair.awaitSync();
    }
  });

  it("comes up read-only once it is fenced, whoever starts it", async () => {
    await pair.a.call("stop", limit);
    await pair.a.call("follow", { from: "site-b" });
    await pair.a.call("follow", { from: "site-b" });
    expect((await pair.a.observe()).data).toMatchObject({ standbySignal: true, follows: "site-b" });
    await pair.a.close();
    await docker("restart", pair.a.container);
    await until("it is up", 20, async () => (await pair.a.observe()).server.sql !== null);
    expect(sqlFacts(await pair.a.observe()).inRecovery).toBe(true);
    await expect(pair.a.clientSql(insert)).rejects.toThrow(/read-only transaction/);
  });
});

describe("an available pair", () => {
  let pair: Pair;
  const degradeAfterSeconds = 2;

  beforeAll(async () => {
    pair = await Pair.create({ synchronous: "available", degradeAfterSeconds });
    await pair.bringUp();
    await pair.addApplication();
    // The node looks every quarter of a second, and nothing tells when: a standby that comes and goes in between was away all
    // the time. This one is to have been seen.
    await sleep(600);
  });
  afterAll(async () => {
    await pair?.remove();
  });

  it("marks durably that commits go alone before the first one does", async () => {
    // The standby is missed from some moment within its stop: before it at the earliest, after it at the latest.
    const beforeTheStop = performance.now();
    await pair.b.call("stop", limit);
    const afterTheStop = performance.now();
    expect(await pair.a.clientSql(insert, 20)).toBe("written");
    const written = performance.now();
    const report = await pair.a.observe();
    expect((written - beforeTheStop) / 1000).toBeGreaterThan(degradeAfterSeconds);
    expect((written - afterTheStop) / 1000).toBeLessThan(degradeAfterSeconds + 6);
    expect(report.degraded).toMatchObject({
      since: expect.any(String),
      lsn: expect.stringMatching(/^[0-9A-F]+\/[0-9A-F]+$/),
    });
    expect(sqlFacts(report).synchronousStandbyNames).toBe("");
    expect(deviations(report, "NodeReport")).toEqual([]);
    const state = "/var/lib/understudy/state";
    const [marker, names] = (
      await pair.a.exec("stat", "-c", "%.9Y", `${state}/degraded.json`, `${state}/role.conf`)
    ).split("\n");
    expect(Number(marker)).toBeLessThanOrEqual(Number(names));
    expect(await pair.a.clientSql(insert)).toBe("written");
  });

  it("keeps the marker through a crash, and lets clients in without the standby", async () => {
    const { degraded } = await pair.a.observe();
    await pair.a.close();
    await docker("kill", pair.a.container);
    await docker("start", pair.a.container);
    await until("it serves", 20, async () => (await pair.a.clientSql(insert)) === "written");
    expect((await pair.a.observe()).degraded).toEqual(degraded);
  });

  it("waits for the standby again when it is back, and then drops the marker", async () => {
    await pair.b.call("start", limit);
    await pair.awaitSync();
    const report = await pair.a.observe();
    expect(report.degraded).toBeNull();
    expect(sqlFacts(report)).toMatchObject({ synchronousStandbyNames: '"site-b"', clientsAdmitted: true });
    expect(await pair.b.clientSql("SELECT count(*) FROM public.t")).toBe(
      await pair.a.clientSql("SELECT count(*) FROM public.t"),
    );
  });

  it("takes a new policy over with a reload; switching waiting on begins with a marker", async () => {
    pair.options = { ...pair.options, synchronous: "off" };
    await pair.a.install();
    await sleep(1500);
    expect(sqlFacts(await pair.a.observe()).synchronousStandbyNames).toBe('"site-b"');
    await pair.a.call("reload", {});
    await until(
      "nobody is waited for",
      20,
      async () => sqlFacts(await pair.a.observe()).synchronousStandbyNames === "",
    );
    await pair.b.call("stop", limit);
    pair.options = { ...pair.options, synchronous: "strict" };
    await pair.a.install();
    await pair.a.call("reload", {});
    await until("it is marked", 20, async () => (await pair.a.observe()).degraded !== null);
    await pair.b.call("start", limit);
    await pair.awaitSync();
    expect((await pair.a.observe()).degraded).toBeNull();
  });

  it("keeps clients off the standby where that is asked for", async () => {
    expect(await pair.b.clientSql("SELECT 1")).toBe("1");
    pair.options = { ...pair.options, standbyReads: false };
    await pair.b.install();
    await pair.b.call("reload", {});
    await until("they are turned away", 20, async () => !sqlFacts(await pair.b.observe()).clientsAdmitted);
    await expect(pair.b.clientSql("SELECT 1")).rejects.toThrow(/pg_hba.conf/);
    await pair.b.call("restart", limit);
    await expect(pair.b.clientSql("SELECT 1")).rejects.toThrow(/pg_hba.conf/);
    await pair.awaitSync();
  });
});
