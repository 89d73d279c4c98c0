/** All rules. */
import { addressRules } from "./addresses.ts";
import { adoptionRules } from "./adoption.ts";
import { catalogRules } from "./catalog.ts";
import { certificateRules } from "./certificates.ts";
import { clientAccessRules, clientNetworkRules } from "./clientAccess.ts";
import { dnsRules } from "./dns.ts";
import { degradeRules, durabilityRules } from "./durability.ts";
import { failoverRules } from "./failover.ts";
import { fenceCommandRules } from "./fenceCommand.ts";
import { machineRules, siteMachineRules } from "./machines.ts";
import { nameServerRules } from "./nameServer.ts";
import { nameRules, siteNameRules } from "./names.ts";
import { packageRules } from "./packages.ts";
import { portRules } from "./ports.ts";
import { repairRules } from "./repair.ts";
import { replicationRules, retentionRules } from "./replication.ts";
import type { StreamingRule } from "./rule.ts";
import { imageRules, placeRules } from "./secrets.ts";
import { settingRules } from "./settings.ts";

export const rules: readonly StreamingRule[] = [
  ...nameRules,
  ...siteNameRules,
  ...siteMachineRules,
  ...machineRules,
  ...packageRules,
  ...adoptionRules,
  ...fenceCommandRules,
  ...addressRules,
  ...portRules,
  ...nameServerRules,
  ...dnsRules,
  ...replicationRules,
  ...retentionRules,
  ...settingRules,
  ...durabilityRules,
  ...degradeRules,
  ...clientAccessRules,
  ...clientNetworkRules,
  ...catalogRules,
  ...certificateRules,
  ...placeRules,
  ...imageRules,
  ...failoverRules,
  ...repairRules,
];
