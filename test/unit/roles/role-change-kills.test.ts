/**
 * Role changes on simulated nodes that clients write to: each is carried out whole, and cut off before every single
 * call and run again. Never may two nodes take writes at once, and what was acknowledged must be there at the end.
 */
import { describe, expect, test } from "vitest";
import { adviceOn } from "../../../components/roles/act/advice.ts";
import type { Evidence } from "../../../components/roles/act/evidence.ts";
import type { CommandRun } from "../../../components/roles/act/fenceCommand.ts";
import { apply } from "../../../components/roles/converge.ts";
import type { Desired, FailoverStatement } from "../../../components/roles/desired.ts";
import { plan } from "../../../components/roles/plan/plan.ts";
import { readEvidence } from "../../../components/roles/roleChange.ts";
import type { Step } from "../../../components/roles/steps.ts";
import { desired, nodeIn, observed, slot } from "../../support/facts.ts";
import { SimFleet } from "../../support/fleet.ts";

const at = "2026-01-01T00:00:00Z";
const now = () => new Date(at);

const statement: FailoverStatement = {
  from: "a",
  to: "b",
  fenceConfirmed: "powered off",
  at,
  validForMinutes: 15,
  acceptDataLoss: false,
};

function wish(active: string, names: readonly string[] = ["a", "b"], failover?: FailoverStatement): Desired {
  return { ...desired("strict", names), active, ...(failover ? { failover } : {}) };
}

/** A leads, everyone else streams from it, and clients have written. */
function healthy(names: readonly string[] = ["a", "b"]): SimFleet {
  const [leader = "a", ...others] = names;
  const facts = names.map((name) => [
    name,
    name === leader
      ? nodeIn("primary", name, others, "primary")
      : nodeIn("standby-streaming", name, [leader], "standby"),
  ]);
  const fleet = SimFleet.from(observed(Object.fromEntries(facts)), wish(leader, names));
  for (let n = 0; n < 3; n += 1) fleet.write();
  return fleet;
}

/** The same, with a fence command for A and the operator's word only where it is asked for. */
function wishByCommand(fenceConfirmed?: string): Desired {
  const { fenceConfirmed: _, ...said } = statement;
  const wanted = wish("b", ["a", "b"], { ...said, ...(fenceConfirmed ? { fenceConfirmed } : {}) });
  const fenceCommand = { command: ["power", "off", "a"], timeoutSeconds: 20 };
  return {
    ...wanted,
    nodes: wanted.nodes.map((node) => (node.name === "a" ? { ...node, fenceCommand } : node)),
  };
}

const ended = (exitCode: number): CommandRun => {
  return { at, ms: 7, exitCode, timedOut: false, ending: `exit code ${exitCode}`, printed: ["bmc: busy"] };
};

async function run(
  fleet: SimFleet,
  desired: Desired,
  report: (line: string) => void = () => undefined,
  fence = () => {
    fleet.powerOff("a");
    return ended(0);
  },
): Promise<string | undefined> {
  try {
    const runCommand = async () => fence();
    await apply({ desired, access: fleet.access(), generation: "g2", now, report, runCommand });
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

/** A takes writes, and only the converge does not reach it. */
function aliveAndCutOff(): SimFleet {
  const fleet = healthy();
  fleet.node("a").cutOff = true;
  return fleet;
}

interface Scenario {
  readonly wish: Desired;
  readonly prepare: () => Promise<SimFleet>;
  /** Somebody starts the container while the run is at work or after it. */
  readonly allowSplit?: boolean;
}

async function failedOver(
  then: (fleet: SimFleet) => void,
  how: "stopped" | "unreachable" = "stopped",
): Promise<SimFleet> {
  const fleet = healthy();
  // What A wrote and nobody confirmed.
  fleet.node("b").streams = false;
  fleet.write();
  fleet.kill("a", how);
  expect(await run(fleet, wish("b", ["a", "b"], statement))).toBeUndefined();
  then(fleet);
  fleet.calls.length = 0;
  return fleet;
}

const scenarios: Readonly<Record<string, Scenario>> = {
  switchover: { wish: wish("b"), prepare: async () => healthy() },
  "switchover and back": {
    wish: wish("a"),
    prepare: async () => {
      const fleet = healthy();
      expect(await run(fleet, wish("b"))).toBeUndefined();
      fleet.calls.length = 0;
      return fleet;
    },
  },
  "switchover that was cut off before the fence": {
    wish: wish("b"),
    prepare: async () => {
      const fleet = healthy();
      await fleet
        .access()
        .get("a")
        ?.open()
        .then((session) => session.call("stop", { timeoutSeconds: 1 }));
      fleet.calls.length = 0;
      return fleet;
    },
  },
  "switchover that was cut off after the fence, and is not wanted any more": {
    wish: wish("a"),
    prepare: async () => {
      const fleet = healthy();
      const stop = { timeoutSeconds: 1, follow: "b" };
      await fleet
        .access()
        .get("a")
        ?.open()
        .then((session) => session.call("stop", stop));
      fleet.calls.length = 0;
      return fleet;
    },
  },
  "the same, and its container was stopped": {
    wish: wish("a"),
    prepare: async () => {
      const fleet = healthy();
      const stop = { timeoutSeconds: 1, follow: "b" };
      await fleet
        .access()
        .get("a")
        ?.open()
        .then((session) => session.call("stop", stop));
      Object.assign(fleet.node("a"), { unit: "stopped", server: "stopped", readable: true });
      fleet.calls.length = 0;
      return fleet;
    },
  },
  "failover that was cut off after the fence, and is not wanted any more": {
    wish: wish("a"),
    prepare: async () => {
      const fleet = healthy();
      fleet.kill("a");
      Object.assign(fleet.node("a"), { readable: true, standby: true, follows: "b" });
      return fleet;
    },
  },
  "switchover of three": { wish: wish("b", ["a", "b", "c"]), prepare: async () => healthy(["a", "b", "c"]) },
  "failover from a stopped container that can be looked into": {
    wish: wish("b", ["a", "b"], statement),
    prepare: async () => {
      const fleet = healthy();
      fleet.kill("a");
      fleet.node("a").readable = true;
      return fleet;
    },
  },
  "failover from a site that is gone": {
    wish: wish("b", ["a", "b"], statement),
    prepare: async () => {
      const fleet = healthy();
      fleet.kill("a", "unreachable");
      return fleet;
    },
  },
  "failover from a server that gave up": {
    wish: wish("b", ["a", "b"], statement),
    prepare: async () => {
      const fleet = healthy();
      Object.assign(fleet.node("a"), { server: "failed" });
      fleet.node("b").streams = false;
      return fleet;
    },
  },
  "failover by the fence command from a site that clients still reach": {
    wish: wishByCommand(),
    prepare: async () => aliveAndCutOff(),
  },
  "failover by the fence command from a stopped container that can be looked into": {
    wish: wishByCommand(),
    prepare: async () => {
      const fleet = healthy();
      fleet.kill("a");
      fleet.node("a").readable = true;
      return fleet;
    },
  },
  "return of a site that its command had fenced": {
    wish: wish("b"),
    prepare: async () => {
      const fleet = aliveAndCutOff();
      expect(await run(fleet, wishByCommand())).toBeUndefined();
      Object.assign(fleet.node("a"), { unit: "up", server: "held", cutOff: false });
      fleet.calls.length = 0;
      return fleet;
    },
  },
  "return of a container that can be looked into": {
    wish: wish("b"),
    prepare: () =>
      failedOver((fleet) => {
        fleet.node("a").readable = true;
      }),
  },
  "return of a server that is held, not fenced": {
    wish: wish("b"),
    prepare: () =>
      failedOver((fleet) => {
        Object.assign(fleet.node("a"), { unit: "up", server: "held" });
      }, "unreachable"),
  },
  "return by itself, fenced": {
    wish: wish("b"),
    prepare: () =>
      failedOver((fleet) => {
        Object.assign(fleet.node("a"), { standby: true, follows: "b" });
        fleet.startUnit("a");
      }),
  },
  "return by itself as a primary, the statement still there": {
    wish: wish("b", ["a", "b"], statement),
    prepare: () => failedOver((fleet) => fleet.startUnit("a"), "unreachable"),
    allowSplit: true,
  },
  "return of an empty site": {
    wish: wish("b"),
    prepare: () =>
      failedOver((fleet) => {
        Object.assign(fleet.node("a"), { unit: "up", data: "empty", wal: [], standby: false, follows: null });
      }),
  },
};

function expectWell(fleet: SimFleet, scenario: Scenario, label: string): void {
  const { active } = scenario.wish;
  expect(plan(fleet.observed(), scenario.wish), label).toMatchObject({ steps: [], refusals: [] });
  if (!scenario.allowSplit) expect(fleet.splits, label).toEqual([]);
  expect(fleet.takers(), label).toEqual([active]);
  const lost = fleet.acknowledged.filter((record) => !fleet.node(active).wal.includes(record));
  expect(lost, label).toEqual([]);
  expect(fleet.acknowledged.length, label).toBeGreaterThan(0);
}

describe.each(Object.entries(scenarios))("%s", (_name, scenario) => {
  test("ends as wished", async () => {
    const fleet = await scenario.prepare();
    expect(await run(fleet, scenario.wish)).toBeUndefined();
    expectWell(fleet, scenario, fleet.calls.join(", "));
    expect(fleet.calls.join(", ")).toMatchSnapshot();
  });

  test("cut off anywhere, the next run goes on", async () => {
    const whole = await scenario.prepare();
    await run(whole, scenario.wish);
    for (let cut = 0; cut < whole.calls.length; cut += 1) {
      const fleet = await scenario.prepare();
      fleet.cutAt = cut;
      expect(await run(fleet, scenario.wish)).toBeDefined();
      const before = [...fleet.calls];
      fleet.cutAt = undefined;
      const end = await run(fleet, scenario.wish);
      const label = `cut before ${whole.calls[cut]}; ${before.join(", ")} / ${fleet.calls.slice(before.length).join(", ")}`;
      expect(end, label).toBeUndefined();
      expectWell(fleet, scenario, label);
    }
  });
});

describe("a fence command", () => {
  const by = async (fence: () => CommandRun, confirmed?: string) => {
    const fleet = aliveAndCutOff();
    const lines: string[] = [];
    const end = await run(fleet, wishByCommand(confirmed), (line) => lines.push(line), fence);
    return { fleet, end, lines, evidence: readEvidence(lines.join("\n")) as Evidence | undefined };
  };

  test("that fails: nobody is promoted, the site leads on, and the message has what it takes to go on", async () => {
    const { fleet, end } = await by(() => ended(3));
    expect(end).toBe(
      [
        "fence a from outside: power off a failed on this machine: exit code 3; it printed:",
        "  bmc: busy",
        `${adviceOn({ kind: "fenceSite" } as Step)} Then run \`pulumi up\` again.`,
      ].join("\n"),
    );
    expect(fleet.calls).toEqual([]);
    expect(fleet.takers()).toEqual(["a"]);
  });

  test("that takes too long has failed, also when it says 0 at last", async () => {
    const late = { ...ended(0), timedOut: true, ending: "not done after 20 s, and ended", printed: [] };
    const { fleet, end } = await by(() => late);
    expect(end).toContain("not done after 20 s, and ended; it printed nothing");
    expect(fleet.takers()).toEqual(["a"]);
  });

  test("that fails beside the operator's word: a warning, and the word is what counts", async () => {
    const { fleet, end, lines, evidence } = await by(() => ended(3), "pulled the plug");
    expect(end).toBeUndefined();
    expect(lines.join("\n")).toMatch(/WARNING the fence command failed: exit code 3.*\n {2}bmc: busy/);
    expect(lines.join("\n")).toContain("going on by the word of the statement alone: pulled the plug");
    expect(evidence?.fence).toMatchObject({ proven: false, exitCode: 3, confirmed: "pulled the plug" });
    // It was not true, which is what the command is there to find out.
    expect(fleet.splits).not.toEqual([]);
  });

  test("that succeeds is a part of the evidence", async () => {
    const fleet = aliveAndCutOff();
    const lines: string[] = [];
    expect(await run(fleet, wishByCommand(), (line) => lines.push(line))).toBeUndefined();
    expect((readEvidence(lines.join("\n")) as Evidence).fence).toEqual({
      site: "a",
      command: ["power", "off", "a"],
      at,
      ms: 7,
      exitCode: 0,
      proven: true,
      confirmed: null,
    });
    expect(lines.join("\n")).toMatch(
      / fenced +the command of a at 2026-01-01T00:00:00Z, exit code 0, 7 ms\n/,
    );
  });
});

describe("a switchover that is cut off and then not wanted any more", () => {
  test("gives the role back, or says that it has to be finished first", async () => {
    const whole = healthy();
    await run(whole, wish("b"));
    const ends: string[] = [];
    for (let cut = 0; cut < whole.calls.length; cut += 1) {
      const fleet = healthy();
      fleet.cutAt = cut;
      await run(fleet, wish("b"));
      fleet.cutAt = undefined;
      const promoted = fleet.node("b").promotion !== null;
      const end = await run(fleet, wish("a"));
      ends.push(`${whole.calls[cut]}: ${end === undefined ? "a leads" : (end.match(/E_\w+/)?.[0] ?? end)}`);
      if (!promoted) expectWell(fleet, { wish: wish("a"), prepare: async () => fleet }, ends.at(-1) ?? "");
      expect(fleet.splits).toEqual([]);
    }
    expect(ends).toMatchSnapshot();
  });
});

describe("two standbys that follow each other, because the promotion between them never came", () => {
  const standoff = () => {
    const fleet = healthy();
    // A was stopped, fenced and started again; the run ended before B was promoted.
    Object.assign(fleet.node("b"), { streams: false });
    fleet.node("b").wal = [...fleet.node("a").wal];
    Object.assign(fleet.node("a"), { standby: true, follows: "b", controlState: "in archive recovery" });
    return fleet;
  };

  test.each(["a", "b"])("%s leads when it is wished", async (active) => {
    const fleet = standoff();
    expect(await run(fleet, wish(active))).toBeUndefined();
    expectWell(
      fleet,
      { wish: wish(active), prepare: async () => fleet, allowSplit: false },
      fleet.calls.join(", "),
    );
  });

  test("the slot by which B read from A goes with the promotion, and needs no second run", () => {
    const fleet = standoff();
    fleet.node("a").slots = [slot("b", { active: true })];
    expect(plan(fleet.observed(), wish("b")).steps).toContainEqual({
      kind: "slots",
      node: "a",
      ensure: [],
      drop: ["b"],
    });
  });

  test("the one that has less does not", async () => {
    const fleet = standoff();
    fleet.node("b").wal.pop();
    expect(await run(fleet, wish("b"))).toMatch(/E_STANDBY_NOT_SYNC/);
    expect(await run(fleet, wish("a"))).toBeUndefined();
  });
});

test("a no-op stays one while the old site is given up, and says so", async () => {
  const fleet = await failedOver(() => undefined);
  const desired = wish("b", ["a", "b"], statement);
  const made = plan(fleet.observed(), desired);
  expect(made).toMatchObject({ steps: [], refusals: [], notices: [{ code: "N_ALONE" }] });
  expect(await run(fleet, desired)).toBeUndefined();
  expect(fleet.calls).toEqual(["b generation"]);
});

test("a statement works once", async () => {
  const fleet = await failedOver(() => undefined);
  const back = { ...fleet.node("b"), standby: true, follows: "a" };
  Object.assign(fleet.node("b"), back);
  expect(await run(fleet, wish("b", ["a", "b"], statement))).toMatch(/E_FENCE_STALE.*used up/);
});

describe("two operators", () => {
  test("the second is refused, with the first one's name, and changes nothing", async () => {
    const fleet = healthy();
    fleet.node("b").lock = { owner: "eve@laptop pid 7", since: at, alive: true };
    expect(await run(fleet, wish("b"))).toMatch(
      /^Refused; nothing is changed\.\n {2}E_LOCKED .*eve@laptop pid 7/,
    );
    expect(fleet.calls).toEqual([]);
    expect(fleet.node("a").lock).toBeNull();
  });

  test("a dead owner's lock is taken over, and said", async () => {
    const fleet = healthy();
    fleet.node("b").lock = { owner: "eve@laptop pid 7", since: at, alive: false };
    const lines: string[] = [];
    await apply({
      desired: wish("b"),
      access: fleet.access(),
      generation: "g2",
      now,
      report: (line) => lines.push(line),
    });
    expect(lines[0]).toMatch(/eve@laptop pid 7.*did not get to the end/);
    expect(fleet.node("b").lock).toBeNull();
  });

  test("a run that fails leaves its note for the next", async () => {
    const fleet = healthy();
    fleet.refuses.set("b gate", "no");
    await run(fleet, wish("b"));
    expect(fleet.node("a").lock).toMatchObject({ alive: false });
  });
});
