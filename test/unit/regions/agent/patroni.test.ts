/** What the agent's Patroni part concludes, without a Patroni: its own files, answers, control files, histories. */
import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { patroniYml, secretsYml } from "../../../../components/patroni/patroniYml.ts";
import { agentModules } from "../../../support/agentPython.ts";
import { patroniInput } from "../../patroni/sample.ts";

let config = "";

let interpreter: ChildProcessWithoutNullStreams;
let answers: AsyncIterator<string>;

beforeAll(() => {
  config = mkdtempSync(join(tmpdir(), "understudy-patroni-"));
  mkdirSync(join(config, "patroni"));
  mkdirSync(join(config, "secrets"));
  writeFileSync(join(config, "patroni/patroni.yml"), patroniYml(patroniInput));
  writeFileSync(join(config, "secrets/patroni.yml"), secretsYml({ consulToken: "0123: #x" }));
  const env = { ...process.env, UNDERSTUDY_CONFIG: config, UNDERSTUDY_DATA: join(config, "data") };
  interpreter = spawn("python3", ["-c", EVALUATE, ...agentModules], { env });
  interpreter.stderr.pipe(process.stderr);
  answers = createInterface({ input: interpreter.stdout })[Symbol.asyncIterator]();
});

afterAll(() => {
  interpreter.kill();
  rmSync(config, { recursive: true });
});

/** One process for all: an expression at a time, with the module that it is about and what is `given`. */
const EVALUATE = `import importlib, json, sys
sys.dont_write_bytecode = True
sys.path[:0] = sys.argv[1:]
for line in sys.stdin:
    module, expression, given = json.loads(line)
    try:
        answer = {"value": eval(expression, {"it": importlib.import_module(module), "given": given})}
    except Exception as problem:
        answer = {"error": str(problem)}
    print(json.dumps(answer), flush=True)`;

async function python<T>(module: string, expression: string, given: unknown = null): Promise<T> {
  interpreter.stdin.write(`${JSON.stringify([module, expression, given])}\n`);
  const { value } = await answers.next();
  const answer = JSON.parse(value) as { value: T } | { error: string };
  if ("error" in answer) throw new Error(answer.error);
  return answer.value;
}

describe("its own files", () => {
  test("what is rendered is read back, quoted or not", async () => {
    const { address, restPort, binDirectory } = patroniInput;
    const keys = [
      "it.needed(it.PATRONI_YML, 'restapi', 'connect_address')",
      "it.needed(it.PATRONI_YML, 'postgresql', 'bin_dir')",
      "it.needed(it.SECRETS_YML, 'consul', 'token')",
      "it.setting(it.PATRONI_YML, 'restapi', 'nothing')",
    ];
    expect(await python("patroni_config", `[${keys.join(",")}]`)).toEqual([
      `${address}:${restPort}`,
      binDirectory,
      "0123: #x",
      null,
    ]);
  });

  test("an endpoint's address may be of IPv6", async () => {
    expect(await python("patroni_config", "it.split_endpoint('[fd00::1]:8008')")).toEqual(["fd00::1", 8008]);
  });
});

describe("a change of the dynamic configuration", () => {
  const patch = { ttl: 20, postgresql: { parameters: { max_connections: 150, wal_level: null } } };
  const before = { ttl: 30, postgresql: { parameters: { max_connections: 100, wal_level: "logical" } } };
  const after = { ttl: 20, postgresql: { parameters: { max_connections: 150 } } };

  /** Patroni says after a PATCH what it wrote, and to every GET what it saw in its last turn. */
  const changed = (written: unknown) => {
    const asked =
      "lambda config, path, method='GET', *_, **__: " +
      "it.Answer(200, __import__('json').dumps(given['written' if method == 'PATCH' else 'before']))";
    const patched = `__import__('unittest.mock').mock.patch.object(it.patroni_rest, 'ask', ${asked})(it.patch_config)`;
    return python("patroni_members", `${patched}({}, given['patch'])`, { written, before, patch });
  };

  test("is there when it is written, whatever Patroni last saw", async () => {
    expect(await changed(after)).toBeNull();
  });

  test("that was not written as it was asked for is refused, by the names of what differs", async () => {
    await expect(changed({ ...after, ttl: 30 })).rejects.toThrow("does not have it: ttl");
  });
});

describe("a switchover names its candidate", () => {
  const members = (...roles: string[]) => roles.map((role, index) => ({ name: `a-${index + 1}`, role }));

  test.each([
    ["not where it is the only synchronous standby", members("leader", "sync_standby", "replica"), true],
    ["where another one is as well", members("leader", "sync_standby", "sync_standby"), false],
    ["where another one is instead", members("leader", "replica", "sync_standby"), false],
    ["where anybody may take over", members("leader", "replica", "replica"), false],
    ["where a quorum decides", members("leader", "quorum_standby", "quorum_standby"), false],
    ["in a standby cluster", members("standby_leader", "replica", "replica"), false],
  ])("%s", async (_, found, only) => {
    const expression = "it.is_only_choice({'members': given}, 'a-2')";
    expect(await python("patroni_members", expression, found)).toBe(only);
  });
});

describe("the guard", () => {
  const primary = { role: "primary", state: "running", database_system_identifier: "7", timeline: 5 };
  const cases: [string, Record<string, unknown>, [string, number] | null][] = [
    ["a primary on a later timeline", primary, ["b-1", 5]],
    // Both regions were promoted once: whoever runs already takes writes.
    ["a primary on the same timeline", { ...primary, timeline: 4 }, ["b-1", 4]],
    ["a primary on an earlier timeline", { ...primary, timeline: 3 }, null],
    ["a standby leader", { ...primary, role: "standby_leader" }, null],
    ["a primary of another system", { ...primary, database_system_identifier: "8" }, null],
    ["one that does not run", { ...primary, state: "stopped" }, null],
  ];
  test.each(cases)("%s", async (_, answer, expected) => {
    const found = await python("guard", "it.leader_elsewhere(('7', 4), given)", { "b-1": answer });
    expect(found).toEqual(expected);
  });

  test("nobody answers: it may start", async () => {
    expect(await python("guard", "it.leader_elsewhere(('7', 4), {})")).toBeNull();
  });

  const standby = { role: "replica", state: "running", database_system_identifier: "7", timeline: 4 };
  test.each<[string, Record<string, unknown>, boolean, "waits" | null]>([
    ["a region that is alone in the world may start", {}, true, null],
    ["a host that reaches nobody is told to ask again", {}, false, "waits"],
    ["Consul alone is gone: whoever answers has answered", { "b-1": standby }, false, null],
  ])("%s", async (_, replies, consulLeads, expected) => {
    const patch = (of: string, name: string, answer: string) =>
      `__import__('unittest.mock').mock.patch.object(${of}, '${name}', lambda *_: ${answer})`;
    const patches = [
      patch("it.patroni_config", "has_data", "True"),
      patch("it", "own_history", "('7', 4)"),
      patch("it.patroni_rest", "statuses", "given['replies']"),
      patch("it", "consul_leads", "given['consulLeads']"),
    ];
    const patched = `__import__('functools').reduce(lambda f, p: p(f), [${patches.join(",")}], it.may_start)`;
    const config = { others: [{ name: "b-1", region: "b", address: "10.0.0.1", restPort: 8008 }] };
    const asked = python("guard", `${patched}(given['config'])`, { config, replies, consulLeads });
    if (expected === null) expect(await asked).toBeNull();
    else await expect(asked).rejects.toThrow("asking again");
  });
});

describe("what Patroni answers, as facts", () => {
  test("a primary with settings that wait for a restart", async () => {
    const status = {
      state: "running",
      role: "primary",
      timeline: 3,
      database_system_identifier: "7",
      xlog: { location: 0x1_0000_00a0 },
      pending_restart: true,
      pending_restart_reason: { max_connections: { old_value: "100", new_value: "200" } },
      patroni: { version: "4.1.5" },
    };
    expect(await python("patroni_facts", "it.shown(given)", status)).toMatchObject({
      version: "4.1.5",
      role: "primary",
      lsn: { written: "1/A0", received: null, replayed: null },
      pendingRestart: ["max_connections"],
      pendingValues: { max_connections: { from: "100", to: "200" } },
      paused: false,
    });
  });

  test("a demoted server is a replica that does not run", async () => {
    const found = await python("patroni_facts", "it.shown(given)", { state: "stopped", role: "demoted" });
    expect(found).toMatchObject({ role: "replica", state: "stopped", timeline: null });
  });

  test("members, a lag that is not known, and who is synchronous", async () => {
    const members = [
      { name: "a", role: "leader", state: "running", timeline: 3 },
      { name: "b", role: "sync_standby", state: "streaming", timeline: 3, lag: 0 },
      { name: "c", role: "replica", state: "starting", lag: "unknown" },
    ];
    const fact = (name: string, role: string, state: string, rest: object) => ({
      name,
      role,
      state,
      ...rest,
    });
    expect(await python("patroni_facts", "it.members(given)", { members })).toEqual({
      leader: "a",
      members: [
        fact("a", "leader", "running", { timeline: 3, lagBytes: null, syncStandby: false }),
        fact("b", "replica", "streaming", { timeline: 3, lagBytes: 0, syncStandby: true }),
        fact("c", "replica", "starting", { timeline: null, lagBytes: null, syncStandby: false }),
      ],
    });
  });
});

describe("what a member's directory holds", () => {
  const state = () => python<string>("patroni_config", "it.data_state()");
  const file = (name: string) => join(config, "data/pgdata", name);

  test("a copy is the member's own once a server has run on it", async () => {
    expect(await state()).toBe("empty");
    mkdirSync(file("global"), { recursive: true });
    writeFileSync(file("backup_label"), "");
    // pg_basebackup writes it last.
    expect(await state()).toBe("empty");
    writeFileSync(file("global/pg_control"), "");
    expect(await state()).toBe("copy");
    rmSync(file("backup_label"));
    expect(await state()).toBe("ready");
    rmSync(file("."), { recursive: true });
  });
});

describe("a member is there", () => {
  const streaming = { state: "running", role: "replica", replication_state: "streaming" };
  const cases: [string, Record<string, unknown>, boolean, string][] = [
    ["a primary", { state: "running", role: "primary" }, true, ""],
    ["a replica that streams", streaming, false, ""],
    ["one that is to be synchronous", streaming, true, "it streams, and is no synchronous standby"],
    ["one that is", { ...streaming, sync_standby: true }, true, ""],
    [
      "a standby leader without its source",
      { state: "running", role: "standby_leader", replication_state: "in archive recovery" },
      false,
      "it is a standby_leader, in archive recovery",
    ],
    ["one that is down", { state: "stopped", role: "replica" }, false, "PostgreSQL is stopped"],
  ];
  test.each(cases)("%s", async (_, status, sync, lacking) => {
    expect(await python("patroni_members", "it.lacking(*given)", [status, sync])).toBe(lacking);
  });
});

describe("a patch of the configuration, read back", () => {
  const found = { loop_wait: 1, postgresql: { parameters: { work_mem: "4MB" }, use_slots: true } };
  const cases: [string, unknown, string[]][] = [
    ["is there", { postgresql: { parameters: { work_mem: "4MB" } } }, []],
    ["removes what is not there", { slots: null, postgresql: { nothing: null } }, []],
    [
      "differs deep inside",
      { postgresql: { parameters: { work_mem: "5MB" } } },
      ["postgresql.parameters.work_mem"],
    ],
    ["was to remove", { loop_wait: null }, ["loop_wait"]],
    ["was to add", { slots: { b: { type: "physical" } } }, ["slots.b.type"]],
  ];
  test.each(cases)("%s", async (_, patch, differing) => {
    expect(await python("patroni_members", "it.differences(*given)", [found, patch])).toEqual(differing);
  });

  test("never touches standby_cluster", async () => {
    const refused = () => python("patroni_members", "it.patch_config({}, given)", { standby_cluster: null });
    await expect(refused()).rejects.toThrow("standby_cluster is the order to change the role of a region");
  });
});

describe("a stopped primary that runs again in recovery", () => {
  const control = { checkpointLsn: "0/D000060" };
  const shutdown =
    "rmgr: XLOG        len (rec/tot):    114/   114, tx:          0, lsn: 0/0D000060, prev 0/0D000028, desc: CHECKPOINT_SHUTDOWN redo 0/D000060; tli 12";
  const after =
    "rmgr: Heap        len (rec/tot):     59/    59, tx:        745, lsn: 0/0D0000D8, prev 0/0D000060, desc: INSERT off: 1";
  const online = shutdown.replace("CHECKPOINT_SHUTDOWN", "CHECKPOINT_ONLINE");
  const end = "pg_waldump: error: error in WAL record at 0/D000060: invalid record length at 0/D0000D8";
  const cases: [string, string, RegExp | null][] = [
    ["stopped cleanly", shutdown, null],
    [
      "wrote after its shutdown checkpoint",
      `${shutdown}\n${after}`,
      /there is WAL after the shutdown checkpoint/,
    ],
    ["did not end with a shutdown", online, /is not that of a shutdown/],
    ["has lost its WAL", "", /cannot be read: pg_waldump: error/],
  ];
  test.each(cases)("%s", async (_, records, problem) => {
    const found = await python<string | null>("region_stop", "it.judge_end(*given)", [control, records, end]);
    if (problem === null) expect(found).toBeNull();
    else expect(found).toMatch(problem);
  });

  test("a section that names nobody is none for Patroni", async () => {
    await expect(python("region_stop", "it.require_valid({'primary_slot_name': 'a'})")).rejects.toThrow(
      "standby_cluster names nobody to follow",
    );
  });
});

test("only slots that a primary alone keeps are made with the promotion", async () => {
  const slots = {
    region_a: { type: "physical", cluster_type: "primary" },
    backup: { type: "physical" },
    feed: { type: "logical", cluster_type: "primary", database: "x", plugin: "y" },
  };
  expect(await python("region_start", "it.primary_slots(given)", { slots })).toEqual(["region_a"]);
});

test("where a timeline ended, from the history of whoever leads", async () => {
  const history = [
    [1, 0x600_0000, "no recovery target specified"],
    [2, 0x1_0000_0028, "no recovery target specified", "2026-01-01T00:00:00+00:00", "b-1"],
  ];
  expect(
    await python("region_evidence", "[it.switch_position(given, n) for n in (1, 2, 3)]", history),
  ).toEqual(["0/6000000", "1/28", null]);
});

test("a record names the change whatever its timeline", async () => {
  const change = { mode: "switchover", from: "a", to: "b", at: "2026-01-01T00:00:00Z", statementAt: null };
  const pairs = [
    { ...change, timeline: 4 },
    { ...change, at: "2026-01-02T00:00:00Z", timeline: 4 },
  ];
  expect(
    await python("region_schema", "[it.same_change(p, given[1]) for p in given[0]]", [pairs, change]),
  ).toEqual([true, false]);
});

describe("what only a lost primary has", () => {
  const timeline = 3;
  const segmentBytes = 16 * 1024 * 1024;
  const wal = () => join(config, "data/pgdata/pg_wal");
  const kept = (switchLsn: string) =>
    python<string[]>("divergence", "it.divergent_wal(given['timeline'], given['lsn'])", {
      timeline,
      lsn: switchLsn,
    });
  const nameOf = (number: number) =>
    `00000003${"00000000"}${number.toString(16).toUpperCase().padStart(8, "0")}`;

  /** A segment of WAL that begins where its name says, or one that was only being made: shorter, and empty inside. */
  function segment(number: number, bytes = segmentBytes): void {
    const content = Buffer.alloc(bytes);
    if (bytes === segmentBytes) content.writeBigUInt64LE(BigInt(number) * BigInt(segmentBytes), 8);
    writeFileSync(join(wal(), nameOf(number)), content);
  }

  beforeAll(() => mkdirSync(wal(), { recursive: true }));

  test("is its timeline from the fork on, whichever segment was being made when it was lost", async () => {
    writeFileSync(join(wal(), "00000003.history"), "");
    expect(await kept("0/5000028")).toEqual(["00000003.history"]);
    for (const number of [4, 5, 6]) segment(number);
    segment(7, 0);
    segment(3, 4096);
    expect(await kept("0/5000028")).toEqual([nameOf(5), nameOf(6), "00000003.history"]);
    expect(await kept("0/7000000")).toEqual(["00000003.history"]);
  });
});

describe("the watchdog that Patroni is to use", () => {
  const facts = () => python("watchdog", "it.facts()", {});
  const having = (mode: "off" | "automatic", device: string) => {
    const watchdog = { mode, device, safetyMarginSeconds: 5 };
    writeFileSync(join(config, "patroni/patroni.yml"), patroniYml({ ...patroniInput, watchdog }));
  };

  test.each([
    ["a character device", "/dev/null", "usable"],
    ["nothing", "/dev/no-such-watchdog", "missing"],
    ["no device", "/dev", "missing"],
  ])("%s", async (_what, device, state) => {
    having("automatic", device);
    expect(await facts()).toEqual({ device, state });
  });

  test("none is asked for", async () => {
    having("off", "/dev/null");
    expect(await facts()).toBe(null);
  });
});

describe("a member that comes back takes part", () => {
  test.each([
    ["as leader", { role: "primary", state: "running" }, true],
    ["as replica", { role: "replica", state: "running", replication_state: "streaming" }, true],
    [
      "at the head of a standby cluster",
      { role: "standby_leader", state: "running", replication_state: "streaming" },
      true,
    ],
    [
      "not yet: it replays",
      { role: "replica", state: "running", replication_state: "in archive recovery" },
      false,
    ],
    ["not yet: it looks for somebody to follow", { role: "replica", state: "running" }, false],
    ["not yet: it starts", { role: "primary", state: "starting" }, false],
  ])("%s", async (_what, status, expected) => {
    expect(await python("health", "it.takes_part(given)", status)).toBe(expected);
  });

  test("nobody waits for one that has no data, or that has been at it for long", async () => {
    expect(await python("health", "it.joining()", {})).toEqual([]);
    mkdirSync(join(config, "data/pgdata/global"), { recursive: true });
    writeFileSync(join(config, "data/pgdata/global/pg_control"), "");
    const without = "setattr(it, 'seconds_since_start', lambda: given) or it.joining()";
    expect(await python("health", without, 46)).toEqual([]);
    const early = await python<string[]>("health", without, 10);
    expect(early).toHaveLength(1);
  });
});
