/**
 * Reads settings back out of a postgresql.conf that we rendered, to tell which of them changed. The room of the
 * renderer depends on this one, so the few lines live here; a line that is no setting (comment, include) is
 * skipped, because an old file must never keep a plan from being made.
 */
const line = /^\s*([\w.$]+)\s*=\s*'((?:[^'\\]|\\.|'')*)'\s*(?:#.*)?$/;

export type Conf = Readonly<Record<string, string>>;

/** Raw quoted values by lower-case name: they are compared and shown, never interpreted. */
export function readConf(text: string): Conf {
  const settings: Record<string, string> = {};
  for (const row of text.split("\n")) {
    const match = line.exec(row);
    if (match?.[1] !== undefined && match[2] !== undefined) settings[match[1].toLowerCase()] = match[2];
  }
  return settings;
}

/** Names whose value differs, or that only one side has. */
export function changedSettings(from: Conf, to: Conf): string[] {
  const names = new Set([...Object.keys(from), ...Object.keys(to)]);
  return [...names].filter((name) => from[name] !== to[name]).sort();
}

/**
 * Five settings that a standby must have at least as high as its primary, or its recovery pauses
 * (PostgreSQL 27.4.3): they go up on the standby first and down on the primary first.
 */
export const sharedSettings = [
  "max_connections",
  "max_locks_per_transaction",
  "max_prepared_transactions",
  "max_wal_senders",
  "max_worker_processes",
] as const;

/** Of the shared settings that both sides state, those for which `compare(from, to)` holds. */
export function sharedWhere(from: Conf, to: Conf, compare: (from: number, to: number) => boolean): string[] {
  return sharedSettings.filter((name) => {
    const [a, b] = [from[name], to[name]];
    return a !== undefined && b !== undefined && compare(Number(a), Number(b));
  });
}
