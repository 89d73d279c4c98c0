/** What is said of a node fits where it runs: nobody with two machines is told of containers, and the other way round. */
import { describe, expect, test } from "vitest";
import { DATA_DIRECTORY, PGDATA } from "../../../components/postgres/paths.ts";
import { adviceOn } from "../../../components/roles/act/advice.ts";
import { assess } from "../../../components/roles/assess.ts";
import type { Desired, Reach } from "../../../components/roles/desired.ts";
import type { NodeFacts } from "../../../components/roles/facts.ts";
import { describe as inWords } from "../../../components/roles/plan/consequences.ts";
import type { Moment } from "../../../components/roles/plan/fleet.ts";
import { plan } from "../../../components/roles/plan/plan.ts";
import { renderPlan } from "../../../components/roles/plan/render.ts";
import { type NodeState, nodeStates } from "../../../components/roles/plan/state.ts";
import type { Step } from "../../../components/roles/steps.ts";
import { ownData, wordsOf } from "../../../components/roles/words.ts";
import { desired, desiredNode, nodeIn, observed } from "../../support/facts.ts";
import { withSql } from "../../support/modify.ts";

const ssh = { host: "203.0.113.1", port: 22, user: "root", hostKeys: [] };
const machine: Reach = { kind: "machine", ssh, unit: "understudy-postgres.service", account: "postgres" };
const container = desiredNode("a").reach;

function on(reach: Reach, wish: Desired = desired("strict")): Desired {
  return { ...wish, nodes: wish.nodes.map((node) => ({ ...node, reach })) };
}

const foreign: Readonly<Record<Reach["kind"], RegExp>> = {
  machine: /container|volume|docker|--refresh/i,
  docker: /systemctl|journalctl|understudy-postgres\.service|repair\./,
};

/** Everything that a plan and a status say of one situation. */
function said(nodes: Record<string, NodeFacts>, wish: Desired, moment: Moment): string {
  const found = observed(nodes);
  const made = plan(found, wish, moment);
  return [
    renderPlan(made, found, wish),
    ...made.steps.flatMap((step) => [inWords(step), adviceOn(step)]),
    ...assess(found, wish, []).findings.map(({ message }) => message),
  ].join("\n");
}

const statement = { from: "b", to: "a", validForMinutes: 15, acceptDataLoss: false };

describe.each([machine, container])("$kind", (reach) => {
  test.each(nodeStates)("no word of another target with a node that is %s", (state: NodeState) => {
    for (const other of nodeStates) {
      for (const moment of ["preview", "apply"] as const) {
        const nodes = { a: nodeIn(state, "a", ["b"], "primary"), b: nodeIn(other, "b", ["a"], "standby") };
        const also = { a: nodeIn(state, "a", ["b"], "standby"), b: nodeIn(other, "b", ["a"], "primary") };
        for (const facts of [nodes, also]) {
          for (const failover of [
            undefined,
            { ...statement, fenceConfirmed: "off", at: "2026-01-01T00:00:00Z" },
          ]) {
            const wish = { ...on(reach), ...(failover && { failover }) };
            expect(said(facts, wish, moment)).not.toMatch(foreign[reach.kind]);
          }
        }
      }
    }
  });

  test("no word of another target in any advice", () => {
    const { theUnit: unit, log } = wordsOf({ ...desiredNode("a"), reach });
    const steps = [
      ...(["initdb", "follow", "fence", "lead", "clone", "keepDivergent", "rewind"] as const).map(
        (kind) => ({ kind }) as unknown as Step,
      ),
      { kind: "startUnit", node: "a", unit, log } as const,
    ];
    for (const step of steps) expect(adviceOn(step)).not.toMatch(foreign[reach.kind]);
  });
});

test("a stopped unit is named, with the command for its log", () => {
  const nodes = {
    a: nodeIn("primary", "a", ["b"], "primary"),
    b: nodeIn("unit-stopped", "b", ["a"], "standby"),
  };
  const first = (reach: Reach) => plan(observed(nodes), on(reach)).steps[0] as Step;
  expect(inWords(first(machine))).toBe("start understudy-postgres.service on b");
  expect(adviceOn(first(machine))).toBe(
    "Look at its log: journalctl -u understudy-postgres.service -n 50 on 203.0.113.1.",
  );
  expect(inWords(first(container))).toBe("start the container of b");
  expect(adviceOn(first(container))).toBe("Look at its log: docker logs --tail 50 demo-a.");
});

test("commands go to the engine that has the container", () => {
  const reach = { ...container, dockerHost: "ssh://op@far" } as Reach;
  expect(wordsOf({ ...desiredNode("a"), reach }).log).toBe(
    "docker --host ssh://op@far logs --tail 50 demo-a",
  );
});

test.each([
  [container, `docker exec -u postgres demo-a sh -c`, PGDATA],
  [machine, "on 203.0.113.1, as root: runuser -u postgres -- sh -c", "/srv/pg"],
] as const)(
  "a setting of ALTER SYSTEM is taken out by what works where it is switched off: %#",
  (reach, begin, data) => {
    const wish = on(reach);
    const adopted = data === PGDATA ? wish.nodes : wish.nodes.map((node) => ({ ...node, adopt: data }));
    const a = withSql(nodeIn("primary", "a", ["b"], "primary"), {
      alterSystem: { work_mem: "1GB", jit: "off" },
    });
    const { notices } = plan(observed({ a, b: nodeIn("standby-streaming", "b", ["a"], "standby") }), {
      ...wish,
      nodes: adopted,
    });
    const text = notices.find(({ code }) => code === "N_ALTER_SYSTEM")?.message ?? "";
    expect(text).toContain(
      `${begin} "sed -i -E '/^(jit|work_mem)[ =]/d' ${data}/postgresql.auto.conf && psql -c 'SELECT pg_reload_conf()'"`,
    );
  },
);

test("the data directory is where the agent makes it", () => {
  expect(ownData).toBe(PGDATA);
  expect(inWords({ kind: "keepDivergent", node: "a", switchLsn: "0/1" })).not.toContain("volume");
  expect(DATA_DIRECTORY).toBe("/var/lib/understudy");
});
