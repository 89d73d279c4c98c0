/** All rules for `database.kind: patroni`. */
import { catalogRules } from "../../rules/catalog.ts";
import { certificateRules } from "../../rules/certificates.ts";
import { clientAccessRules } from "../../rules/clientAccess.ts";
import { dnsRules } from "../../rules/dns.ts";
import { durabilityRules } from "../../rules/durability.ts";
import { failoverRules } from "../../rules/failover.ts";
import { fenceCommandRules } from "../../rules/fenceCommand.ts";
import { nameServerRules } from "../../rules/nameServer.ts";
import { nameRules } from "../../rules/names.ts";
import { retentionRules } from "../../rules/replication.ts";
import { placeRules } from "../../rules/secrets.ts";
import { settingRules } from "../../rules/settings.ts";
import { hostRules } from "./hosts.ts";
import { patroniRules } from "./patroni.ts";
import { regionRules } from "./regions.ts";
import type { RegionalRule } from "./shared.ts";

export const regionalRules: readonly RegionalRule[] = [
  ...nameRules,
  ...regionRules,
  ...hostRules,
  ...patroniRules,
  ...fenceCommandRules,
  ...nameServerRules,
  ...dnsRules,
  ...settingRules,
  ...durabilityRules,
  ...retentionRules,
  ...clientAccessRules,
  ...catalogRules,
  ...certificateRules,
  ...placeRules,
  ...failoverRules,
];
