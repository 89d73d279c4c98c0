import { describe, expect, test } from "vitest";
import { rules } from "../../../components/spec/rules/index.ts";
import { accessCases, catalogCases } from "./cases/access.ts";
import { certificateCases } from "./cases/certificates.ts";
import { failoverCases } from "./cases/failover.ts";
import { fenceCases, machineCases } from "./cases/machines.ts";
import { nameServerCases } from "./cases/nameServer.ts";
import { packageCases } from "./cases/packages.ts";
import { placeCases } from "./cases/places.ts";
import { settingsCases } from "./cases/settings.ts";
import { topologyCases } from "./cases/topology.ts";
import { testRule } from "./ruleCase.ts";

const topics = {
  topology: topologyCases,
  settings: settingsCases,
  "client access": accessCases,
  catalog: catalogCases,
  certificates: certificateCases,
  failover: failoverCases,
  machines: machineCases,
  fences: fenceCases,
  places: placeCases,
  packages: packageCases,
  "name server": nameServerCases,
};

describe.each(Object.entries(topics))("%s", (_topic, cases) => {
  for (const one of cases) testRule(one);
});

test("every rule has a case that it refuses", () => {
  const tested = new Set(Object.values(topics).flatMap((cases) => cases.map(({ code }) => code)));
  expect(rules.map(({ code }) => code).filter((code) => !tested.has(code))).toEqual([]);
});

test("a code is one rule's", () => {
  const codes = rules.map(({ code }) => code);
  expect(codes.filter((code, index) => codes.indexOf(code) !== index)).toEqual([]);
});
