/** All rules. */
import { addressRules } from "./addresses.ts";
import { catalogRules } from "./catalog.ts";
import { certificateRules } from "./certificates.ts";
import { clientAccessRules } from "./clientAccess.ts";
import { dnsRules } from "./dns.ts";
import { durabilityRules } from "./durability.ts";
import { failoverRules } from "./failover.ts";
import { nameRules } from "./names.ts";
import { replicationRules } from "./replication.ts";
import type { Rule } from "./rule.ts";
import { placeRules } from "./secrets.ts";
import { settingRules } from "./settings.ts";

export const rules: readonly Rule[] = [
  ...nameRules,
  ...addressRules,
  ...dnsRules,
  ...replicationRules,
  ...settingRules,
  ...durabilityRules,
  ...clientAccessRules,
  ...catalogRules,
  ...certificateRules,
  ...placeRules,
  ...failoverRules,
];
