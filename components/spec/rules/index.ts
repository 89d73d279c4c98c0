/** All rules. */
import { addressRules } from "./addresses.ts";
import { adoptionRules } from "./adoption.ts";
import { catalogRules } from "./catalog.ts";
import { certificateRules } from "./certificates.ts";
import { clientAccessRules } from "./clientAccess.ts";
import { dnsRules } from "./dns.ts";
import { durabilityRules } from "./durability.ts";
import { failoverRules } from "./failover.ts";
import { fenceCommandRules } from "./fenceCommand.ts";
import { machineRules } from "./machines.ts";
import { nameServerRules } from "./nameServer.ts";
import { nameRules } from "./names.ts";
import { packageRules } from "./packages.ts";
import { portRules } from "./ports.ts";
import { repairRules } from "./repair.ts";
import { replicationRules } from "./replication.ts";
import type { Rule } from "./rule.ts";
import { placeRules } from "./secrets.ts";
import { settingRules } from "./settings.ts";

export const rules: readonly Rule[] = [
  ...nameRules,
  ...machineRules,
  ...packageRules,
  ...adoptionRules,
  ...fenceCommandRules,
  ...addressRules,
  ...portRules,
  ...nameServerRules,
  ...dnsRules,
  ...replicationRules,
  ...settingRules,
  ...durabilityRules,
  ...clientAccessRules,
  ...catalogRules,
  ...certificateRules,
  ...placeRules,
  ...failoverRules,
  ...repairRules,
];
