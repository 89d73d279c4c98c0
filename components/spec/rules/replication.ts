/** The sites as a replicating set: enough of them, able to follow each other, and with room for WAL. */
import type { Deployment, Site } from "../model.ts";
import { readMiB, readNumber, settingDefaults } from "../settingsInfo.ts";
import { serversOf } from "./areas.ts";
import type { Finding, Rule, StreamingRule } from "./rule.ts";

const enoughSites: StreamingRule = {
  code: "E_SITES",
  needs: ["deployment.sites"],
  check({ sites }) {
    if (sites.length >= 2) return [];
    const message = `${sites.length === 1 ? "one site" : "no site"}; \`kind: streaming\` needs at least two, one to lead and one to follow`;
    return [{ path: "deployment.sites", message }];
  },
};

const synchronousCount: StreamingRule = {
  code: "E_SYNC_COUNT",
  needs: ["deployment.sites", "deployment.database.synchronous"],
  check({ sites, database: { synchronous } }) {
    if (sites.length !== 1 || synchronous === "off") return [];
    const message = `"${synchronous}" waits for a second site, and there is one; add a site, or write \`off\``;
    return [{ path: "deployment.database.synchronous", message }];
  },
};

const version: StreamingRule = {
  code: "E_PG_VERSION",
  needs: ["deployment.sites.*.image", "deployment.sites.*.target"],
  check({ sites, database }) {
    const path = "deployment.database.version";
    if (database.version < 16 || database.version > 18) {
      return [{ path, message: `${database.version}; PostgreSQL 16, 17 and 18 are supported` }];
    }
    const without = sites
      .filter(({ place, node }) => place.target === "containers" && node.image === undefined)
      .map(({ name }) => name);
    if (database.version === 17 || without.length === 0) return [];
    const message = `our image has PostgreSQL 17; for ${database.version} set \`image\` at ${without.join(", ")}`;
    return [{ path, message }];
  },
};

/** Recovery pauses on a standby whose value is lower than its primary's (manual 26.4.3); PostgreSQL's own defaults. */
export const sharedMemory: Readonly<Record<string, number>> = {
  max_connections: settingDefaults.max_connections,
  max_worker_processes: 8,
  max_wal_senders: 10,
  max_prepared_transactions: 0,
  max_locks_per_transaction: 64,
};

function effective(
  { database }: Deployment,
  site: Site,
  name: string,
  otherwise: number,
): number | undefined {
  const value = site.node.settings[name] ?? database.settings[name];
  return value === undefined ? otherwise : readNumber(value, "");
}

/** Any site may be the next to lead, so lower than any other is too low. */
const standbyParameters: StreamingRule = {
  code: "E_STANDBY_PARAM",
  needs: [],
  check(deployment) {
    return Object.entries(sharedMemory).flatMap(([name, otherwise]) => {
      const values = deployment.sites.map((site) => ({
        site: site.name,
        value: effective(deployment, site, name, otherwise),
      }));
      const highest = values.reduce((best, one) => ((one.value ?? 0) > (best.value ?? 0) ? one : best), {
        site: "",
        value: 0,
      } as (typeof values)[number]);
      return values
        .filter(({ value }) => value !== undefined && value < (highest.value ?? 0))
        .map(({ site, value }) => ({
          path: `deployment.sites.${site}.settings.${name}`,
          message: `${value} at ${site} is lower than ${highest.value} at ${highest.site}: ${site} could not follow it; write it once, under \`database.settings\``,
        }));
    });
  },
};

/** One connection per peer and two for a base backup; one slot per peer. */
const capacity: StreamingRule = {
  code: "E_REPLICATION_CAPACITY",
  needs: ["deployment.sites"],
  check(deployment) {
    const peers = deployment.sites.length - 1;
    const least: Readonly<Record<string, number>> = {
      max_wal_senders: peers + 2,
      max_replication_slots: peers,
    };
    return Object.entries(least)
      .flatMap(([name, needed]) =>
        deployment.sites.flatMap((site): Finding[] => {
          const value = effective(deployment, site, name, 10);
          if (value === undefined || value >= needed) return [];
          const own = Object.hasOwn(site.node.settings, name);
          const path = own
            ? `deployment.sites.${site.name}.settings.${name}`
            : `deployment.database.settings.${name}`;
          return [{ path, message: `${value}; ${deployment.sites.length} sites need at least ${needed}` }];
        }),
      )
      .filter((finding, index, all) => all.findIndex((other) => other.path === finding.path) === index);
  },
};

const retention: Rule = {
  code: "E_WAL_RETENTION",
  needs: ["deployment.database.slotWalKeepMiB"],
  check(deployment) {
    const { database } = deployment;
    const found: Finding[] = [];
    const limit = database.slotWalKeepMiB;
    if (limit < 64) {
      const message =
        limit <= 0
          ? `${limit}; without a limit the WAL kept for an absent standby fills the disk of the server that leads: write a size in MiB, 64 or more`
          : `${limit} MiB is less than four WAL segments; write 64 or more`;
      found.push({ path: "deployment.database.slotWalKeepMiB", message });
    }
    const places = [
      { path: "deployment.database.settings", settings: database.settings },
      ...serversOf(deployment).map(({ path, settings }) => ({ path: `${path}.settings`, settings })),
    ];
    for (const { path, settings } of places) {
      const kept = settings.wal_keep_size === undefined ? 0 : (readMiB(settings.wal_keep_size) ?? 0);
      if (limit >= 64 && kept > limit) {
        const message = `${kept} MiB would be kept always, beyond the limit \`slotWalKeepMiB\` of ${limit}; raise that, or lower this`;
        found.push({ path: `${path}.wal_keep_size`, message });
      }
    }
    return found;
  },
};

export const retentionRules: readonly Rule[] = [retention];

export const replicationRules: readonly StreamingRule[] = [
  enoughSites,
  synchronousCount,
  version,
  standbyParameters,
  capacity,
];
