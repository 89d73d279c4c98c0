/**
 * The settings of PostgreSQL that the package writes itself, and why a user may not. The one list of them: the
 * rule `E_GUC_MANAGED` refuses these names, and the merge in `postgres/settings.ts` would throw on them. The
 * value that the package sets anyway (`ownedValues`) may be written; `parse` takes it out.
 *
 * A setting is in here only if another value would break a promise of the package or if there is a word of its
 * own for it in the configuration. Everything else is a default that a user may override.
 */
import type { SettingValue } from "./model.ts";
import { readBool } from "./settingsInfo.ts";

/** Name → why it is owned, and what to write instead where there is something. */
export const ownedSettings: Readonly<Record<string, string>> = {
  listen_addresses: "the node listens on every address; who gets in is `clientAccess`",
  port: "the other nodes, the health check and the published port depend on it",
  unix_socket_directories: "the node's agent connects there",
  cluster_name: "it is the node's name, by which its peer recognises it",
  data_directory: "it is on the node's protected volume",
  config_file: "the configuration is rendered",
  hba_file: "the access rules are rendered; add yours as `clientAccess`",
  ident_file: "the certificate map is rendered",
  external_pid_file: "the node's agent supervises the server",
  include: "the configuration is rendered as a whole; write the settings themselves",
  include_if_exists: "the configuration is rendered as a whole; write the settings themselves",
  include_dir: "the configuration is rendered as a whole; write the settings themselves",

  ssl: "connections without TLS are never accepted",
  ssl_cert_file: "the certificate is issued and renewed by the deployment; see `certificates`",
  ssl_key_file: "the key is made and delivered by the deployment; see `certificates`",
  ssl_ca_file: "the authority is the deployment's; see `certificates`",
  ssl_crl_file: "revocation is by reissue; no list is delivered to the nodes",
  ssl_crl_dir: "revocation is by reissue; no list is delivered to the nodes",
  ssl_dh_params_file: "no such file is delivered to the nodes",
  ssl_passphrase_command: "the key has no passphrase; it is protected by its mode",
  ssl_passphrase_command_supports_reload: "the key has no passphrase; it is protected by its mode",
  password_encryption: "passwords are stored for scram-sha-256, the only password method that is offered",

  primary_conninfo: "it follows from who leads; see `active`",
  primary_slot_name: "it follows from who leads; see `active`",
  synchronous_standby_names: "it follows from who leads; see `synchronous`",
  max_slot_wal_keep_size: "write `slotWalKeepMiB`",
  hot_standby: "a standby is observed, and compared before a promotion, by SQL; write `standbyReads: false`",
  restart_after_crash:
    "after a crash the node's agent restarts the server, because only it holds clients back until the standby is in sync",
  promote_trigger_file: "a promotion is a change of `active`",
  recovery_target: "a standby follows its primary to the end",
  recovery_target_action: "a standby follows its primary to the end",
  recovery_target_inclusive: "a standby follows its primary to the end",
  recovery_target_lsn: "a standby follows its primary to the end",
  recovery_target_name: "a standby follows its primary to the end",
  recovery_target_time: "a standby follows its primary to the end",
  recovery_target_timeline: "a standby follows its primary onto a new timeline",
  recovery_target_xid: "a standby follows its primary to the end",

  log_destination: "the server logs to stderr, which is the unit's log",
  logging_collector: "the server logs to stderr, which is the unit's log",
};

/**
 * What the package sets owned settings to, where a user may know it: the manual's and other people's
 * instructions say so, and a configuration that repeats it is right.
 */
export const ownedValues: Readonly<Record<string, SettingValue>> = {
  listen_addresses: "*",
  port: 5432,
  ssl: "on",
  password_encryption: "scram-sha-256",
  hot_standby: "on",
  restart_after_crash: "off",
  recovery_target_timeline: "latest",
  log_destination: "stderr",
  logging_collector: "off",
};

export type DatabaseKind = "streaming" | "patroni";

/** With `kind: patroni`: what is owned beside the others, or for another reason. */
export const ownedUnderPatroni: Readonly<Record<string, string>> = {
  archive_cleanup_command: "Patroni writes it",
  recovery_end_command: "Patroni writes it",
  restore_command: "Patroni writes it; a standby has its WAL from its leader, and a slot there",
  hot_standby: "a standby is observed, and compared before a region takes over, by SQL",
  promote_trigger_file: "Patroni promotes",
  restart_after_crash: "after a crash PostgreSQL recovers by itself, and Patroni sees to what does not",
  synchronous_standby_names: "Patroni writes it; see `synchronous`",
  primary_conninfo: "Patroni writes it; it follows from who leads",
  primary_slot_name: "Patroni writes it; it follows from who leads",
  cluster_name: "Patroni writes it",
};

export const ownedValuesUnderPatroni: Readonly<Record<string, SettingValue>> = {
  ...ownedValues,
  restart_after_crash: "on",
};

/** Why a setting is owned; undefined: it is the user's. */
export function whyOwned(name: string, kind: DatabaseKind): string | undefined {
  const tables = kind === "patroni" ? [ownedUnderPatroni, ownedSettings] : [ownedSettings];
  const table = tables.find((one) => Object.hasOwn(one, name));
  return table?.[name];
}

/** The setting is owned, and the value is the one that it has anyway. */
export function isOwnedValue(name: string, value: SettingValue, kind: DatabaseKind = "streaming"): boolean {
  const values = kind === "patroni" ? ownedValuesUnderPatroni : ownedValues;
  if (!Object.hasOwn(values, name)) return false;
  const own = values[name];
  if (own === "on" || own === "off") return readBool(value) === (own === "on");
  return String(value) === String(own);
}

/** Settings without those that only repeat what the package sets. */
export function withoutOwnedValues(
  settings: Readonly<Record<string, SettingValue>>,
  kind: DatabaseKind = "streaming",
): Readonly<Record<string, SettingValue>> {
  return Object.fromEntries(
    Object.entries(settings).filter(([name, value]) => !isOwnedValue(name, value, kind)),
  );
}

/** Roles that the package makes and keeps for itself; `postgres` is PostgreSQL's own. */
export const ownedRoles: readonly string[] = ["postgres", "replicator", "rewinder", "verifier"];
