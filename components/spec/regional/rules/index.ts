/** All rules for `database.kind: patroni`. */
import { catalogRules } from "../../rules/catalog.ts";
import { certificateRules } from "../../rules/certificates.ts";
import { clientAccessRules, clientNetworkRules } from "../../rules/clientAccess.ts";
import { dnsRules } from "../../rules/dns.ts";
import { durabilityRules } from "../../rules/durability.ts";
import { failoverRules } from "../../rules/failover.ts";
import { fenceCommandRules } from "../../rules/fenceCommand.ts";
import { machineRules } from "../../rules/machines.ts";
import { nameServerRules } from "../../rules/nameServer.ts";
import { nameRules } from "../../rules/names.ts";
import { packageRules } from "../../rules/packages.ts";
import { repairRules } from "../../rules/repair.ts";
import { retentionRules } from "../../rules/replication.ts";
import { placeRules } from "../../rules/secrets.ts";
import { settingRules } from "../../rules/settings.ts";
import { hostRules } from "./hosts.ts";
import { regionMachineRules } from "./machines.ts";
import { patroniRules } from "./patroni.ts";
import { poolingRules } from "./pooling.ts";
import { regionPortRules } from "./ports.ts";
import { regionRules } from "./regions.ts";
import { retiredRules } from "./retired.ts";
import type { RegionalRule } from "./shared.ts";
import { watchdogRules } from "./watchdog.ts";

export const regionalRules: readonly RegionalRule[] = [
  ...nameRules,
  ...regionRules,
  ...regionMachineRules,
  ...machineRules,
  ...packageRules,
  ...hostRules,
  ...regionPortRules,
  ...patroniRules,
  ...poolingRules,
  ...watchdogRules,
  ...retiredRules,
  ...fenceCommandRules,
  ...nameServerRules,
  ...dnsRules,
  ...settingRules,
  ...durabilityRules,
  ...retentionRules,
  ...clientAccessRules,
  ...clientNetworkRules,
  ...catalogRules,
  ...certificateRules,
  ...placeRules,
  ...failoverRules,
  ...repairRules,
];
