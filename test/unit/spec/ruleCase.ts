/** A rule's test: what it refuses, in its exact words, and the nearest thing that it lets pass. */
import { expect, test } from "vitest";
import type { Problem } from "../../../components/spec/problems.ts";
import { type Given, problemsWith } from "./configuration.ts";

export interface RuleCase {
  readonly code: string;
  readonly wrong: Given;
  readonly path: string;
  readonly message: string;
  /** A near miss: nothing of this rule. */
  readonly fine: Given;
  /** Other codes that the same mistake deserves. */
  readonly also?: readonly string[];
}

export function testRule(
  { code, wrong, path, message, fine, also = [] }: RuleCase,
  problemsOf: (given: Given) => readonly Problem[] = problemsWith,
): void {
  test(`${code} ${path}: ${message.slice(0, 60)}`, () => {
    const problems = problemsOf(wrong);
    expect(problems.filter((problem) => problem.code === code)).toEqual([{ code, path, message }]);
    const others = problems.filter((problem) => problem.code !== code).map((problem) => problem.code);
    expect(others.sort()).toEqual([...also].sort());
    expect(problemsOf(fine)).toEqual([]);
  });
}
