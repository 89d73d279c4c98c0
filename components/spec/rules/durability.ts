/** What an acknowledged commit is worth: settings that would let it be lost, or would break the way back. */
import { readBool } from "../settingsInfo.ts";
import type { Rule, StreamingRule } from "./rule.ts";
import { settingPlaces } from "./settings.ts";

/** Settings that lose or hide data in every mode, with what they must be. */
const always: Readonly<Record<string, readonly [boolean, string]>> = {
  fsync: [true, "a crash would destroy the database, not only the last commits"],
  data_sync_retry: [false, "a failed flush would be taken for a successful one"],
  zero_damaged_pages: [false, "it destroys damaged pages instead of reporting them"],
  ignore_checksum_failure: [false, "it copies damaged pages to the standby instead of reporting them"],
};

const waits = (value: unknown) => value === true || /^(on|true|yes|1|remote_apply)$/i.test(String(value));

const lowered: Rule = {
  code: "E_DURABILITY_LOWERED",
  needs: ["deployment.database.synchronous"],
  check(deployment) {
    const { synchronous } = deployment.database;
    return settingPlaces(deployment).flatMap(({ path, name, value, who }) => {
      const rule = Object.hasOwn(always, name) ? always[name] : undefined;
      if (rule && readBool(value) === !rule[0]) {
        return [{ path, message: `${who} sets ${name} = ${rule[0] ? "off" : "on"}: ${rule[1]}` }];
      }
      if (name !== "synchronous_commit" || synchronous !== "strict" || waits(value)) return [];
      const message = `${who} sets ${value}, and its commits would be lost in a failover; \`synchronous: strict\` promises that none is: write \`on\` or \`remote_apply\`, or another \`synchronous\``;
      return [{ path, message }];
    });
  },
};

/** `wal_log_hints` may be off: the deployment makes every data directory with checksums, which serve as well. */
const rewind: Rule = {
  code: "E_REWIND_IMPOSSIBLE",
  needs: [],
  check(deployment) {
    return settingPlaces(deployment)
      .filter(({ name, value }) => name === "full_page_writes" && readBool(value) === false)
      .map(({ path, who }) => ({
        path,
        message: `${who} sets full_page_writes = off: pg_rewind could not bring an old primary back, and a crash could tear pages`,
      }));
  },
};

const commitsBehind: Rule = {
  code: "W_DURABILITY",
  needs: ["deployment.database.synchronous"],
  check(deployment) {
    if (deployment.database.synchronous !== "available") return [];
    return settingPlaces(deployment)
      .filter(({ name, value }) => name === "synchronous_commit" && !waits(value))
      .map(({ path, who, value }) => ({
        path,
        message: `${who} sets ${value}: its last commits are lost in a failover even while the standby is in sync`,
      }));
  },
};

const unusedDegrade: StreamingRule = {
  code: "W_UNUSED",
  needs: ["deployment.database.synchronous"],
  check({ database: { synchronous, degradeAfterSeconds } }) {
    // The default says nothing about what the user meant.
    if (synchronous === "available" || degradeAfterSeconds === 30) return [];
    const message = `has no effect with \`synchronous: ${synchronous}\`; it is for \`available\``;
    return [{ path: "deployment.database.degradeAfterSeconds", message }];
  },
};

export const durabilityRules: readonly Rule[] = [lowered, rewind, commitsBehind];

export const degradeRules: readonly StreamingRule[] = [unusedDegrade];
