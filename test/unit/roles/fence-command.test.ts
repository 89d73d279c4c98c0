/**
 * A failover that rests on the site's fence command: in every state of two sites it is the failover that the
 * operator's word allows, with the command before the promotion; and without either of them there is none.
 */
import { describe, expect, test } from "vitest";
import type { Desired, DesiredNode, FailoverStatement } from "../../../components/roles/desired.ts";
import { plan } from "../../../components/roles/plan/plan.ts";
import { renderPlan } from "../../../components/roles/plan/render.ts";
import type { Plan, Step } from "../../../components/roles/steps.ts";
import type { Synchronous } from "../../../components/spec/model.ts";
import { desired, nodeIn, observed } from "../../support/facts.ts";
import { withReport } from "../../support/modify.ts";
import { short } from "../../support/shortPlan.ts";
import { situations } from "../../support/situations.ts";

type Situation = keyof typeof situations;

const names = Object.keys(situations) as Situation[];
const policies: readonly Synchronous[] = ["strict", "available", "off"];

/** As `sites.<name>.fenceCommand`. */
const fenceCommand = { command: ["ipmitool", "-H", "bmc a", "power", "off"], timeoutSeconds: 20 };
const word = "the rack is dark, ticket 7";

/** Observed at 2026-01-01T00:00:00Z. */
function statement(from: string, to: string, change: Partial<FailoverStatement> = {}): FailoverStatement {
  return { from, to, at: "2025-12-31T23:50:00Z", validForMinutes: 15, acceptDataLoss: true, ...change };
}

function withCommand(nodes: readonly DesiredNode[], site: string): DesiredNode[] {
  return nodes.map((node) => (node.site === site ? { ...node, fenceCommand } : node));
}

interface Said {
  readonly word?: string;
  readonly command: boolean;
}

function planned(a: Situation, b: Situation, policy: Synchronous, said: Said, change = {}): Plan {
  const base = desired(policy);
  const wanted: Desired = {
    ...base,
    active: "b",
    nodes: said.command ? withCommand(base.nodes, "a") : base.nodes,
    failover: statement("a", "b", { ...(said.word ? { fenceConfirmed: said.word } : {}), ...change }),
  };
  return plan(observed({ a: situations[a]("a", "b"), b: situations[b]("b", "a") }), wanted, "apply");
}

/** Every pair of states; `byWord` is what `role-change-table.txt` says of it. */
function each(check: (byWord: Plan, made: (said: Said) => Plan, label: string) => void): void {
  for (const a of names) {
    for (const b of names) {
      for (const policy of policies) {
        const made = (said: Said) => planned(a, b, policy, said);
        check(made({ word, command: false }), made, `a ${a}; b ${b}; ${policy}`);
      }
    }
  }
}

function isFailover(step: Step): boolean {
  return step.kind === "promote" && step.mode === "failover";
}

const promotes = ({ steps }: Plan) => steps.some(isFailover);

function fencedBefore(steps: readonly Step[], confirmed: string | null): Step[] {
  const fence: Step = { kind: "fenceSite", node: "a", site: "a", ...fenceCommand, confirmed };
  return steps.flatMap((step) => (isFailover(step) ? [fence, step] : [step]));
}

describe("in every pair of states", () => {
  test("the command stands for the operator's word, right before the promotion", () => {
    let count = 0;
    each((byWord, made, label) => {
      const byCommand = made({ command: true });
      const both = made({ word, command: true });
      if (promotes(byWord)) {
        count += 1;
        expect(byCommand.steps, label).toEqual(fencedBefore(byWord.steps, null));
        expect(both.steps, label).toEqual(fencedBefore(byWord.steps, word));
        expect(byCommand.refusals, label).toEqual([]);
      } else {
        expect(both, label).toEqual(byWord);
      }
    });
    expect(count).toBeGreaterThan(30);
  });

  test("it is run for no other purpose, and a blank word is none", () => {
    each((byWord, made, label) => {
      const kinds = made({ word: "  ", command: true }).steps.map(({ kind }) => kind);
      expect(kinds.includes("fenceSite"), label).toBe(promotes(byWord));
    });
  });

  test("without either nobody is promoted in a failover", () => {
    each((byWord, made, label) => {
      const neither = made({ command: false });
      expect(promotes(neither), label).toBe(false);
      if (promotes(byWord)) expect(short(neither), label).toBe("E_FENCE_UNCONFIRMED");
    });
  });

  test("where nothing would be promoted by it, a site is not given up by it alone", () => {
    const differing = new Set<string>();
    each((byWord, made) => {
      const byCommand = made({ command: true });
      if (promotes(byWord)) return;
      if (short(byCommand) !== short(byWord)) differing.add(`${short(byWord)} → ${short(byCommand)}`);
    });
    expect([...differing]).toMatchInlineSnapshot(`
      [
        "nothing → E_FENCE_UNCONFIRMED",
        "lead(b) start(b) | → E_FENCE_UNCONFIRMED",
      ]
    `);
  });
});

test("three nodes: no other role change goes past a site that the command has not fenced", () => {
  const base = desired("strict", ["a", "b", "c"]);
  const nodes = withCommand(base.nodes, "a");
  // B and C follow each other, as after a handover that was cut off; A, who may have been promoted since, is gone.
  const found = observed({
    a: nodeIn("unreachable", "a", [], "primary"),
    b: nodeIn("standby-lagging", "b", ["c"], "standby"),
    c: nodeIn("standby-lagging", "c", ["b"], "standby"),
  });
  const wish = (change: Partial<FailoverStatement>): Desired => ({
    ...base,
    nodes,
    active: "b",
    failover: statement("a", "b", change),
  });
  expect(short(plan(found, wish({})))).toBe("E_FENCE_UNCONFIRMED");
  expect(short(plan(found, wish({ fenceConfirmed: word })))).toMatch(/promote\(b switchover/);
});

const gone = nodeIn("unreachable", "a", ["b"], "primary");
const lagging = nodeIn("standby-lagging", "b", ["a"], "standby");

function wish(failover?: FailoverStatement): Desired {
  const base = desired("strict");
  return { ...base, active: "b", nodes: withCommand(base.nodes, "a"), ...(failover ? { failover } : {}) };
}

function text(failover: FailoverStatement | undefined, nodes = { a: gone, b: lagging }): string {
  const found = observed(nodes);
  return renderPlan(plan(found, wish(failover), "preview"), found, wish(failover));
}

describe("what the operator reads", () => {
  test("without a statement: what the command would do, and how to say so", () => {
    expect(text(undefined)).toMatchInlineSnapshot(`
      "Refused; nothing is changed.
        E_FENCE_UNCONFIRMED  b is to lead, and a, which led last, does not answer (no answer within 20 s). What does not answer may still take writes. Whether acknowledged writes are lost is not known (how much is not known): b has no record of how a treated commits. Bring a back and move the role without loss; or state the failover, and \`pulumi up\` runs the fence command of a (ipmitool -H 'bmc a' power off, at most 20 s) before b is promoted:
            pulumi config set --path failover.from a
            pulumi config set --path failover.to b
            pulumi config set --path failover.at 2026-01-01T00:00:00.000Z
            pulumi config set --path failover.acceptDataLoss true
          and, only if the site is certain to be off although the command fails:
            pulumi config set --path failover.fenceConfirmed "why a takes no writes""
    `);
  });

  test("of a statement that is neither confirmed nor backed by a command", () => {
    const base = { ...desired("strict"), active: "b", failover: statement("a", "b") };
    expect(plan(observed({ a: gone, b: lagging }), base).refusals).toEqual([
      {
        code: "E_FENCE_UNCONFIRMED",
        message: expect.stringContaining("does not say why a is certain not to take writes"),
      },
    ]);
  });

  test("of the steps", () => {
    expect(text(statement("a", "b"))).toMatchInlineSnapshot(`
      "2 steps, b leads:
         1  fence a from outside: ipmitool -H 'bmc a' power off
            run on this machine, at most 20 s; whatever still runs at a ends, and every session there
            if it fails or takes longer, nobody is promoted
         2  promote b
            the point of no return; writes begin here, acknowledged by this site alone until a standby has caught up

      To know:
        N_DATA_AT_RISK  Whether acknowledged writes are lost is not known (how much is not known): b has no record of how a treated commits.
        N_OLD_SITE  a is left alone while the statement names it. When it is to come back: pulumi config rm failover && pulumi up. What only it has is kept aside first, then it is rewound or copied anew.
        N_DEGRADED_AFTERWARDS  b acknowledges commits alone until a standby has caught up; until then another failover could lose them."
    `);
  });

  test("of a command beside his own word", () => {
    expect(text(statement("a", "b", { fenceConfirmed: word }))).toContain(
      `if it fails or takes longer, the promotion goes on by the statement's word: ${word}`,
    );
  });

  test("of a site that is cut off from here and alive", () => {
    const streaming = withReport(nodeIn("standby-streaming", "b", ["a"], "standby"), ({ data }) => ({
      data: { ...data, follows: "a" },
    }));
    expect(text(statement("a", "b"), { a: gone, b: streaming })).toContain(
      "a still sends to b, so it is alive",
    );
    expect(text(statement("a", "b"))).not.toContain("it is alive");
  });

  test.each([
    ["too old", { at: "2025-12-31T23:30:00Z" }, "E_FENCE_STALE"],
    ["for another event", { from: "b", to: "a" }, "E_FENCE_STALE"],
    ["silent about a loss", { acceptDataLoss: false }, "E_DATA_LOSS"],
  ] as const)("of a statement that is %s: the command helps nothing", (_what, change, code) => {
    expect(text(statement("a", "b", change))).toContain(code);
  });
});
