/**
 * Which of PostgreSQL's settings go into Patroni's dynamic configuration (one for the whole cluster, in Consul) and
 * which into a node's own file. Some Patroni takes from the dynamic one alone, and ignores elsewhere without a word.
 */

export type SettingValue = string | number | boolean;
export type Settings = Readonly<Record<string, SettingValue>>;

/**
 * Settings that must be the same on all nodes, or a standby would not start. Patroni passes them on the command
 * line. Below the minimum (in the setting's unit) it uses its own default and says so only in its log.
 */
export const clusterWide: Readonly<Record<string, { readonly minimum?: number }>> = {
  max_connections: { minimum: 25 },
  max_locks_per_transaction: { minimum: 32 },
  max_prepared_transactions: { minimum: 0 },
  max_replication_slots: { minimum: 4 },
  max_wal_senders: { minimum: 3 },
  max_worker_processes: { minimum: 2 },
  track_commit_timestamp: {},
  wal_keep_size: {},
  wal_level: {},
  wal_log_hints: {},
};

/** Settings that Patroni writes itself. */
export const patroniOwned: ReadonlySet<string> = new Set([
  "archive_cleanup_command",
  "cluster_name",
  "data_directory",
  "hba_file",
  "hot_standby",
  "ident_file",
  "listen_addresses",
  "port",
  "primary_conninfo",
  "primary_slot_name",
  "promote_trigger_file",
  "recovery_end_command",
  "recovery_min_apply_delay",
  "recovery_target",
  "recovery_target_timeline",
  "restore_command",
  "synchronous_standby_names",
]);

export interface NodeSettings {
  readonly node: string;
  /** The node's merged settings. */
  readonly settings: Settings;
  /** Names that are the node's own business, whatever the others have: memory, paths, `node.settings`. */
  readonly own: readonly string[];
}

export interface SplitParameters {
  readonly dynamic: Settings;
  /** By node. */
  readonly local: Readonly<Record<string, Settings>>;
}

/**
 * Splits the settings of a cluster's nodes. What is the same everywhere and nobody's own is dynamic; the rest is
 * local, and wins there.
 *
 * @throws with all problems when nodes differ in a setting that must be the same, or Patroni would replace a value
 */
export function splitParameters(nodes: readonly NodeSettings[]): SplitParameters {
  const problems = nodes.flatMap((node) => tooSmall(node));
  const names = [...new Set(nodes.flatMap(({ settings }) => Object.keys(settings)))]
    .filter((name) => !patroniOwned.has(name))
    .sort();
  const dynamic: Record<string, SettingValue> = {};
  const local: Record<string, Record<string, SettingValue>> = Object.fromEntries(
    nodes.map(({ node }) => [node, {}]),
  );
  for (const name of names) {
    const values = nodes.map(({ settings }) => settings[name]);
    const [first] = values;
    const same = values.every((value) => String(value) === String(first));
    if (Object.hasOwn(clusterWide, name) && !same) {
      const each = nodes.map(({ node }, index) => `${node}: ${values[index] ?? "(not set)"}`).join(", ");
      problems.push(
        `${name} must be the same on every node of a Patroni cluster (${each}); set it in database.settings`,
      );
    }
    const shared = Object.hasOwn(clusterWide, name) || (same && !nodes.some(({ own }) => own.includes(name)));
    if (shared && first !== undefined) {
      dynamic[name] = first;
      continue;
    }
    for (const { node, settings } of nodes) {
      const value = settings[name];
      const target = local[node];
      if (value !== undefined && target !== undefined) target[name] = value;
    }
  }
  if (problems.length > 0) throw new Error(problems.join("\n"));
  return { dynamic, local };
}

function tooSmall({ node, settings }: NodeSettings): string[] {
  return Object.entries(clusterWide).flatMap(([name, { minimum }]) => {
    const value = settings[name];
    return value !== undefined && minimum !== undefined && Number(value) < minimum
      ? [`${node}: ${name} is ${value}; Patroni takes ${minimum} or more and would use its own default`]
      : [];
  });
}
