import { describe, expect, test } from "vitest";
import { regionalRules } from "../../../../components/spec/regional/rules/index.ts";
import { rules } from "../../../../components/spec/rules/index.ts";
import { testRule } from "../ruleCase.ts";
import { hostCases } from "./cases/hosts.ts";
import { machineCases } from "./cases/machines.ts";
import { patroniCases } from "./cases/patroni.ts";
import { poolingCases } from "./cases/pooling.ts";
import { regionCases } from "./cases/regions.ts";
import { regionalProblems } from "./configuration.ts";

const topics = {
  hosts: hostCases,
  machines: machineCases,
  regions: regionCases,
  patroni: patroniCases,
  pooling: poolingCases,
};

describe.each(Object.entries(topics))("%s", (_topic, cases) => {
  for (const one of cases) testRule(one, regionalProblems);
});

test("every rule has a case that it refuses, here or as a rule of every kind", () => {
  const tested = new Set(Object.values(topics).flatMap((cases) => cases.map(({ code }) => code)));
  const shared = new Set(rules.map((rule) => rule.check as unknown));
  expect(
    regionalRules
      .filter(({ code, check }) => !tested.has(code) && !shared.has(check))
      .map(({ code }) => code),
  ).toEqual([]);
});

test("a code is one rule's", () => {
  const codes = regionalRules.map(({ code }) => code);
  expect(codes.filter((code, index) => codes.indexOf(code) !== index)).toEqual([]);
});
