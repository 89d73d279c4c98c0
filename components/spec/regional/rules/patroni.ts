/** What Patroni asks for: times, a name that Consul takes, and settings that it would otherwise change by itself. */
import { clusterWide, patroniOwned } from "../../../patroni/parameters.ts";
import { timingProblems } from "../../../patroni/timing.ts";
import { serversOf } from "../../rules/areas.ts";
import type { Finding } from "../../rules/rule.ts";
import { readNumber } from "../../settingsInfo.ts";
import { show } from "../../show.ts";
import type { RegionalRule } from "./shared.ts";

const timingPath = "deployment.database.timing";

const timing: RegionalRule = {
  code: "E_PATRONI_TIMING",
  needs: [
    "ttlSeconds",
    "loopWaitSeconds",
    "retryTimeoutSeconds",
    "primaryStartTimeoutSeconds",
    "profile",
  ].map((key) => `${timingPath}.${key}`),
  check: ({ database }) =>
    timingProblems(database.timing.patroni).map((message) => ({ path: timingPath, message })),
};

/** It is a key's prefix, a service and a label in DNS, and stands in rules of access as it is. */
const scope: RegionalRule = {
  code: "E_SCOPE",
  needs: ["deployment.database.scope", "deployment.name"],
  check({ database }, { written }) {
    const name = database.scope;
    if (/^[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?$/.test(name) && name.length <= 63) return [];
    const path = "deployment.database.scope";
    const from = written.database.scope === undefined ? " (the deployment's name)" : "";
    const fault =
      name.length > 63 ? `is ${name.length} characters; 63 are allowed` : "does not name a service";
    const message = `${show(name, path)}${from} ${fault}; write letters, digits, ".", "_" and "-", with a letter or digit at both ends`;
    return [{ path, message }];
  },
};

/**
 * A check ends the session of a leader before that leader has given up by itself: it goes on for `retry_timeout`. What it
 * acknowledges then is safe where a commit waits for a second member, which follows the next leader.
 */
const sessionChecks: RegionalRule = {
  code: "E_SESSION_CHECKS",
  needs: ["deployment.database.sessionChecks", "deployment.database.synchronous"],
  check: ({ database: { sessionChecks: checks, synchronous } }) =>
    checks.length === 0 || synchronous !== "off"
      ? []
      : [
          {
            path: "deployment.database.sessionChecks",
            message: `${checks.join(", ")} with \`synchronous: off\`: a leader that is cut off would acknowledge writes that are lost while another one leads already; write \`synchronous: strict\` or \`available\`, or take the check out`,
          },
        ],
};

const version: RegionalRule = {
  code: "E_PG_VERSION",
  needs: [],
  check: ({ database: { version: major } }) =>
    major === 17
      ? []
      : [
          {
            path: "deployment.database.version",
            message: `${major}; our image of Patroni has PostgreSQL 17`,
          },
        ],
};

/** Patroni goes on with a default of its own, and says so in its log only. */
const minimum: RegionalRule = {
  code: "E_PATRONI_SETTING",
  needs: [],
  check: ({ database: { settings } }) =>
    Object.entries(clusterWide).flatMap(([name, { minimum: least }]): Finding[] => {
      const given = Object.hasOwn(settings, name) ? settings[name] : undefined;
      const value = given === undefined ? undefined : readNumber(given, "");
      if (value === undefined || least === undefined || value >= least) return [];
      return [
        {
          path: `deployment.database.settings.${name}`,
          message: `${value}; Patroni takes ${least} or more, and would use a default of its own`,
        },
      ];
    }),
};

/** As a standby: recovery pauses where the leader's value is higher. Patroni takes them for the whole cluster at once. */
const sameEverywhere: RegionalRule = {
  code: "E_STANDBY_PARAM",
  needs: [],
  check: (deployment) =>
    serversOf(deployment).flatMap(({ path, settings }) =>
      Object.keys(settings)
        .filter((name) => Object.hasOwn(clusterWide, name) && !patroniOwned.has(name))
        .map((name) => ({
          path: `${path}.settings.${name}`,
          message: `${name} must be the same on all members, any of which may lead; write it under \`database.settings\``,
        })),
    ),
};

/** Connections to and slots for each other member and each other region, and for a base backup. */
const capacity: RegionalRule = {
  code: "E_REPLICATION_CAPACITY",
  needs: ["deployment.regions", "deployment.regions.*.members"],
  check({ regions, database: { settings } }) {
    const most = Math.max(0, ...regions.map(({ members }) => members.length));
    const others = Math.max(0, most - 1) + Math.max(0, regions.length - 1);
    const needed = { max_wal_senders: others + 2, max_replication_slots: others + 1 };
    return Object.entries(needed).flatMap(([name, least]): Finding[] => {
      const value = readNumber(settings[name] ?? 10, "");
      const tooSmallAnyway = (clusterWide[name]?.minimum ?? 0) > (value ?? 0);
      if (value === undefined || value >= least || tooSmallAnyway) return [];
      const path = `deployment.database.settings.${name}`;
      const message = `${value}; ${regions.length} regions of up to ${most} members need at least ${least}`;
      return [{ path, message }];
    });
  },
};

export const patroniRules: readonly RegionalRule[] = [
  timing,
  scope,
  sessionChecks,
  version,
  minimum,
  sameEverywhere,
  capacity,
];
