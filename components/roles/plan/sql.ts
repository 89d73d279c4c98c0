/** SQL as text, with every identifier and literal quoted; nothing else in the plan builds a statement. */
import type { SettingValue } from "../../spec/model.ts";

export function identifier(name: string): string {
  return `"${noNul(name).replaceAll('"', '""')}"`;
}

/** Safe whatever `standard_conforming_strings` is: a backslash forces the E'' form. */
export function literal(value: string): string {
  const quoted = `'${noNul(value).replaceAll("\\", "\\\\").replaceAll("'", "''")}'`;
  return value.includes("\\") ? `E${quoted}` : quoted;
}

function noNul(text: string): string {
  if (text.includes("\0")) throw new Error("PostgreSQL's text cannot hold a NUL character");
  return text;
}

/** Settings that are lists of names: quoted as one literal, PostgreSQL would take the list for one name. */
const lists = new Set([
  "local_preload_libraries",
  "search_path",
  "session_preload_libraries",
  "shared_preload_libraries",
  "temp_tablespaces",
]);

/** Whether a stored setting (`pg_db_role_setting`) already says what is wished. */
export function isSet(name: string, stored: string | undefined, wish: SettingValue): boolean {
  if (stored === undefined) return false;
  if (!isList(name)) return stored === settingText(wish);
  return JSON.stringify(elements(stored)) === JSON.stringify(elements(String(wish)));
}

function isList(name: string): boolean {
  return lists.has(name.toLowerCase());
}

function settingText(value: SettingValue): string {
  if (typeof value === "boolean") return value ? "on" : "off";
  return String(value);
}

function settingValue(name: string, value: SettingValue): string {
  if (!isList(name)) return literal(settingText(value));
  const parts = elements(String(value));
  return parts.length === 0 ? "''" : parts.map(literal).join(", ");
}

/** `"$user", public` → `$user`, `public`. */
function elements(list: string): string[] {
  const found = [...list.matchAll(/"((?:[^"]|"")*)"|([^,\s][^,]*)/g)];
  const names = found.map(([, quoted, plain]) => quoted?.replaceAll('""', '"') ?? (plain ?? "").trim());
  return names.filter((name) => name !== "");
}

/** The name of a setting, e.g. `work_mem` or `extension.name`: no identifier rules apply to it but these. */
function settingName(name: string): string {
  if (!/^[a-z_][a-z0-9_$]*(\.[a-z_][a-z0-9_$]*)*$/i.test(name))
    throw new Error(`"${name}" is not the name of a setting`);
  return name.split(".").map(identifier).join(".");
}

export function set(target: string, name: string, value: SettingValue): string {
  return `ALTER ${target} SET ${settingName(name)} = ${settingValue(name, value)}`;
}

export function reset(target: string, name: string): string {
  return `ALTER ${target} RESET ${settingName(name)}`;
}
