/**
 * Settings that differ from PostgreSQL's own defaults, or that the package relies on. A user may override any of
 * them. "Restart" in a reason: a change of the setting restarts the server; all others are reloaded.
 */
import type { SettingValue } from "../spec/model.ts";

export interface DefaultSetting {
  readonly name: string;
  readonly value: SettingValue;
  readonly reason: string;
}

export interface VersionSetting extends DefaultSetting {
  /** First major version that has it. */
  readonly since: number;
}

export const defaults: readonly DefaultSetting[] = [
  // Connections
  { name: "max_connections", value: 100, reason: "stated because the memory formula uses it; restart" },
  {
    name: "dynamic_shared_memory_type",
    value: "sysv",
    reason: "posix lives in /dev/shm, 64 MB in a container, where parallel queries then fail; restart",
  },
  { name: "ssl_min_protocol_version", value: "TLSv1.2", reason: "1.0 and 1.1 are broken" },
  {
    name: "tcp_keepalives_idle",
    value: 10,
    reason: "seconds; a client whose host is gone gives its locks back",
  },
  { name: "tcp_keepalives_interval", value: 5, reason: "seconds" },
  { name: "tcp_keepalives_count", value: 3, reason: "probes" },
  { name: "tcp_user_timeout", value: "25s", reason: "the same limit for data that is under way" },

  // Replication
  {
    name: "wal_level",
    value: "replica",
    reason: "enough for a physical standby; `logical` may be asked for; restart",
  },
  { name: "max_wal_senders", value: 10, reason: "peer, base backup (two) and room; restart" },
  { name: "max_replication_slots", value: 10, reason: "one for each peer and room; restart" },
  { name: "wal_keep_size", value: "256MB", reason: "a standby without its slot can still catch up" },
  { name: "wal_sender_timeout", value: "5s", reason: "how long a silent loss of the standby stays unseen" },
  { name: "wal_receiver_timeout", value: "5s", reason: "how long a silent loss of the primary stays unseen" },
  { name: "wal_receiver_status_interval", value: "1s", reason: "lag as shown is at most this old" },
  {
    name: "wal_retrieve_retry_interval",
    value: "200ms",
    reason: "a standby is back this soon after its primary",
  },
  {
    name: "max_standby_streaming_delay",
    value: "10s",
    reason: "a promotion waits for replay, and this is how long a query on the standby may delay that",
  },

  // Durability
  { name: "fsync", value: "on", reason: "a commit that is not on disk is not a commit" },
  { name: "synchronous_commit", value: "on", reason: "with a synchronous standby: both have it on disk" },
  { name: "full_page_writes", value: "on", reason: "pg_rewind needs it" },
  { name: "wal_log_hints", value: "on", reason: "pg_rewind needs it, or checksums; restart" },

  // Checkpoints
  { name: "checkpoint_timeout", value: "5min", reason: "bounds the time that crash recovery takes" },
  { name: "checkpoint_completion_target", value: 0.9, reason: "spreads the writes" },
  { name: "max_wal_size", value: "2GB", reason: "fewer forced checkpoints under load" },
  { name: "min_wal_size", value: "160MB", reason: "segments are recycled, not created, in a small burst" },

  // Log and language
  {
    name: "log_line_prefix",
    value: "%m [%p] %q%u@%d/%a ",
    reason: "time, process, who, where, which program",
  },
  { name: "log_timezone", value: "UTC", reason: "two sites, one clock" },
  {
    name: "log_checkpoints",
    value: "on",
    reason: "a switchover begins with one; their cost should be known",
  },
  { name: "log_lock_waits", value: "on", reason: "names the session that blocks" },
  { name: "log_replication_commands", value: "on", reason: "when a standby came and went" },
  {
    name: "log_min_error_statement",
    value: "panic",
    reason: "the text of a failed statement can hold a password (ALTER ROLE … PASSWORD)",
  },
  { name: "lc_messages", value: "C", reason: "one wording in every image" },
  {
    name: "timezone",
    value: "UTC",
    reason: "initdb would take the machine's, which may differ between the sites",
  },
];

export const versionDefaults: readonly VersionSetting[] = [
  {
    since: 15,
    name: "wal_compression",
    value: "lz4",
    reason: "fewer bytes between the sites, for little time",
  },
  {
    since: 17,
    name: "allow_alter_system",
    value: "off",
    reason: "ALTER SYSTEM would win over the rendered configuration without anybody seeing it in a review",
  },
];
