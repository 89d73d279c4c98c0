/**
 * Configuration that somebody changed by hand on a machine: an update that does not ask for its repair neither loops, nor
 * brings it into force, nor fails because of it alone.
 */
import { describe, expect, test } from "vitest";
import { foresee } from "../../../components/roles/converge.ts";
import type { Desired } from "../../../components/roles/desired.ts";
import type { NodeFacts } from "../../../components/roles/facts.ts";
import type { Moment } from "../../../components/roles/plan/fleet.ts";
import { plan } from "../../../components/roles/plan/plan.ts";
import { conf, desired, files, nodeIn, observed } from "../../support/facts.ts";
import { withFiles } from "../../support/modify.ts";

type Files = Readonly<Record<string, string>>;

const primary = nodeIn("primary", "a", ["b"], "primary");
const standby = nodeIn("standby-streaming", "b", ["a"], "standby");
const edited: Files = { ...files(), "postgresql.conf": conf({ work_mem: "1GB" }) };
const wider: Files = { ...files(), "postgresql.conf": conf({ max_connections: 200 }) };
const gone: Files = { "pg_hba.conf": files()["pg_hba.conf"] ?? "" };

function onMachines(change: Partial<Desired> = {}): Desired {
  const wish = { ...desired("strict"), ...change };
  const ssh = { host: "203.0.113.1", port: 22, user: "root", hostKeys: [] };
  const reach = { kind: "machine", ssh, unit: "understudy-postgres.service", account: "postgres" } as const;
  return { ...wish, nodes: wish.nodes.map((node) => ({ ...node, reach })) };
}

/** At preview the survey has found it out. */
function byHand(facts: NodeFacts, running: { installed: Files; loaded?: Files; started?: Files }): NodeFacts {
  const made = withFiles(facts, running);
  return made.reach === "up" ? { ...made, changedByHand: ["postgresql.conf"] } : made;
}

const moments: readonly Moment[] = ["preview", "apply"];
const hands: readonly (readonly [string, { installed: Files; loaded?: Files; started?: Files }])[] = [
  ["only changed", { installed: edited }],
  ["changed and reloaded", { installed: edited, loaded: edited }],
  ["changed and restarted", { installed: wider, loaded: wider, started: wider }],
  ["taken away", { installed: gone }],
];

describe.each(moments)("at %s", (moment) => {
  describe.each(hands)("a file that was %s", (_, running) => {
    const found = observed({ a: primary, b: byHand(standby, running) });

    test("is left alone: there is nothing to do, and nothing is refused", () => {
      expect(plan(found, onMachines(), moment)).toMatchObject({
        steps: [],
        refusals: [],
        lookAgainAfter: null,
      });
    });

    test("does not stop what does not load it", () => {
      const catalog = {
        roles: [],
        databases: [{ name: "app", owner: "postgres", extensions: [], settings: {} }],
      };
      const made = plan(found, onMachines({ catalog }), moment);
      expect(made.refusals).toEqual([]);
      expect(made.steps.map(({ kind }) => kind)).toEqual(["sql"]);
    });

    test("stops what would load it: a switchover", () => {
      const made = plan(found, onMachines({ active: "b" }), moment);
      expect(made.steps).toEqual([]);
      expect(made.refusals).toEqual([
        {
          code: "E_FILES_STALE",
          message: expect.stringMatching(/^b: postgresql\.conf was changed by hand.*'repair\.b'/),
        },
      ]);
    });
  });

  test("one node's does not stop a reload of the other", () => {
    const wish = onMachines();
    const changed = { ...files(), "pg_hba.conf": "local all all peer\n" };
    const nodes = wish.nodes.map((node) => (node.name === "a" ? { ...node, files: changed } : node));
    const running = { installed: changed, loaded: files(), started: files() };
    const found = observed({ a: withFiles(primary, running), b: byHand(standby, { installed: edited }) });
    expect(plan(found, { ...wish, nodes }, moment)).toMatchObject({
      steps: [{ kind: "reload", node: "a" }],
      refusals: [],
    });
  });
});

test("a file that the update is going to write is not one of them", () => {
  const found = observed({ a: primary, b: withFiles(standby, { installed: edited, loaded: edited }) });
  expect(plan(found, onMachines(), "preview")).toMatchObject({ steps: [{ kind: "reload", node: "b" }] });
});

test("what is changed is shown, and that it stays", () => {
  const found = observed({ a: primary, b: byHand(standby, { installed: edited }) });
  const { text, generation } = foresee(found, onMachines(), {
    refusals: [],
    notices: [{ code: "N_DRIFT", message: "b: …" }],
  });
  expect(text).toContain("b: postgresql.conf, changed by hand; this update leaves it so\n");
  expect(text).toContain("  N_DRIFT  b: …");
  // The value that the last converge left: the resource that converges does not run.
  expect(generation).toBe("g1");
});

test("a refusal from aside takes the steps away", () => {
  const found = observed({ a: primary, b: nodeIn("absent", "b", ["a"], "standby") });
  const refusals = [{ code: "E_DISK", message: "b: …" }];
  expect(foresee(found, onMachines(), { refusals, notices: [] })).toMatchObject({ steps: [], refusals });
});
