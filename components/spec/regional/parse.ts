/** From the stack's configuration to a `RegionalDeployment` of `database.kind: patroni`; see `../parseAs.ts`. */
import { withoutOwnedValues } from "../ownedSettings.ts";
import { type Kind, type Parsed, parseAs, type RawConfiguration } from "../parseAs.ts";
import { commonStandIns } from "../read.ts";
import type { RegionalDeployment } from "../regionalModel.ts";
import { resolveRegional } from "./resolve.ts";
import { regionalRules } from "./rules/index.ts";
import { regionalSchema, type WrittenRegional } from "./schema.ts";

export type ParsedRegional = Parsed<RegionalDeployment>;

const patroni: Kind<WrittenRegional, RegionalDeployment> = {
  schema: regionalSchema,
  least: "`domain`, `database` and `regions`",
  standIns: [
    [/^deployment\.database$/, () => ({ kind: "patroni" })],
    [/^deployment\.database\.kind$/, () => "patroni"],
    [/^deployment\.regions$/, () => ({})],
    [/^deployment\.regions\.[^.]*$/, () => ({ target: "containers" })],
    [/^deployment\.regions\.[^.]*\.target$/, () => "containers"],
    [/^deployment\.regions\.[^.]*\.(members|consulServers|proxies)\.[^.]*$/, () => ({})],
    ...commonStandIns,
  ],
  resolve: resolveRegional,
  rules: regionalRules,
  tidied,
};

export function parseRegional(raw: RawConfiguration): ParsedRegional {
  return parseAs(patroni, raw);
}

function tidied(deployment: RegionalDeployment): RegionalDeployment {
  const { database, regions } = deployment;
  return {
    ...deployment,
    database: { ...database, settings: withoutOwnedValues(database.settings, "patroni") },
    regions: regions.map((region) => ({
      ...region,
      members: region.members.map((member) => ({
        ...member,
        settings: withoutOwnedValues(member.settings, "patroni"),
      })),
    })),
  };
}
