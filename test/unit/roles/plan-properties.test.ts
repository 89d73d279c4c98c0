/** What must hold of every plan, whatever is found: checked for every pair of states, in both roles and policies. */
import { describe, expect, test } from "vitest";
import { apply } from "../../../components/roles/converge.ts";
import { plan } from "../../../components/roles/plan/plan.ts";
import { holdsNothing, type NodeState, nodeStates } from "../../../components/roles/plan/state.ts";
import type { Synchronous } from "../../../components/spec/model.ts";
import { desired, nodeIn, observed } from "../../support/facts.ts";
import { SimFleet } from "../../support/fleet.ts";

const roles = ["primary", "standby"] as const;
const policies: Synchronous[] = ["strict", "available", "off"];

/** The clock that the made-up nodes show. */
const now = () => new Date("2026-01-01T00:00:00Z");

interface Case {
  readonly a: NodeState;
  readonly b: NodeState;
  readonly roleA: (typeof roles)[number];
  readonly roleB: (typeof roles)[number];
}

const cases: Case[] = nodeStates.flatMap((a) =>
  nodeStates.flatMap((b) => roles.flatMap((roleA) => roles.map((roleB) => ({ a, b, roleA, roleB })))),
);

function found({ a, b, roleA, roleB }: Case) {
  return observed({ a: nodeIn(a, "a", ["b"], roleA), b: nodeIn(b, "b", ["a"], roleB) });
}

describe.each(policies)("synchronous: %s", (policy) => {
  const wish = desired(policy);
  const every = (check: (made: ReturnType<typeof plan>, pair: Case) => void) => {
    for (const pair of cases) {
      for (const moment of ["preview", "apply"] as const) check(plan(found(pair), wish, moment), pair);
    }
  };

  test("initdb only where nobody holds anything and everybody was looked into", () => {
    let births = 0;
    every(({ steps }, { a, b }) => {
      if (!steps.some((step) => step.kind === "initdb")) return;
      births += 1;
      expect(holdsNothing(a) && holdsNothing(b), `${a}, ${b}`).toBe(true);
    });
    expect(births).toBeGreaterThan(0);
  });

  test("a half-rewound data directory is never started", () => {
    every(({ steps }, { a, b }) => {
      for (const [name, state] of Object.entries({ a, b })) {
        if (state !== "rewinding") continue;
        const started = steps.findIndex((step) => step.kind === "start" && step.node === name);
        const replaced = steps.findIndex((step) => step.kind === "clone" && step.node === name);
        if (started >= 0) expect(replaced >= 0 && replaced < started, `${a}, ${b}`).toBe(true);
      }
    });
  });

  test("no copy is made over a whole data directory", () => {
    every(({ steps }, { a, b }) => {
      for (const step of steps) {
        if (step.kind !== "clone") continue;
        const state = step.node === "a" ? a : b;
        expect(holdsNothing(state) || state === "rewinding", `${a}, ${b}`).toBe(true);
      }
    });
  });

  test("the active node is never a copy of the other, and only it is started as primary", () => {
    every(({ steps }, { b, roleB }) => {
      // Until it hands over, the present primary may have to come up as one.
      const handsOver = b === "starting" && roleB === "primary";
      for (const step of steps) {
        if (step.kind === "clone") expect(step.node).not.toBe("a");
        // A standby that takes over may first have to be made one that can be started as such.
        if (step.kind === "follow" && step.node === "a")
          expect(steps.some(({ kind }) => kind === "promote")).toBe(true);
        if ((step.kind === "start" || step.kind === "restart") && step.as === "primary")
          expect(step.node === "a" || handsOver).toBe(true);
      }
    });
  });

  test("it has steps or refusals, never both, and the same each time", () => {
    every((made, pair) => {
      if (made.refusals.length > 0) expect(made.steps).toEqual([]);
      const again = [plan(found(pair), wish), plan(found(pair), wish)];
      expect(again[0]).toEqual(again[1]);
    });
  });

  test("carried out, it leaves nothing to plan, and records the generation", async () => {
    let converged = 0;
    for (const pair of cases) {
      const fleet = SimFleet.from(found(pair), wish);
      const refused = plan(fleet.observed(), wish).refusals.length > 0;
      const run = apply({
        desired: wish,
        access: fleet.access(),
        generation: "g2",
        now,
        report: () => undefined,
      });
      const label = JSON.stringify(pair);
      if (refused) {
        await expect(run, label).rejects.toThrow(/^Refused/);
        expect(fleet.calls, label).toEqual([]);
        continue;
      }
      const failed = await run.then(
        () => undefined,
        (error: Error) => error,
      );
      // Only what was hidden in a stopped container or a server on its way up may be refused late.
      if (failed) {
        expect(
          [pair.a, pair.b].filter((s) => s === "unit-stopped" || s === "starting"),
          label,
        ).not.toEqual([]);
        expect(failed.message, label).toMatch(/^Refused/);
        continue;
      }
      converged += 1;
      expect(plan(fleet.observed(), wish), label).toMatchObject({
        steps: [],
        refusals: [],
        lookAgainAfter: null,
      });
      expect(fleet.node("a").generation).toBe("g2");
      expect(fleet.node("b").generation).toBe("g2");
    }
    expect(converged).toBeGreaterThan(80);
  });

  test("cut off before any of its calls, it is finished by the next run", async () => {
    for (const pair of cases) {
      const whole = SimFleet.from(found(pair), wish);
      const end = await run(whole);
      if (end !== undefined) continue;
      for (let cut = 0; cut < whole.calls.length; cut += 1) {
        const fleet = SimFleet.from(found(pair), wish);
        fleet.cutAt = cut;
        await run(fleet);
        fleet.cutAt = undefined;
        expect(await run(fleet), `${JSON.stringify(pair)}, cut at ${cut}`).toBeUndefined();
        expect(plan(fleet.observed(), wish).steps).toEqual([]);
      }
    }
  });

  async function run(fleet: SimFleet): Promise<string | undefined> {
    try {
      await apply({ desired: wish, access: fleet.access(), generation: "g2", now, report: () => undefined });
      return undefined;
    } catch (error) {
      return (error as Error).message;
    }
  }
});
