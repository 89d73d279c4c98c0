/** Settings of PostgreSQL wherever they can be written: they exist, take the value, and are the user's to set. */
import type { SettingValue } from "../model.ts";
import { isOwnedValue, ownedSettings, whyOwned } from "../ownedSettings.ts";
import type { AnyDeployment } from "../regionalModel.ts";
import { catalogVersion } from "../settingsCatalog.ts";
import { readBool, readNumber, settingsInfo, valueFault } from "../settingsInfo.ts";
import { looksSecret, show } from "../show.ts";
import { didYouMean } from "../suggest.ts";
import { serversOf } from "./areas.ts";
import type { Finding, Rule } from "./rule.ts";

export interface Place {
  readonly path: string;
  readonly name: string;
  readonly value: SettingValue;
  readonly level: "server" | "role" | "database";
  /** "role \"batch\"", "site-a", … for messages. */
  readonly who: string;
}

/** Every setting that the configuration has, wherever it stands. */
export function settingPlaces(deployment: AnyDeployment): Place[] {
  const { database } = deployment;
  const places: Place[] = [];
  const add = (base: string, level: Place["level"], who: string, settings: Record<string, SettingValue>) => {
    for (const [name, value] of Object.entries(settings)) {
      places.push({ path: `${base}.settings.${name}`, name, value, level, who });
    }
  };
  add("deployment.database", "server", "the server", database.settings);
  for (const { path, who, settings } of serversOf(deployment)) add(path, "server", who, settings);
  for (const { name, settings } of database.roles) {
    add(`deployment.database.roles.${name}`, "role", `role "${name}"`, settings);
  }
  for (const { name, settings } of database.databases) {
    add(`deployment.database.databases.${name}`, "database", `database "${name}"`, settings);
  }
  return places;
}

const eachSetting =
  (check: (place: Place, deployment: AnyDeployment) => string | undefined) =>
  (deployment: AnyDeployment): Finding[] =>
    settingPlaces(deployment).flatMap((place) => {
      const message = check(place, deployment);
      return message === undefined ? [] : [{ path: place.path, message }];
    });

const namePattern = /^[a-z_][a-z0-9_.]*$/;
const wellNamed = (name: string) => namePattern.test(name) && name.length <= 63;

const settingName: Rule = {
  code: "E_GUC_NAME",
  needs: [],
  check: eachSetting(({ name }) => {
    if (wellNamed(name)) return undefined;
    if (wellNamed(name.toLowerCase())) return `write "${name}" in lower case: "${name.toLowerCase()}"`;
    return `${show(name, "")} is not a setting's name (letters, digits, "_", and "." after an extension's name)`;
  }),
};

const ownImage = (deployment: AnyDeployment) =>
  serversOf(deployment).some(({ image }) => image !== undefined);

/** Extensions' settings have a dot, and only their library knows them. */
const isUnknown = (name: string) =>
  wellNamed(name) && !name.includes(".") && !settingsInfo.has(name) && !Object.hasOwn(ownedSettings, name);

const unknownSetting: Rule = {
  code: "E_GUC_UNKNOWN",
  needs: ["deployment.database.version"],
  check: eachSetting(({ name }, deployment) =>
    isUnknown(name) && deployment.database.version === catalogVersion && !ownImage(deployment)
      ? `PostgreSQL ${catalogVersion} has no setting "${name}" and would not start.${didYouMean(name, settingsInfo.keys())}`
      : undefined,
  ),
};

/** Another version, or an image that may be patched: we do not know its settings. */
const unknownElsewhere: Rule = {
  code: "W_GUC_UNKNOWN",
  needs: ["deployment.database.version"],
  check: eachSetting(({ name }, deployment) =>
    isUnknown(name) && (deployment.database.version !== catalogVersion || ownImage(deployment))
      ? `"${name}" is not a setting of PostgreSQL ${catalogVersion}, the version that we know.${didYouMean(name, settingsInfo.keys())}`
      : undefined,
  ),
};

const settingValue: Rule = {
  code: "E_GUC_VALUE",
  needs: [],
  check: eachSetting(({ name, value, path }) => {
    if (typeof value === "string" && /[\0\n\r]/.test(value))
      return "the value has a line break or a NUL character";
    if (looksSecret(value)) return undefined;
    const info = settingsInfo.get(name);
    const fault = info && info.context !== "internal" ? valueFault(info, value) : undefined;
    return fault && `${show(value, path)}: ${name} ${fault}`;
  }),
};

/** ALTER ROLE and ALTER DATABASE take what a session may change; the rest would fail half-way through an update. */
const settingLevel: Rule = {
  code: "E_GUC_LEVEL",
  needs: [],
  check: eachSetting(({ name, level }) => {
    const context = settingsInfo.get(name)?.context;
    if (level === "server" || (context !== "postmaster" && context !== "sighup")) return undefined;
    return `${name} is the server's; write it under \`database.settings\``;
  }),
};

/** Settings that are the user's within limits: beyond them the deployment could not do its work. */
const limited: Readonly<Record<string, readonly [(value: SettingValue) => boolean, string]>> = {
  wal_level: [
    (value) => /^(replica|logical)$/i.test(String(value)),
    "replication needs `replica` or `logical`",
  ],
  archive_mode: [
    (value) => readBool(value) !== undefined,
    "`always` would make a standby archive what its primary archives; write `on`",
  ],
  ssl_min_protocol_version: [
    (value) => /^TLSv1\.[23]$/i.test(String(value)),
    "TLS 1.0 and 1.1 are broken; write `TLSv1.2` or `TLSv1.3`",
  ],
  ssl_max_protocol_version: [
    (value) => /^(TLSv1\.[23])?$/i.test(String(value)),
    "TLS 1.0 and 1.1 are broken; write `TLSv1.2`, `TLSv1.3` or nothing",
  ],
  recovery_min_apply_delay: [
    (value) => readNumber(value, "ms") === 0,
    "a standby that is late on purpose could not be promoted without waiting for it",
  ],
  default_transaction_read_only: [
    (value) => readBool(value) === false,
    "no server would be writable for clients that ask for `target_session_attrs=read-write`; set it for a role",
  ],
  wal_sender_timeout: [
    (value) => readNumber(value, "ms") !== 0,
    "without it the silent loss of a standby is never noticed",
  ],
  wal_receiver_timeout: [
    (value) => readNumber(value, "ms") !== 0,
    "without it the silent loss of the primary's connection is never noticed",
  ],
};

const managed: Rule = {
  code: "E_GUC_MANAGED",
  needs: [],
  check: eachSetting(({ name, value, level }, { database: { kind } }) => {
    const reason = whyOwned(name, kind);
    if (reason !== undefined) {
      if (level === "server" && isOwnedValue(name, value, kind)) return undefined;
      return `${name} is not yours to set: ${reason}`;
    }
    if (settingsInfo.get(name)?.context === "internal")
      return `${name} is computed by PostgreSQL and cannot be set`;
    const limit = level === "server" && Object.hasOwn(limited, name) ? limited[name] : undefined;
    return limit && !limit[0](value) ? `${name} cannot have this value: ${limit[1]}` : undefined;
  }),
};

export const settingRules: readonly Rule[] = [
  settingName,
  unknownSetting,
  unknownElsewhere,
  settingValue,
  settingLevel,
  managed,
];
