import { expect, test } from "vitest";
import { pairRecord } from "../../../components/record/pairRecord.ts";
import { lookPatiently } from "../../../components/record/recordAfter.ts";
import type { Observed } from "../../../components/roles/facts.ts";
import { desired, nodeIn, observed } from "../../support/facts.ts";

const up = nodeIn("primary", "a", ["b"], "primary");
const silent = nodeIn("unreachable", "a", ["b"], "primary");

async function looks(before: Observed, ...seen: Observed[]): Promise<[number, Observed]> {
  let count = 0;
  const isAtRest = (found: Observed) => pairRecord.isAtRest(found, before, desired());
  const found = await lookPatiently(async () => seen[count++] ?? observed({}), isAtRest);
  return [count, found];
}

test("one look is enough where everybody answers", async () => {
  const fine = observed({ a: up });
  expect(await looks(fine, fine)).toEqual([1, fine]);
});

test("a node that answered before gets time, and no more than three looks", async () => {
  const [fine, away] = [observed({ a: up }), observed({ a: silent })];
  expect(await looks(fine, away, fine)).toEqual([2, fine]);
  expect(await looks(fine, away, away, away, fine)).toEqual([3, away]);
});

test("one that did not answer before is not waited for", async () => {
  const away = observed({ a: silent, b: up });
  expect(await looks(away, away)).toEqual([1, away]);
});
