/** Observe, plan, act for regions: rounds, the lock, what is left on the hosts, and runs that are cut off. */
import { describe, expect, test } from "vitest";
import { applyRegions, generationOf, previewRegions } from "../../../components/regions/converge.ts";
import { observeRegions } from "../../../components/regions/observe.ts";
import type { UnitAccess } from "../../../components/regions/session.ts";
import { allHosts } from "../../../components/regions/wish.ts";
import { UnitFakes } from "../../support/unitFakes.ts";
import { regionsWish } from "../../support/unitWish.ts";

const now = () => new Date("2026-01-01T00:00:00Z");

async function converge(fakes: UnitFakes, generation = "g2"): Promise<{ lines: string[]; error?: string }> {
  const lines: string[] = [];
  const report = (line: string) => lines.push(line);
  try {
    await applyRegions({ desired: fakes.desired, access: fakes.access(), generation, report, now });
    return { lines };
  } catch (error) {
    return { lines, error: (error as Error).message };
  }
}

/** Without what every run ends with. */
const changing = (fakes: UnitFakes) =>
  fakes.calls.slice(
    0,
    fakes.calls.findLastIndex((call) => !call.endsWith(" generation")),
  );

describe("apply", () => {
  test("on healthy regions asks the leader to be ready for clients, leaves the generation, and does nothing else", async () => {
    const fakes = new UnitFakes();
    const { lines, error } = await converge(fakes);
    expect(error).toBeUndefined();
    expect(fakes.calls[0]).toBe("a-1 awaitLeader");
    expect(changing(fakes)).toEqual([]);
    expect(new Set(Object.values(fakes.generations))).toEqual(new Set(["g2"]));
    expect(lines.at(-1)).toBe("a is active; everything is as desired.");
  });

  test("moves the active region, and is done when a look finds nothing more", async () => {
    const fakes = new UnitFakes(regionsWish("b"));
    const { lines, error } = await converge(fakes);
    expect(error).toBeUndefined();
    expect(changing(fakes)).toEqual(
      expect.arrayContaining(["a-1 demoteCluster", "b-1 gate", "b-1 promoteCluster", "b-1 verify"]),
    );
    expect([fakes.takers(), fakes.splits]).toEqual([["b"], []]);
    expect(lines.some((line) => line.startsWith("evidence: "))).toBe(true);
    expect((await previewRegions({ desired: fakes.desired, access: fakes.access(), now })).steps).toEqual([]);
  });

  test("a refusal changes nothing, and says so", async () => {
    const fakes = new UnitFakes();
    fakes.away.set("a-2", { reach: "unreachable", reason: "no answer within 20 s" });
    const { error } = await converge(fakes);
    expect(error).toMatch(/^Refused; nothing is changed\.\n {2}E_NODE_UNREACHABLE {2}a-2 does not answer/);
    expect(fakes.calls).toEqual([]);
  });

  test("a host that stays wrong after its step is an error that lists what is left", async () => {
    const fakes = new UnitFakes();
    fakes.reports["a-proxy"] = {
      programs: { haproxy: { state: "held", reason: null, restarts: 0, loaded: {}, installed: {} } },
    };
    const { error } = await converge(fakes);
    expect(error).toMatch(/still (finds work|showed something new)/);
    expect(fakes.calls).not.toContain("a-1 generation");
  });
});

describe("a run that is cut off", () => {
  test("before any call of a change of the active region is finished by the next", async () => {
    const whole = new UnitFakes(regionsWish("b"));
    await converge(whole);
    const calls = whole.calls.length;
    expect(calls).toBeGreaterThan(8);
    for (let cut = 0; cut < calls; cut += 1) {
      const fakes = new UnitFakes(regionsWish("b"));
      fakes.cutAt = cut;
      await converge(fakes);
      fakes.cutAt = undefined;
      fakes.calls.length = 0;
      expect([cut, (await converge(fakes)).error]).toEqual([cut, undefined]);
      expect([fakes.takers(), fakes.splits]).toEqual([["b"], []]);
    }
  });

  test("and back again, where the wish has changed meanwhile", async () => {
    const fakes = new UnitFakes(regionsWish("b"));
    fakes.region("a").standbyCluster = fakes.desired.regions[0]?.standbyClusterOf.b;
    const home = new UnitFakes(regionsWish("a"));
    Object.assign(home.region("a"), fakes.region("a"));
    const { error } = await converge(home);
    expect(error).toBeUndefined();
    expect([home.takers(), home.splits]).toEqual([["a"], []]);
  });

  test("while it told the hosts is run again", async () => {
    const fakes = new UnitFakes();
    fakes.generations["b-2"] = "g0";
    const made = await previewRegions({ desired: fakes.desired, access: fakes.access(), now });
    expect(made).toMatchObject({ steps: [], generation: "2026-01-01T00:00:00.000Z" });
  });
});

describe("the lock", () => {
  test("is on every member, and only there", async () => {
    const fakes = new UnitFakes();
    let seen: string[] = [];
    fakes.answers.generation = () => {
      seen = Object.keys(fakes.locks).sort();
      return {};
    };
    await converge(fakes);
    expect(seen).toEqual(["a-1", "a-2", "b-1", "b-2"]);
    expect(fakes.locks).toEqual({});
  });

  test("of somebody else is a refusal that names who and where", async () => {
    const fakes = new UnitFakes();
    fakes.locks["b-2"] = "eve@laptop pid 7";
    const { error } = await converge(fakes);
    expect(error).toMatch(/E_LOCKED {2}b-2 is being changed by somebody else: .*eve@laptop pid 7/);
    expect(fakes.calls).toEqual([]);
    expect(fakes.locks).toEqual({ "b-2": "eve@laptop pid 7" });
  });

  test("is given back when a step fails", async () => {
    const fakes = new UnitFakes(regionsWish("b"));
    fakes.refuses.set("b-1 gate", new Error("no"));
    expect((await converge(fakes)).error).toContain("a leads again");
    expect(fakes.locks).toEqual({});
  });
});

describe("preview", () => {
  const look = (fakes: UnitFakes) => previewRegions({ desired: fakes.desired, access: fakes.access(), now });

  test("nothing to do keeps the generation, so that the resource does not run", async () => {
    expect(await look(new UnitFakes())).toMatchObject({ steps: [], refusals: [], generation: "g1" });
  });

  test("work and a refusal propose a new one", async () => {
    const refused = new UnitFakes();
    refused.away.set("a-2", { reach: "unreachable", reason: "no" });
    for (const fakes of [new UnitFakes(regionsWish("b")), refused]) {
      expect((await look(fakes)).generation).toBe("2026-01-01T00:00:00.000Z");
    }
  });

  test("changes nothing", async () => {
    const fakes = new UnitFakes(regionsWish("b"));
    await look(fakes);
    expect(fakes.calls).toEqual([]);
  });

  test("only hosts that answer have a say in the generation", () => {
    const fakes = new UnitFakes();
    fakes.generations["b-2"] = "g0";
    expect(generationOf(fakes.observed(), fakes.desired)).toBeNull();
    fakes.away.set("b-2", { reach: "stopped", reason: "exit 137", report: null });
    expect(generationOf(fakes.observed(), fakes.desired)).toBe("g1");
  });
});

describe("observe", () => {
  const wish = regionsWish();

  test("a host that never answers becomes a fact in time, and holds up nobody", async () => {
    const fakes = new UnitFakes();
    const access = new Map(fakes.access());
    const hanging = { observe: () => new Promise(() => undefined) } as unknown as UnitAccess;
    const throwing = { observe: () => Promise.reject(new Error("broken")) } as unknown as UnitAccess;
    access.set("a-1", hanging).set("b-1", throwing);
    const { hosts } = await observeRegions(access, wish, { limitMs: 20 });
    expect(hosts["a-1"]).toEqual({ reach: "unreachable", reason: "no answer within 0.02 s" });
    expect(hosts["b-1"]).toEqual({ reach: "unreachable", reason: "broken" });
    expect(Object.keys(hosts)).toHaveLength(allHosts(wish).length);
    expect(hosts["a-2"]?.reach).toBe("up");
  });

  test("a host that could not read all of itself is asked once more, and only it", async () => {
    const fakes = new UnitFakes();
    const asked: string[] = [];
    const access = new Map(
      [...fakes.access()].map(([name, host]): [string, UnitAccess] => [
        name,
        {
          ...host,
          observe: async (options) => {
            asked.push(name);
            const facts = await host.observe(options);
            const first = asked.filter((each) => each === name).length === 1;
            const slow = facts.reach === "up" && ((name === "a-1" && first) || name === "b-1");
            return slow ? { ...facts, report: { ...facts.report, problems: ["consul: late"] } } : facts;
          },
        },
      ]),
    );
    const { hosts } = await observeRegions(access, wish);
    expect(asked.slice(allHosts(wish).length)).toEqual(["a-1", "b-1"]);
    expect(hosts["a-1"]).toMatchObject({ report: { problems: [] } });
    expect(hosts["b-1"]).toMatchObject({ report: { problems: ["consul: late"] } });
  });

  test("only members of the active region are asked for their catalog", async () => {
    const asked: string[] = [];
    const access = new Map(
      allHosts(wish).map(({ name }): [string, UnitAccess] => [
        name,
        {
          observe: async ({ catalog }: { catalog: boolean }) => {
            if (catalog) asked.push(name);
            return { reach: "absent", data: "none" };
          },
        } as unknown as UnitAccess,
      ]),
    );
    await observeRegions(access, { ...wish, active: "b" });
    expect(asked).toEqual(["b-1", "b-2"]);
  });
});

describe("a cluster that moves by itself", () => {
  const slow = (fakes: UnitFakes, looks: number) => {
    const wish = fakes.desired.regions[0]?.members[1];
    const { patroni } = wish ? fakes.report(wish) : { patroni: null };
    let left = looks;
    Object.defineProperty(fakes.reports, "a-2", {
      // Every look reads it once, and finds the member on its way for the first few.
      get: () =>
        left-- > 0 ? { patroni: patroni && { ...patroni, state: "starting", role: "uninitialized" } } : {},
    });
  };

  test("is waited for again, and done when it has come to rest", async () => {
    const fakes = new UnitFakes();
    slow(fakes, 3);
    expect((await converge(fakes)).error).toBeUndefined();
    expect(changing(fakes).every((call) => call === "a-2 awaitMember")).toBe(true);
    expect(changing(fakes).length).toBeGreaterThan(1);
  });

  test("but not for ever", async () => {
    const fakes = new UnitFakes();
    slow(fakes, 1_000);
    expect((await converge(fakes)).error).toContain("still showed something new after 10 looks");
  });
});
