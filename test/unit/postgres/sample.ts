/** The smallest pair that a user can write, and what the tests of the renderers vary of it. */
import type { Deployment, Node, SettingValue } from "../../../components/spec/model.ts";
import { parse } from "../../../components/spec/parse.ts";

export interface Variation {
  readonly active?: string;
  readonly domain?: string;
  readonly database?: Readonly<Record<string, unknown>>;
  readonly siteA?: Readonly<Record<string, unknown>>;
  readonly certificates?: Readonly<Record<string, unknown>>;
  readonly names?: Readonly<Record<string, unknown>>;
  readonly containers?: Readonly<Record<string, unknown>>;
  readonly now?: Date;
}

export function pair(vary: Variation = {}): Deployment {
  const { active = "site-a", domain = "ha.example.test", database = {}, siteA = {}, now, ...rest } = vary;
  const parsed = parse({
    stack: "demo",
    active,
    deployment: {
      domain,
      database: { kind: "streaming", ...database },
      sites: { "site-a": { target: "containers", ...siteA }, "site-b": { target: "containers" } },
      ...rest,
    },
    ...(now === undefined ? {} : { now }),
  });
  if (!parsed.ok) {
    throw new Error(`the sample is refused: ${JSON.stringify(parsed.problems)}`);
  }
  return parsed.deployment;
}

export function nodeOf(deployment: Deployment, name = "site-a"): Node {
  const site = deployment.sites.find((candidate) => candidate.name === name);
  if (site === undefined) {
    throw new Error(`no site ${name}`);
  }
  return site.node;
}

/** Settings that a user wrote, past the rules of `spec`, for what only a hand-made model can hold. */
export function withSettings(
  deployment: Deployment,
  settings: Readonly<Record<string, SettingValue>>,
): Deployment {
  return { ...deployment, database: { ...deployment.database, settings } };
}
