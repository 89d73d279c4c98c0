/** What PostgreSQL itself says about a setting: who may change it, and which values it takes. */

import type { SettingValue } from "./model.ts";
import { settingsCatalog } from "./settingsCatalog.ts";

export interface SettingInfo {
  readonly name: string;
  /** pg_settings.context: `postmaster` needs a restart, `internal` cannot be set at all. */
  readonly context: string;
  readonly type: "bool" | "integer" | "real" | "string" | "enum";
  /** Unit of a plain number, e.g. `8kB` or `ms`; empty: none. */
  readonly unit: string;
  readonly min: number | undefined;
  readonly max: number | undefined;
  readonly values: readonly string[];
}

/** What PostgreSQL goes by where nothing is written, as far as rules need it. */
export const settingDefaults = { max_connections: 100, superuser_reserved_connections: 3 } as const;

/** Names are lower case here; PostgreSQL ignores case. */
export const settingsInfo: ReadonlyMap<string, SettingInfo> = new Map(
  settingsCatalog
    .trim()
    .split("\n")
    .map((line) => {
      const [name = "", context = "", type = "string", unit = "", min = "", max = "", values = ""] =
        line.split("|");
      const limit = (text: string) => (text === "" ? undefined : Number(text));
      return [
        name.toLowerCase(),
        {
          name,
          context,
          type: type as SettingInfo["type"],
          unit,
          min: limit(min),
          max: limit(max),
          values: type === "enum" ? values.split(",") : [],
        },
      ];
    }),
);

/** A boolean as PostgreSQL reads one; undefined when it is none. */
export function readBool(value: SettingValue): boolean | undefined {
  if (typeof value === "boolean") return value;
  const word = String(value).trim().toLowerCase();
  if (/^(on|t|tr|tru|true|y|ye|yes|1)$/.test(word)) return true;
  if (/^(of|off|f|fa|fal|fals|false|n|no|0)$/.test(word)) return false;
  return undefined;
}

/** Bytes and milliseconds per unit. */
const units: Readonly<Record<string, readonly ["size" | "time", number]>> = {
  B: ["size", 1],
  kB: ["size", 1024],
  "8kB": ["size", 8192],
  MB: ["size", 1024 ** 2],
  "16MB": ["size", 16 * 1024 ** 2],
  GB: ["size", 1024 ** 3],
  TB: ["size", 1024 ** 4],
  us: ["time", 0.001],
  ms: ["time", 1],
  s: ["time", 1000],
  min: ["time", 60_000],
  h: ["time", 3_600_000],
  d: ["time", 86_400_000],
};

/** As written, else PostgreSQL's own; undefined when PostgreSQL would not read what is written. */
export function numberOf(
  name: keyof typeof settingDefaults,
  settings: Readonly<Record<string, SettingValue>>,
): number | undefined {
  return readNumber(settings[name] ?? settingDefaults[name], "");
}

/** A number in the setting's own unit; undefined when PostgreSQL would not read it. */
export function readNumber(value: SettingValue, unit: string): number | undefined {
  if (typeof value === "boolean") return undefined;
  if (typeof value === "number") return Number.isFinite(value) ? value : undefined;
  const match = /^\s*([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?|0[xX][0-9a-fA-F]+)\s*([A-Za-z]*)\s*$/.exec(
    value,
  );
  if (!match) return undefined;
  const number = Number(match[1]);
  if (!match[2]) return number;
  const written = Object.hasOwn(units, match[2]) ? units[match[2]] : undefined;
  const own = Object.hasOwn(units, unit) ? units[unit] : undefined;
  if (!written || !own || written[0] !== own[0]) return undefined;
  return (number * written[1]) / own[1];
}

/** A size in MiB, for a setting whose plain number is in MiB. */
export const readMiB = (value: SettingValue) => readNumber(value, "MB");

/** Why PostgreSQL would refuse the value; undefined when it would not. */
export function valueFault(info: SettingInfo, value: SettingValue): string | undefined {
  switch (info.type) {
    case "string":
      return undefined;
    case "bool":
      return readBool(value) === undefined ? "takes on or off" : undefined;
    case "enum":
      return enumFault(info, value);
    default:
      return numberFault(info, value);
  }
}

function enumFault(info: SettingInfo, value: SettingValue): string | undefined {
  const word = String(value).toLowerCase();
  const hasBool = info.values.includes("on") && info.values.includes("off");
  if (info.values.some((known) => known.toLowerCase() === word)) return undefined;
  if (hasBool && readBool(value) !== undefined) return undefined;
  const known = info.values.map((one) => (one === "" ? "''" : one)).join(", ");
  return `takes one of ${known}`;
}

function numberFault(info: SettingInfo, value: SettingValue): string | undefined {
  const unit = info.unit === "" ? "" : `, in ${info.unit} or with a unit`;
  const limits = `takes a number from ${info.min} to ${info.max}${unit}`;
  const number = readNumber(value, info.unit);
  if (number === undefined) return limits;
  const rounded = info.type === "integer" ? Math.round(number) : number;
  const low = info.min !== undefined && rounded < info.min;
  const high = info.max !== undefined && rounded > info.max;
  return low || high ? limits : undefined;
}
