/**
 * The settings of one node, merged in one named order. Later layers win, but the last one is not a way to
 * win: a user's key that is owned is refused, never dropped.
 */
import type { DatabaseBase, Deployment, Node, SettingValue } from "../spec/model.ts";
import { ownedSettings } from "../spec/ownedSettings.ts";
import { defaults, versionDefaults } from "./defaults.ts";
import { memorySettings } from "./memory.ts";
import { CONFIG_DIRECTORY, dataDirectoryOf, SECRETS_DIRECTORY, SOCKET_DIRECTORY } from "./paths.ts";

export type Settings = Readonly<Record<string, SettingValue>>;

export interface Layer {
  readonly name: "defaults" | "version" | "memory" | "database.settings" | "node.settings" | "owned";
  readonly settings: Settings;
}

/** What the settings of one server depend on, whoever manages it. */
export interface ServerInput {
  readonly name: string;
  readonly database: Pick<DatabaseBase, "version" | "settings">;
  /** What PostgreSQL may reckon with. */
  readonly memoryMiB: number;
  /** For this server alone. */
  readonly settings: Settings;
  readonly owned: Settings;
}

/** Everything that decides a node's settings, in the order in which it is merged. */
export function settingLayers(deployment: Deployment, node: Node): readonly Layer[] {
  return serverLayers(serverInput(deployment, node));
}

/**
 * What postgresql.conf says.
 *
 * @throws as `mergeLayers`
 */
export function mergeSettings(deployment: Deployment, node: Node): Settings {
  return mergeLayers(serverInput(deployment, node));
}

function serverInput(deployment: Deployment, node: Node): ServerInput {
  const { name, memoryMiB, settings } = node;
  return { name, database: deployment.database, memoryMiB, settings, owned: owned(deployment, node) };
}

function serverLayers({ database, memoryMiB, settings, owned }: ServerInput): readonly Layer[] {
  const constants = tabulate(defaults);
  const version = tabulate(versionDefaults.filter((s) => database.version >= s.since));
  const everywhere = lowerCased(database.settings);
  const here = lowerCased(settings);
  const maxConnections = Number({ ...constants, ...version, ...everywhere, ...here }.max_connections);
  return [
    { name: "defaults", settings: constants },
    { name: "version", settings: version },
    { name: "memory", settings: { ...memorySettings(memoryMiB, maxConnections) } },
    { name: "database.settings", settings: everywhere },
    { name: "node.settings", settings: here },
    { name: "owned", settings: owned },
  ];
}

/**
 * All layers as one.
 *
 * @throws when a user's setting is owned. The rules of `spec` say so first, with the path in the
 * configuration; this is the guard for a caller who made a model by hand.
 */
export function mergeLayers(server: ServerInput): Settings {
  const layers = serverLayers(server);
  const refused = layers
    .filter((layer) => layer.name === "database.settings" || layer.name === "node.settings")
    .flatMap((layer) => Object.keys(layer.settings))
    .filter((name) => Object.hasOwn(ownedSettings, name));
  if (refused.length > 0) {
    const reasons = [...new Set(refused)].map((name) => `${name} (${ownedSettings[name]})`);
    throw new Error(`node ${server.name}: these settings are not the user's: ${reasons.join(", ")}`);
  }
  return Object.assign({}, ...layers.map((layer) => layer.settings));
}

/** Those of `ownedSettings` that postgresql.conf states; the agent writes the ones that follow from the role. */
function owned(deployment: Deployment, node: Node): Settings {
  return {
    listen_addresses: "*",
    port: node.port,
    cluster_name: node.name,
    data_directory: dataDirectoryOf(deployment, node),
    hba_file: `${CONFIG_DIRECTORY}/pg_hba.conf`,
    ident_file: `${CONFIG_DIRECTORY}/pg_ident.conf`,
    ...ownedEverywhere(deployment.database),
    // The agent decides who starts a server that crashed, and as what.
    restart_after_crash: "off",
  };
}

/** Owned on every server of ours, whoever manages it. */
export function ownedEverywhere({ slotWalKeepMiB }: Pick<DatabaseBase, "slotWalKeepMiB">): Settings {
  return {
    unix_socket_directories: SOCKET_DIRECTORY,
    ssl: "on",
    ssl_cert_file: `${SECRETS_DIRECTORY}/server.crt`,
    ssl_key_file: `${SECRETS_DIRECTORY}/server.key`,
    ssl_ca_file: `${SECRETS_DIRECTORY}/ca.crt`,
    password_encryption: "scram-sha-256",
    max_slot_wal_keep_size: `${slotWalKeepMiB}MB`,
    hot_standby: "on",
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
