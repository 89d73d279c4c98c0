/**
 * Every pair of states that two sites can be found in × who is to lead × policy × statement → the steps, or the
 * refusal, word for word in `role-change-table.txt`. Read that file; here is what makes it complete and safe.
 */
import { describe, expect, test } from "vitest";
import type { Desired, FailoverStatement } from "../../../components/roles/desired.ts";
import type { NodeFacts } from "../../../components/roles/facts.ts";
import { plan } from "../../../components/roles/plan/plan.ts";
import type { Plan } from "../../../components/roles/steps.ts";
import type { Synchronous } from "../../../components/spec/model.ts";
import { desired, observed } from "../../support/facts.ts";
import { withReport } from "../../support/modify.ts";
import { short } from "../../support/shortPlan.ts";
import { situations } from "../../support/situations.ts";

const names = Object.keys(situations) as (keyof typeof situations)[];
const wishes = ["a", "b"] as const;
const policies: readonly Synchronous[] = ["strict", "available", "off"];

const USED = "2025-12-31T22:59:00.000Z";

/** Observed at 2026-01-01T00:00:00Z. */
const statement = (from: string, to: string, change: Partial<FailoverStatement> = {}): FailoverStatement => ({
  from,
  to,
  fenceConfirmed: "the host is powered off",
  at: "2025-12-31T23:50:00.000Z",
  validForMinutes: 15,
  acceptDataLoss: true,
  ...change,
});

const statements: Readonly<Record<string, (from: string, to: string) => FailoverStatement | undefined>> = {
  none: () => undefined,
  valid: (from, to) => statement(from, to),
  "valid, no loss accepted": (from, to) => statement(from, to, { acceptDataLoss: false }),
  stale: (from, to) => statement(from, to, { at: "2025-12-31T23:30:00.000Z" }),
  future: (from, to) => statement(from, to, { at: "2026-01-01T01:00:00.000Z" }),
  used: (from, to) => statement(from, to, { at: USED, validForMinutes: 1440 }),
  "other event": (from, to) => statement(from, to, { from: to, to: from }),
};

interface Row {
  readonly a: keyof typeof situations;
  readonly b: keyof typeof situations;
  readonly wish: "a" | "b";
  readonly policy: Synchronous;
  readonly said: string;
  readonly made: Plan;
}

const rows: readonly Row[] = names.flatMap((a) =>
  names.flatMap((b) =>
    wishes.flatMap((wish) =>
      policies.flatMap((policy) =>
        Object.keys(statements).map((said) => ({
          a,
          b,
          wish,
          policy,
          said,
          made: planned(a, b, wish, policy, said),
        })),
      ),
    ),
  ),
);

function planned(a: Row["a"], b: Row["b"], wish: Row["wish"], policy: Synchronous, said: string): Plan {
  const [from, to] = wish === "a" ? ["b", "a"] : ["a", "b"];
  const failover = statements[said]?.(from, to);
  const wanted: Desired = { ...desired(policy), active: wish, ...(failover ? { failover } : {}) };
  const nodes = { a: situations[a]("a", "b"), b: situations[b]("b", "a") };
  const found =
    said === "used" ? { ...nodes, [to]: afterAFailover(nodes[to as "a" | "b"], from, to) } : nodes;
  return plan(observed(found), wanted, "apply");
}

/** It led once by this statement, and gave the role back; its copy of the record says so. */
function afterAFailover(facts: NodeFacts, from: string, to: string): NodeFacts {
  if (facts.reach !== "up" || facts.report.promotion) return facts;
  const record = {
    mode: "failover",
    from,
    to,
    at: USED,
    timeline: 1,
    switchLsn: "0/3000000",
    statementAt: USED,
  } as const;
  return withReport(facts, () => ({ promotion: record }));
}

function groupBy<K, V>(values: readonly V[], key: (value: V) => K): Map<K, V[]> {
  const groups = new Map<K, V[]>();
  for (const value of values) groups.set(key(value), [...(groups.get(key(value)) ?? []), value]);
  return groups;
}

const label = ({ a, b, wish, policy, said }: Row) => `a ${a}; b ${b}; wish ${wish}; ${policy}; ${said}`;

test("the table, as it is", async () => {
  const lines = wishes.flatMap((wish) =>
    names.flatMap((a) =>
      names.flatMap((b) => render(rows.filter((row) => row.a === a && row.b === b && row.wish === wish))),
    ),
  );
  await expect(`${lines.join("\n")}\n`).toMatchFileSnapshot("role-change-table.txt");
});

/** One line where neither policy nor statement changes anything, else one for each result. */
function render(same: readonly Row[]): string[] {
  const byResult = groupBy(same, ({ made }) => short(made));
  const [first] = same;
  const head = `wish ${first?.wish} | a ${first?.a} | b ${first?.b}`;
  return [...byResult].map(([result, found]) => {
    const by = byResult.size === 1 ? "" : ` | ${conditions(found)}`;
    return `${head}${by} → ${result}`;
  });
}

function conditions(found: readonly Row[]): string {
  const byPolicies = groupBy([...groupBy(found, ({ said }) => said)], ([, of]) =>
    of.map(({ policy }) => policy).join(", "),
  );
  return [...byPolicies]
    .map(
      ([of, said]) =>
        `${of === policies.join(", ") ? "" : `${of}: `}${said.map(([name]) => name).join(", ")}`,
    )
    .join("; ");
}

describe("of every row", () => {
  const each = (check: (row: Row) => void) => rows.forEach(check);

  test("none is missing", () => {
    expect(rows).toHaveLength(
      names.length ** 2 * wishes.length * policies.length * Object.keys(statements).length,
    );
  });

  test("it has steps or refusals, never both, and each refusal has a message of its own", () => {
    const messages = new Map<string, string>();
    each((row) => {
      if (row.made.refusals.length > 0) expect(row.made.steps, label(row)).toEqual([]);
      for (const { code, message } of row.made.refusals) messages.set(code, message);
    });
    expect(new Set(messages.values()).size).toBe(messages.size);
  });

  test("nobody is promoted but the wished one, and not without proof or a statement that counts", () => {
    let switchovers = 0;
    let failovers = 0;
    each((row) => {
      const { steps } = row.made;
      const at = steps.findIndex(({ kind }) => kind === "promote");
      const step = steps[at];
      if (step?.kind !== "promote") return;
      expect(step.node, label(row)).toBe(row.wish);
      if (step.mode === "failover") {
        failovers += 1;
        expect(row.said, label(row)).toMatch(/^valid/);
        expect(step.alone, label(row)).toBe(row.policy !== "off");
        return;
      }
      switchovers += 1;
      const gated = steps.slice(0, at).some(({ kind }) => kind === "gate");
      // Two standbys that follow each other: neither can have written, and the wished one is not behind.
      const bothStandbys = [row.a, row.b].every(
        (name) => name.startsWith("standby") || name === "other system",
      );
      expect(gated || bothStandbys, label(row)).toBe(true);
    });
    expect([switchovers > 0, failovers > 0]).toEqual([true, true]);
  });

  test("a primary is stopped only to hand over or because it was superseded", () => {
    each((row) => {
      for (const step of row.made.steps) {
        if (step.kind !== "stop") continue;
        const state = step.node === "a" ? row.a : row.b;
        if (!state.startsWith("primary")) continue;
        const other = step.node === "a" ? row.b : row.a;
        const handsOver = row.made.steps.some(({ kind }) => kind === "gate");
        expect(handsOver || other === "promoted (timeline 2)", label(row)).toBe(true);
      }
    });
  });

  test("what was written after a fork is kept before it is rewound, and only then", () => {
    each((row) => {
      const kinds = row.made.steps.map(({ kind }) => kind);
      if (kinds.includes("rewind"))
        expect(kinds.indexOf("keepDivergent"), label(row)).toBe(kinds.indexOf("rewind") - 1);
    });
  });
});
