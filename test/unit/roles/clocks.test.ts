/** Clocks of a pair: told at any time, and refused where TLS meets them; a switchover's rule is in preflight.test.ts. */
import { expect, test } from "vitest";
import type { NodeFacts } from "../../../components/roles/facts.ts";
import { plan } from "../../../components/roles/plan/plan.ts";
import { desired, nodeIn, observed } from "../../support/facts.ts";
import { withReport } from "../../support/modify.ts";

const a = nodeIn("primary", "a", ["b"], "primary");
const b = nodeIn("standby-streaming", "b", ["a"], "standby");

function withClock(node: NodeFacts, clock: string): NodeFacts {
  const certificate = { notBefore: "2025-12-31T23:59:00Z", notAfter: "2026-03-31T00:00:00Z", sans: [] };
  return withReport(node, () => ({ clock, certificate }));
}

test("one that is off by more than 2 s is told, and nothing is done for it", () => {
  const { steps, refusals, notices } = plan(
    observed({ a: withClock(a, "2026-01-01T00:05:00Z"), b }),
    desired("strict"),
  );
  expect({ steps, refusals }).toEqual({ steps: [], refusals: [] });
  expect(notices).toMatchObject([
    { code: "N_CLOCK", message: expect.stringMatching(/^a says 2026-01-01T00:05:00Z \(300\.0 s ahead\)/) },
  ]);
});

test.each([
  ["2025-12-31T23:00:00Z", /b says .* \(3600\.0 s behind\), which is before its certificate begins/],
  ["2026-04-01T00:00:00Z", /b says .* ahead\), which is after its certificate ends/],
])("at %s no certificate would be taken, so nothing is done", (clock, message) => {
  expect(plan(observed({ a, b: withClock(b, clock) }), desired("strict"))).toMatchObject({
    steps: [],
    refusals: [{ code: "E_CLOCK", message: expect.stringMatching(message) }],
  });
});

test("nobody waits for it in an emergency", () => {
  const lost: NodeFacts = { reach: "unreachable", reason: "no answer" };
  const found = plan(observed({ a: lost, b: withClock(b, "2026-04-01T00:00:00Z") }), {
    ...desired("strict"),
    active: "b",
  });
  expect(found.refusals.map(({ code }) => code)).toEqual(["E_FENCE_UNCONFIRMED"]);
});
