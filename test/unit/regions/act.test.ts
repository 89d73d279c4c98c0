/** Each step of a plan for regions: which verb of which host carries it out, with what, and what speaks for it. */
import { describe, expect, test } from "vitest";
import { act } from "../../../components/regions/act/act.ts";
import { adviceOn } from "../../../components/regions/act/advice.ts";
import { batchesOf } from "../../../components/regions/act/batches.ts";
import type { RegionStep } from "../../../components/regions/steps.ts";
import type { CommandRun } from "../../../components/roles/act/fenceCommand.ts";
import { NodeError } from "../../../components/roles/conversation.ts";
import { UnitFakes } from "../../support/unitFakes.ts";
import { regionsWish } from "../../support/unitWish.ts";

const within = { timeoutSeconds: 30 };
/** Patroni may have to see a lock lapse first. */
const longer = { timeoutSeconds: 70 };

const table: readonly (readonly [RegionStep, string, unknown])[] = [
  [{ kind: "startUnit", host: "a-1", log: "docker logs a-1" }, "a-1 startUnit", null],
  [
    { kind: "restartUnit", host: "a-2", log: "journalctl -u x", changed: ["DeviceAllow"] },
    "a-2 restartUnit",
    longer,
  ],
  [{ kind: "startProgram", host: "a-1", program: "consul" }, "a-1 start", { program: "consul", ...within }],
  [
    { kind: "reloadProgram", host: "a-proxy", program: "haproxy", changed: ["haproxy.cfg"] },
    "a-proxy reload",
    { program: "haproxy" },
  ],
  [
    { kind: "restartProgram", host: "a-2", program: "patroni", changed: ["patroni/patroni.yml"] },
    "a-2 restart",
    { program: "patroni", ...longer },
  ],
  [{ kind: "awaitConsul", host: "a-consul-1" }, "a-consul-1 awaitConsul", longer],
  [
    { kind: "grant", host: "a-consul-1", changed: ["policy agent"] },
    "a-consul-1 grant",
    { policies: [], tokens: { "agent-a-1": ["agent"] } },
  ],
  [
    { kind: "awaitVoters", host: "a-consul-1", expected: 3 },
    "a-consul-1 awaitVoters",
    { expected: 3, ...longer },
  ],
  [
    { kind: "removeServer", host: "a-consul-1", node: "a-consul-4" },
    "a-consul-1 removeServer",
    { node: "a-consul-4", stay: ["a-consul-1"] },
  ],
  [{ kind: "forgetNode", host: "a-consul-1", node: "a-3" }, "a-consul-1 forgetNode", { node: "a-3" }],
  [{ kind: "useGossipKey", host: "a-consul-1" }, "a-consul-1 useGossipKey", within],
  [{ kind: "awaitLeader", host: "a-1", as: "primary" }, "a-1 awaitLeader", { as: "primary", ...longer }],
  [{ kind: "awaitMember", host: "a-2" }, "a-2 awaitMember", longer],
  [{ kind: "awaitMember", host: "a-2", sync: true }, "a-2 awaitMember", { ...longer, sync: true }],
  [
    { kind: "patchConfig", host: "a-1", patch: { ttl: 30 }, changes: ["ttl: 20 → 30"] },
    "a-1 patchConfig",
    { patch: { ttl: 30 } },
  ],
  [{ kind: "restartMember", host: "a-2", changed: ["max_connections"] }, "a-2 restartMember", longer],
  [
    { kind: "switchover", host: "a-1", leader: "a-1", candidate: "a-2", because: "it is to lead" },
    "a-1 switchover",
    { leader: "a-1", candidate: "a-2", ...longer },
  ],
  [
    {
      kind: "sql",
      host: "a-1",
      database: "postgres",
      statements: ["SELECT 1"],
      summary: "roles: 1 statement",
    },
    "a-1 sql",
    { database: "postgres", statements: ["SELECT 1"] },
  ],
  [{ kind: "password", host: "a-1", role: "app" }, "a-1 password", { role: "app" }],
  [{ kind: "checkpoint", host: "a-1" }, "a-1 checkpoint", {}],
  [
    { kind: "demoteCluster", host: "a-1", region: "a", to: "b" },
    "a-1 demoteCluster",
    { standbyCluster: regionsWish().regions[0]?.standbyClusterOf.b, ...longer },
  ],
  [{ kind: "hold", host: "a-1", program: "patroni" }, "a-1 hold", { program: "patroni", ...within }],
  [
    { kind: "becomeStandbyCluster", host: "b-1", region: "b", of: "a" },
    "b-1 becomeStandbyCluster",
    { standbyCluster: regionsWish().regions[1]?.standbyClusterOf.a },
  ],
];

async function run(fakes: UnitFakes, steps: readonly RegionStep[], more = {}): Promise<string[]> {
  const lines: string[] = [];
  const report = (line: string) => lines.push(line);
  await act(steps, { access: fakes.access(), desired: fakes.desired, report, clock: () => 0, ...more });
  return lines;
}

describe("every step", () => {
  test.each(table.map(([step, call, args]) => [step.kind, step, call, args] as const))(
    "%s",
    async (_kind, step, call, args) => {
      const fakes = new UnitFakes();
      await run(fakes, [step]);
      expect(fakes.calls).toEqual([call]);
      expect(fakes.args).toEqual([args]);
    },
  );

  test("what only a member has is kept before its Patroni, which would rewind it, is started", async () => {
    const fakes = new UnitFakes();
    const lines = await run(fakes, [{ kind: "startProgram", host: "a-1", program: "patroni" }]);
    expect(fakes.calls).toEqual(["a-1 keepDivergent", "a-1 start"]);
    expect(lines.join("\n")).toContain("what only it had is kept in /x (1 bytes)");
  });

  test("a change that needs restarts is done when every member knows that it waits for one", async () => {
    const fakes = new UnitFakes();
    const looks: Record<string, number> = {};
    fakes.answers.observe = (_args, host) => {
      looks[host] = (looks[host] ?? 0) + 1;
      const pendingRestart = host === "a-1" || looks[host] > 2 ? ["max_connections"] : [];
      return { patroni: { pendingRestart } };
    };
    const patch = { postgresql: { parameters: { max_connections: 150 } } };
    await run(fakes, [{ kind: "patchConfig", host: "a-1", patch, changes: ["max_connections: 100 → 150"] }]);
    expect(looks).toEqual({ "a-1": 1, "a-2": 3 });
  });

  test("each has advice for when it fails", () => {
    for (const [step] of table) expect(adviceOn(step)).toMatch(/\.$/);
  });

  test("a failing one names itself, the host, the reason and what to do", async () => {
    const fakes = new UnitFakes();
    fakes.refuses.set("a-2 restartMember", new NodeError("a-2", "E_START", "it does not come up"));
    await expect(
      run(fakes, [
        { kind: "patchConfig", host: "a-1", patch: {}, changes: [] },
        { kind: "restartMember", host: "a-2", changed: ["max_connections"] },
        { kind: "restartMember", host: "a-1", changed: ["max_connections"] },
      ]),
    ).rejects.toThrow(
      /failed on a-2: a-2: it does not come up\nThe steps before it are done and stay\. PostgreSQL's log.*Then run `pulumi up` again\./,
    );
    expect(fakes.calls).toEqual(["a-1 patchConfig", "a-2 restartMember"]);
  });

  test("a switchover that somebody else won is none", async () => {
    const fakes = new UnitFakes();
    fakes.answers.switchover = () => ({ leader: "a-1", ms: 1 });
    await expect(
      run(fakes, [{ kind: "switchover", host: "a-1", leader: "a-1", candidate: "a-2", because: "" }]),
    ).rejects.toThrow("a-1 leads now, and a-2 was to");
  });

  test("progress lines show the number, the time and what was proven", async () => {
    const lines = await run(new UnitFakes(), [{ kind: "awaitLeader", host: "a-1", as: "primary" }]);
    expect(lines).toHaveLength(2);
    expect(lines[0]).toMatch(/^ +\+0 ms {2}1\/1 {2}/);
    expect(lines[1]).toMatch(/^ +\+0 ms {5}1: a-1 leads as primary/);
  });
});

describe("a member that copies its data", () => {
  const wait: RegionStep = { kind: "awaitMember", host: "a-2" };
  const late = new NodeError("a-2", "E_MEMBER", "it does not stream yet");

  function copying(fakes: UnitFakes, state: string): void {
    const member = fakes.desired.regions[0]?.members[1];
    const patroni = member && fakes.report(member).patroni;
    if (!patroni) throw new Error("no a-2");
    fakes.reports["a-2"] = { patroni: { ...patroni, state } };
  }

  test.each(["creating replica", "rewinding"])("is waited for as long as it says so: %s", async (state) => {
    const fakes = new UnitFakes();
    copying(fakes, state);
    let asked = 0;
    fakes.answers.awaitMember = () => {
      asked += 1;
      if (asked < 3) throw late;
      return { role: "replica", ms: 5 };
    };
    const lines = await run(fakes, [wait]);
    expect(asked).toBe(3);
    expect(lines.filter((line) => line.includes("a-2 still copies the data"))).toHaveLength(2);
  });

  test("and not longer", async () => {
    const fakes = new UnitFakes();
    copying(fakes, "start failed");
    fakes.refuses.set("a-2 awaitMember", late);
    await expect(run(fakes, [wait])).rejects.toThrow("it does not stream yet");
    expect(fakes.calls).toEqual(["a-2 awaitMember"]);
  });
});

describe("at the same time", () => {
  const sizes = (steps: readonly RegionStep[]) => batchesOf(steps).map((batch) => batch.length);
  const waits = (...hosts: string[]) => hosts.map((host): RegionStep => ({ kind: "awaitMember", host }));

  test("neighbours that wait, each on its own host", () => {
    expect(
      sizes([...waits("a-1", "a-2"), { kind: "awaitConsul", host: "a-1" }, ...waits("a-1", "a-1")]),
    ).toEqual([2, 1, 1, 1]);
  });

  test("never what takes something away from somebody", () => {
    const restart = (host: string): RegionStep => ({ kind: "restartMember", host, changed: [] });
    expect(sizes([restart("a-2"), restart("a-1")])).toEqual([1, 1]);
  });

  test("the first that fails is told, and the others are waited for", async () => {
    const fakes = new UnitFakes();
    fakes.refuses.set("a-1 awaitMember", new NodeError("a-1", "E_MEMBER", "no"));
    await expect(run(fakes, waits("a-1", "a-2", "b-1"))).rejects.toThrow(/failed on a-1/);
    expect(fakes.calls).toEqual(["a-1 awaitMember", "a-2 awaitMember", "b-1 awaitMember"]);
  });
});

describe("a region's fence command", () => {
  const step = (confirmed: string | null): RegionStep => ({
    ...{ kind: "fenceRegion", region: "a", command: ["power", "off"], timeoutSeconds: 5, confirmed },
  });
  const ended = (exitCode: number): CommandRun => ({
    ...{ at: "2026-01-01T00:00:00Z", ms: 7, exitCode, timedOut: false },
    ...{ ending: `exit code ${exitCode}`, printed: ["bmc: busy"] },
  });

  test("is the proof", async () => {
    const lines = await run(new UnitFakes(), [step(null)], { runCommand: async () => ended(0) });
    expect(lines.join("\n")).toContain("a is fenced: exit code 0 after 7 ms");
  });

  test("that fails stops everything, unless the statement says so itself", async () => {
    const runCommand = async () => ended(1);
    await expect(run(new UnitFakes(), [step(null)], { runCommand })).rejects.toThrow(
      /failed on this machine: exit code 1; it printed:\n {2}bmc: busy\nNobody was promoted/,
    );
    const lines = await run(new UnitFakes(), [step("the site is dark")], { runCommand });
    expect(lines.join("\n")).toContain("by the word of the statement alone: the site is dark");
  });
});
