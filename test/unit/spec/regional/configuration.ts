/** A configuration of regions that is right, and ways to spoil it. */
import type { Problem } from "../../../../components/spec/problems.ts";
import { type ParsedRegional, parseRegional } from "../../../../components/spec/regional/parse.ts";
import type { RegionalDeployment } from "../../../../components/spec/regionalModel.ts";
import { type Given, layOver, now, type Tree } from "../configuration.ts";

/** As `stacks/Pulumi.regions.yaml`. */
export const minimalRegions: Tree = {
  domain: "shop.example.test",
  database: { kind: "patroni", synchronous: "strict" },
  regions: { "region-a": { target: "containers" }, "region-b": { target: "containers" } },
};

/** The minimal configuration with `given` laid over it; `undefined` takes a key out. */
export function parseRegionalWith(given: Given = {}): ParsedRegional {
  const { active = "region-a", deployment = {}, stack = "demo", ...rest } = given;
  return parseRegional({
    stack,
    active,
    deployment: layOver(minimalRegions, deployment as Tree),
    now,
    ...rest,
  });
}

export function regionalProblems(given: Given): readonly Problem[] {
  const parsed = parseRegionalWith(given);
  return parsed.ok ? parsed.warnings : parsed.problems;
}

/** @throws when it is refused */
export function accepted(given: Given = {}): RegionalDeployment {
  const parsed = parseRegionalWith(given);
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
  return parsed.deployment;
}

/** A map of hosts without a word about them. */
export const hosts = (...names: string[]): Tree => Object.fromEntries(names.map((name) => [name, {}]));

/** Region-a with these fields. */
export const regionA = (region: Tree): Given => ({ deployment: { regions: { "region-a": region } } });

export const database = (fields: Tree): Given => ({ deployment: { database: fields } });
