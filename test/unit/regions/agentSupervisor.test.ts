/**
 * The supervisor of a region's host with real processes and no container: programs that are shell scripts under the
 * names of the real ones, and a guard that says what a file says.
 */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createConnection } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { agentSources } from "../../../components/regions/agentSources.ts";

let folder: string;
let agent: ChildProcess;
let said: string;

const config = (name: string) => join(folder, "config", name);
const write = (name: string, text: string) => writeFileSync(config(name), text);
const environment = () => ({
  ...process.env,
  UNDERSTUDY_CONFIG: join(folder, "config"),
  UNDERSTUDY_DATA: join(folder, "data"),
  UNDERSTUDY_RUN: join(folder, "run"),
});

/** Says so and waits; ends as it is told, at the second signal only where `slow`. */
const patient = 'trap "exit 143" TERM; echo up; while :; do sleep 0.05; done';

const program = (name: string, script: string) => ({
  name,
  command: ["sh", "-c", script],
  reloadSignal: "HUP",
  stopSignal: "TERM",
  stopTimeoutSeconds: 1,
  reloads: ["plain", "secrets/hidden"],
  restarts: ["other"],
});

function install(programs: readonly ReturnType<typeof program>[]): void {
  write(
    "agent.json",
    JSON.stringify({
      name: "host",
      role: "member",
      programs,
      patroni: { scope: "s", namespace: "/service/", port: 1, restPort: 2 },
    }),
  );
}

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "understudy-agent-"));
  for (const name of ["config/secrets", "data/pgdata", "run"])
    mkdirSync(join(folder, name), { recursive: true });
  for (const [name, source] of Object.entries(agentSources())) write(name, source);
  write(
    "guard.py",
    `import os\ndef may_start(config):\n    path = ${JSON.stringify(join(folder, "reason"))}\n` +
      "    return open(path).read() if os.path.exists(path) else None\n",
  );
  write("plain", "a");
  write("secrets/hidden", "a");
  write("other", "b");
  writeFileSync(join(folder, "data/pgdata/PG_VERSION"), "17\n");
  said = "";
});

afterEach(async () => {
  // Asked first: killed, it would leave its programs to nobody.
  agent.kill("SIGTERM");
  const late = setTimeout(() => agent.kill("SIGKILL"), 5_000);
  await ended();
  clearTimeout(late);
  rmSync(folder, { recursive: true, force: true });
});

async function run(): Promise<void> {
  agent = spawn("python3", [config("agent.py"), "run"], { env: environment() });
  for (const stream of [agent.stdout, agent.stderr])
    stream?.on("data", (chunk) => {
      said += chunk;
    });
  await until("its socket", () => existsSync(join(folder, "run/control.sock")));
}

const ended = () =>
  new Promise<number | null>((resolve) => {
    if (agent.exitCode !== null || agent.signalCode !== null) resolve(agent.exitCode);
    else agent.once("exit", resolve);
  });

interface State {
  readonly programs: Record<
    string,
    {
      state: string;
      reason: string | null;
      restarts: number;
      pid: number | null;
      loaded: Record<string, string>;
      installed: Record<string, string>;
      /** Of PgBouncer. */
      resumesInMs?: number | null;
    }
  >;
}

function ask<T = { ok: boolean; code?: string; message?: string }>(request: object): Promise<T> {
  return new Promise((resolve, reject) => {
    let text = "";
    const socket = createConnection(join(folder, "run/control.sock"));
    socket.on("connect", () => socket.write(`${JSON.stringify(request)}\n`));
    socket.on("data", (chunk) => {
      text += chunk;
    });
    socket.on("end", () => resolve(JSON.parse(text) as T));
    socket.on("error", reject);
  });
}

const look = async (name: string) => (await ask<State>({ do: "state" })).programs[name];

async function until(what: string, done: () => boolean | Promise<boolean>, seconds = 10): Promise<void> {
  for (const deadline = Date.now() + seconds * 1000; !(await done()); await sleep(20)) {
    if (Date.now() > deadline) throw new Error(`${what}: not within ${seconds} s. It said:\n${said}`);
  }
}

const runs = (name: string) => until(`${name} runs`, async () => (await look(name))?.state === "running");

describe("one program", () => {
  test("comes back when it ends by itself, ever later, with its last complaint", async () => {
    install([program("haproxy", "echo 'cannot bind 8d5b3c8e-1111-2222-3333-444455556666'; exit 7")]);
    await run();
    await until("a second end", async () => (await look("haproxy"))?.restarts === 2);
    const found = await look("haproxy");
    expect(found?.state).toBe("backoff");
    expect(found?.reason).toBe("it ended with exit status 7: cannot bind (not shown)");
    const health = spawnSync("python3", [config("agent.py"), "health"], {
      env: environment(),
      encoding: "utf8",
    });
    expect(health.status).toBe(1);
    expect(health.stderr).toContain("haproxy is backoff: it ended with exit status 7");
    const answer = await ask({ do: "restart", program: "haproxy", limit: 5 });
    expect(answer).toMatchObject({ ok: false, code: "E_START_FAILED" });
  });

  test("knows which files it has read, and tells nothing of a secret one", async () => {
    install([program("haproxy", `trap : HUP; ${patient}`)]);
    await run();
    await runs("haproxy");
    const before = await look("haproxy");
    const hash = createHash("sha256").update("a").digest("hex");
    expect(before?.loaded).toEqual(before?.installed);
    expect(before?.loaded.plain).toBe(hash);
    expect(before?.loaded["secrets/hidden"]).not.toBe(hash);
    write("plain", "new");
    write("other", "new");
    await ask({ do: "reload", program: "haproxy" });
    // Whoever asked for it has not seen it in force yet, and may never.
    expect((await look("haproxy"))?.loaded).toEqual(before?.loaded);
    await ask({ do: "reloaded", program: "haproxy" });
    const after = await look("haproxy");
    expect(after?.loaded.plain).toBe(after?.installed.plain);
    expect(after?.loaded.other).toBe(before?.loaded.other);
    expect(after?.loaded.other).not.toBe(after?.installed.other);
    await ask({ do: "restart", program: "haproxy", limit: 5 });
    expect((await look("haproxy"))?.loaded).toEqual(after?.installed);
    expect((await look("haproxy"))?.restarts).toBe(0);
  });

  test("that will not stop is killed at its limit, with what it started", async () => {
    install([program("haproxy", `sleep 300 & echo $! > ${join(folder, "child")}; trap '' TERM; wait; wait`)]);
    await run();
    await runs("haproxy");
    const begun = Date.now();
    expect(await ask({ do: "hold", program: "haproxy", limit: 5, reason: "for a test" })).toMatchObject({
      ok: true,
    });
    expect(Date.now() - begun).toBeGreaterThan(950);
    expect(await look("haproxy")).toMatchObject({ state: "held", reason: "for a test", pid: null });
    const child = Number(readFileSync(join(folder, "child"), "utf8"));
    await until("its child is gone, and no zombie", () => !existsSync(`/proc/${child}`));
  });
});

describe("Consul", () => {
  test("that was told to leave its cluster is held", async () => {
    install([program("consul", "sleep 0.2")]);
    await run();
    await until("it is held", async () => (await look("consul"))?.state === "held");
    agent.kill("SIGTERM");
    expect(await ended()).toBe(0);
    await rerun();
    expect((await look("consul"))?.state).toBe("held");
  });
});

describe("PgBouncer", () => {
  /** Says what the signals of a pause do to it; before it is ready they would end it. */
  const pooler = `trap "echo holds" USR1; trap "echo serves" USR2; ${patient}`;
  const held = () => said.match(/pgbouncer: (holds|serves)/g)?.map((line) => line.slice(11)) ?? [];
  const pause = (ttl: number) => ask({ do: "pause", program: "pgbouncer", ttl });
  const resume = () => ask<{ heldMs: number | null }>({ do: "resume", program: "pgbouncer" });

  beforeEach(async () => {
    install([program("haproxy", patient), program("pgbouncer", pooler)]);
    await run();
  });

  test("holds its clients back until it is told to let them go on", async () => {
    await runs("pgbouncer");
    expect(await pause(30)).toMatchObject({ ok: true });
    expect((await look("pgbouncer"))?.resumesInMs).toBeGreaterThan(20_000);
    expect((await resume()).heldMs).toBeGreaterThan(0);
    await until("it serves", () => held().length === 2);
    expect(held()).toEqual(["holds", "serves"]);
    expect((await look("pgbouncer"))?.resumesInMs).toBeNull();
    expect((await resume()).heldMs).toBeNull();
  });

  test("lets them go on when nobody has told it to in time", async () => {
    await runs("pgbouncer");
    const begun = Date.now();
    await pause(0.5);
    await until("it serves", () => held().includes("serves"));
    expect(Date.now() - begun).toBeGreaterThan(450);
    expect(said).toContain("nobody let its clients go on, so they do now");
    expect((await look("pgbouncer"))?.resumesInMs).toBeNull();
  });

  test("asked again, the time begins again and the pause is one", async () => {
    await runs("pgbouncer");
    await pause(0.4);
    await pause(30);
    await sleep(600);
    expect(held()).toEqual(["holds"]);
    await resume();
  });

  test("ended meanwhile, it comes back without a pause", async () => {
    await runs("pgbouncer");
    await pause(30);
    process.kill((await look("pgbouncer"))?.pid ?? 0, "SIGKILL");
    await until("it runs again", async () => (await look("pgbouncer"))?.restarts === 1);
    await runs("pgbouncer");
    expect((await look("pgbouncer"))?.resumesInMs).toBeNull();
  });

  test("is not signalled while it starts, and no other program is", async () => {
    expect(await pause(30)).toMatchObject({ ok: false, code: "E_NOT_RUNNING" });
    expect(await ask({ do: "pause", program: "haproxy", ttl: 1 })).toMatchObject({ code: "E_UNKNOWN" });
  });
});

describe("Patroni", () => {
  test("is not started while the guard has a reason, and is as soon as it has none", async () => {
    writeFileSync(join(folder, "reason"), "region-b leads");
    install([program("patroni", patient)]);
    await run();
    await until("superseded", async () => (await look("patroni"))?.state === "superseded");
    expect((await look("patroni"))?.reason).toBe("region-b leads");
    expect(await ask({ do: "start", program: "patroni", limit: 5 })).toMatchObject({
      ok: false,
      code: "E_SUPERSEDED",
      message: "patroni: region-b leads",
    });
    expect((await look("patroni"))?.pid).toBeNull();
    rmSync(join(folder, "reason"));
    await runs("patroni");
  });

  test("waits on a host that reaches nobody yet", async () => {
    write(
      "guard.py",
      "import os\nfrom files import Refusal\ndef may_start(config):\n" +
        `    if not os.path.exists(${JSON.stringify(join(folder, "reached"))}):\n` +
        "        raise Refusal('E_ALONE', 'nobody answers')\n",
    );
    install([program("patroni", patient)]);
    await run();
    await until("it waits", async () => (await look("patroni"))?.reason === "nobody answers");
    expect(await look("patroni")).toMatchObject({ state: "starting", pid: null });
    writeFileSync(join(folder, "reached"), "");
    await runs("patroni");
  });

  test("is not started where the guard fails", async () => {
    write("guard.py", "def may_start(config):\n    raise OSError('no control file')\n");
    install([program("patroni", patient)]);
    await run();
    await until("refused", async () => (await look("patroni"))?.state === "backoff");
    expect((await look("patroni"))?.reason).toContain("whether another region leads could not be asked");
    expect((await look("patroni"))?.pid).toBeNull();
  });

  test("that is held stays so until it is started by name", async () => {
    install([program("patroni", patient)]);
    await run();
    await runs("patroni");
    await ask({ do: "hold", program: "patroni", limit: 5, reason: "for a test" });
    agent.kill("SIGKILL");
    await ended();
    await rerun();
    expect((await look("patroni"))?.state).toBe("held");
    expect(await ask({ do: "restart", program: "patroni", limit: 5 })).toMatchObject({ code: "E_HELD" });
    expect(await ask({ do: "start", program: "patroni", limit: 5 })).toMatchObject({ ok: true });
    expect(await look("patroni")).toMatchObject({ state: "running" });
  });
});

test("a stop goes through the programs in the reverse order, one after the other", async () => {
  const slow = `trap "sleep 0.3; echo down; exit 0" TERM; while :; do sleep 0.05; done`;
  install([program("consul", patient), program("patroni", slow)]);
  await run();
  await Promise.all([runs("consul"), runs("patroni")]);
  agent.kill("SIGTERM");
  expect(await ended()).toBe(0);
  const order = ["patroni is stopped", "consul is stopped", "understudy: stopped"];
  const places = order.map((words) => said.indexOf(words));
  expect(places).toEqual([...places].sort((a, b) => a - b));
  expect(places[0]).toBeGreaterThan(0);
  // What it says itself is passed on beside that. It was let finish, for nobody was killed.
  expect(said).toContain("patroni: down");
  expect(said).not.toContain("is killed");
});

async function rerun(): Promise<void> {
  rmSync(join(folder, "run/control.sock"), { force: true });
  await run();
}
