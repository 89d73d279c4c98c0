/** The smallest deployment of two regions that a user can write, and what tests vary of it. */
import { parseRegional } from "../../../../components/spec/regional/parse.ts";
import type { Region, RegionalDeployment } from "../../../../components/spec/regionalModel.ts";

export interface Variation {
  readonly active?: string;
  readonly database?: Readonly<Record<string, unknown>>;
  readonly regionA?: Readonly<Record<string, unknown>>;
  readonly more?: Readonly<Record<string, unknown>>;
}

export function twoRegions(vary: Variation = {}): RegionalDeployment {
  const { active = "region-a", database = {}, regionA = {}, more = {} } = vary;
  const parsed = parseRegional({
    stack: "demo",
    active,
    deployment: {
      domain: "ha.example.test",
      database: { kind: "patroni", synchronous: "strict", ...database },
      regions: { "region-a": { target: "containers", ...regionA }, "region-b": { target: "containers" } },
      ...more,
    },
  });
  if (!parsed.ok) throw new Error(`the sample is refused: ${JSON.stringify(parsed.problems)}`);
  return parsed.deployment;
}

export function regionNamed({ regions }: RegionalDeployment, name: string): Region {
  const region = regions.find((candidate) => candidate.name === name);
  if (region === undefined) throw new Error(`no region ${name}`);
  return region;
}
