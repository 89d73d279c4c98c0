import { describe, expect, test } from "vitest";
import { plan } from "../../../components/roles/plan/plan.ts";
import { type NodeState, nodeStates } from "../../../components/roles/plan/state.ts";
import { desired, nodeIn, observed } from "../../support/facts.ts";
import { short } from "../../support/shortPlan.ts";

function planFor(a: NodeState, b: NodeState, moment: "preview" | "apply" = "apply") {
  const nodes = { a: nodeIn(a, "a", ["b"], "primary"), b: nodeIn(b, "b", ["a"], "standby") };
  return plan(observed(nodes), desired("strict"), moment);
}

/** Only the first look is marked: what follows it is planned again. */
const firstLook = (plan: string) => plan.replace(" |", "");
const standbyRecipes: Readonly<Record<NodeState, string>> = {
  primary: "E_SPLIT_BRAIN",
  "standby-streaming": "",
  "standby-lagging": "await(b)",
  "stopped-clean": "start(b) await(b) |",
  "stopped-clean-standby": "start(b) await(b) |",
  "stopped-dirty": "start(b) await(b) |",
  failed: "start(b) await(b) |",
  starting: "start(b) await(b) |",
  empty: "clone(b) start(b) await(b)",
  "half-built": "clone(b) start(b) await(b)",
  rewinding: "CLONE(b) start(b) await(b)",
  "unit-stopped": "startUnit(b) | await(b)",
  absent: "E_NODE_ABSENT",
  "absent-kept": "E_NODE_ABSENT",
  unreachable: "E_NODE_UNREACHABLE",
};

describe("the active node leads", () => {
  test.each(nodeStates)("its standby is %s", (state) => {
    expect(short(planFor("primary", state))).toBe(standbyRecipes[state] || "nothing");
  });
});

describe("the active node is down and can lead", () => {
  const down: NodeState[] = ["stopped-clean", "stopped-dirty", "failed", "starting"];
  const rows = down.flatMap((a) => nodeStates.map((b) => [a, b] as const));
  test.each(rows)("it is %s, its standby %s", (a, b) => {
    const after = standbyRecipes[b];
    const expected = after.startsWith("E_")
      ? after
      : b === "unit-stopped"
        ? "startUnit(b) | start(a) await(b)"
        : `start(a) | ${firstLook(after) || "await(b)"}`;
    expect(short(planFor(a, b))).toBe(expected);
  });
});

describe("the active node's container is stopped", () => {
  test.each(nodeStates)("the other is %s", (state) => {
    const expected: Record<string, string> = {
      ...Object.fromEntries(
        nodeStates.map((b) => [b, `startUnit(a) | ${firstLook(standbyRecipes[b]) || "await(b)"}`]),
      ),
      primary: "E_TARGET_UNKNOWN",
      absent: "E_NODE_ABSENT",
      "absent-kept": "E_NODE_ABSENT",
      unreachable: "E_NODE_UNREACHABLE",
      "unit-stopped": "startUnit(a) startUnit(b) | await(b)",
    };
    expect(short(planFor("unit-stopped", state))).toBe(expected[state]);
  });
});

describe("the active node has no data", () => {
  const birth = "initdb(a) start(a) slots(a:+b)";
  const table: Readonly<Record<NodeState, string>> = {
    primary: "E_STANDBY_NOT_SYNC",
    "standby-streaming": "E_NO_PRIMARY",
    "standby-lagging": "E_NO_PRIMARY",
    "stopped-clean": "E_NO_PRIMARY",
    "stopped-clean-standby": "E_NO_PRIMARY",
    "stopped-dirty": "E_NO_PRIMARY",
    failed: "E_NO_PRIMARY",
    starting: "E_NO_PRIMARY",
    empty: `${birth} clone(b) start(b) await(b)`,
    "half-built": `${birth} clone(b) start(b) await(b)`,
    rewinding: "E_NO_PRIMARY",
    "unit-stopped": "startUnit(b) |",
    absent: "E_NODE_ABSENT",
    "absent-kept": "E_NODE_ABSENT",
    unreachable: "E_NODE_UNREACHABLE",
  };
  for (const a of ["empty", "half-built"] as const) {
    test.each(nodeStates)(`it is ${a}, the other %s`, (state) => {
      expect(short(planFor(a, state))).toBe(table[state]);
    });
  }
});

/** What it takes to move the role to a standby is in `role-change-table.txt`. */
describe("the active node was being rewound", () => {
  test.each(nodeStates)("the other is %s", (b) => {
    const special: Partial<Record<NodeState, string>> = {
      primary: "E_STANDBY_NOT_SYNC",
      "unit-stopped": "startUnit(b) |",
      absent: "E_NODE_ABSENT E_NO_PRIMARY",
      "absent-kept": "E_NODE_ABSENT",
      unreachable: "E_NODE_UNREACHABLE",
    };
    expect(short(planFor("rewinding", b))).toBe(special[b] ?? "E_NO_PRIMARY");
  });
});

describe("at preview, what the update will make is planned with", () => {
  test.each([
    ["absent", "absent", "initdb(a) start(a) slots(a:+b) clone(b) start(b) await(b)"],
    ["primary", "absent", "clone(b) start(b) await(b)"],
    ["primary", "absent-kept", "| await(b)"],
    ["absent-kept", "absent-kept", "| await(b)"],
    ["absent-kept", "standby-streaming", "| await(b)"],
    ["absent", "standby-streaming", "E_NO_PRIMARY"],
    ["absent", "absent-kept", "|"],
    ["absent", "primary", "E_STANDBY_NOT_SYNC"],
  ] as const)("%s and %s", (a, b, expected) => {
    expect(short(planFor(a, b, "preview"))).toBe(expected);
  });
});
