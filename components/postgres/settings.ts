/**
 * The settings of one node, merged in one named order. Later layers win, but the last one is not a way to
 * win: a user's key that is owned is refused, never dropped.
 */
import type { Deployment, Node, SettingValue } from "../spec/model.ts";
import { ownedSettings } from "../spec/ownedSettings.ts";
import { defaults, versionDefaults } from "./defaults.ts";
import { memorySettings } from "./memory.ts";
import { CONFIG_DIRECTORY, dataDirectoryOf, SECRETS_DIRECTORY, SOCKET_DIRECTORY } from "./paths.ts";

export type Settings = Readonly<Record<string, SettingValue>>;

export interface Layer {
  readonly name: "defaults" | "version" | "memory" | "database.settings" | "node.settings" | "owned";
  readonly settings: Settings;
}

/** Everything that decides a node's settings, in the order in which it is merged. */
export function settingLayers(deployment: Deployment, node: Node): readonly Layer[] {
  const { database } = deployment;
  const constants = tabulate(defaults);
  const version = tabulate(versionDefaults.filter((s) => database.version >= s.since));
  const everywhere = lowerCased(database.settings);
  const here = lowerCased(node.settings);
  const maxConnections = Number({ ...constants, ...version, ...everywhere, ...here }.max_connections);
  return [
    { name: "defaults", settings: constants },
    { name: "version", settings: version },
    { name: "memory", settings: { ...memorySettings(node.memoryMiB, maxConnections) } },
    { name: "database.settings", settings: everywhere },
    { name: "node.settings", settings: here },
    { name: "owned", settings: owned(deployment, node) },
  ];
}

/**
 * What postgresql.conf says.
 *
 * @throws when a user's setting is owned. The rules of `spec` say so first, with the path in the
 * configuration; this is the guard for a caller who made a model by hand.
 */
export function mergeSettings(deployment: Deployment, node: Node): Settings {
  const layers = settingLayers(deployment, node);
  const refused = layers
    .filter((layer) => layer.name === "database.settings" || layer.name === "node.settings")
    .flatMap((layer) => Object.keys(layer.settings))
    .filter((name) => Object.hasOwn(ownedSettings, name));
  if (refused.length > 0) {
    const reasons = [...new Set(refused)].map((name) => `${name} (${ownedSettings[name]})`);
    throw new Error(`node ${node.name}: these settings are not the user's: ${reasons.join(", ")}`);
  }
  return Object.assign({}, ...layers.map((layer) => layer.settings));
}

/** Those of `ownedSettings` that postgresql.conf states; the agent writes the ones that follow from the role. */
function owned(deployment: Deployment, node: Node): Settings {
  return {
    listen_addresses: "*",
    port: node.port,
    unix_socket_directories: SOCKET_DIRECTORY,
    cluster_name: node.name,
    data_directory: dataDirectoryOf(deployment, node),
    hba_file: `${CONFIG_DIRECTORY}/pg_hba.conf`,
    ident_file: `${CONFIG_DIRECTORY}/pg_ident.conf`,
    ssl: "on",
    ssl_cert_file: `${SECRETS_DIRECTORY}/server.crt`,
    ssl_key_file: `${SECRETS_DIRECTORY}/server.key`,
    ssl_ca_file: `${SECRETS_DIRECTORY}/ca.crt`,
    password_encryption: "scram-sha-256",
    max_slot_wal_keep_size: `${deployment.database.slotWalKeepMiB}MB`,
    hot_standby: "on",
    restart_after_crash: "off",
    recovery_target_timeline: "latest",
    log_destination: "stderr",
    logging_collector: "off",
  };
}

function tabulate(table: readonly { readonly name: string; readonly value: SettingValue }[]): Settings {
  return Object.fromEntries(table.map((s) => [s.name, s.value]));
}

/** PostgreSQL's names know no case: `Work_Mem` and `work_mem` must not both be rendered. */
function lowerCased(settings: Settings): Settings {
  return Object.fromEntries(Object.entries(settings).map(([name, value]) => [name.toLowerCase(), value]));
}
