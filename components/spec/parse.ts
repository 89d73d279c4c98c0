/** From the stack's configuration to a `Deployment` of `database.kind: streaming`; see `parseAs.ts`. */

import { valueAt } from "./issues.ts";
import type { Deployment } from "./model.ts";
import { withoutOwnedValues } from "./ownedSettings.ts";
import { type Kind, type Parsed as ParsedAs, parseAs, type RawConfiguration } from "./parseAs.ts";
import { commonStandIns } from "./read.ts";
import { resolve } from "./resolve.ts";
import { rules } from "./rules/index.ts";
import { deploymentSchema, type Written } from "./schema.ts";

export type { RawConfiguration } from "./parseAs.ts";
export type Parsed = ParsedAs<Deployment>;

const streaming: Kind<Written, Deployment> = {
  schema: deploymentSchema,
  least: "`domain`, `database` and `sites`",
  standIns: [
    [/^deployment\.database$/, () => ({ kind: "streaming" })],
    [/^deployment\.database\.kind$/, () => "streaming"],
    [/^deployment\.sites$/, () => ({})],
    [/^deployment\.sites\.[^.]*$/, () => ({ target: "containers" })],
    [/^deployment\.sites\.[^.]*\.target$/, () => "containers"],
    ...commonStandIns,
  ],
  resolve,
  rules,
  tidied,
};

export function parse(raw: RawConfiguration): Parsed {
  return parseAs(streaming, raw);
}

/** The kind that the configuration asks for; anything else is the streaming schema's to refuse, which names both. */
export function kindOf(deployment: unknown): "streaming" | "patroni" {
  const kind = valueAt(deployment, ["database", "kind"]);
  return kind === "patroni" ? kind : "streaming";
}

/** What only repeats an owned setting is right and says nothing: consumers merge without meeting it. */
function tidied(deployment: Deployment): Deployment {
  const { database, sites } = deployment;
  return {
    ...deployment,
    database: { ...database, settings: withoutOwnedValues(database.settings) },
    sites: sites.map((site) => ({
      ...site,
      node: { ...site.node, settings: withoutOwnedValues(site.node.settings) },
    })),
  };
}
