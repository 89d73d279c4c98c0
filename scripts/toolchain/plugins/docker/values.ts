/**
 * Reads plain values by kind. An empty string, list or map counts as not given, as it does upstream, so that
 * `user: ""` asks for the image's user rather than for a user without a name.
 */

import type { Value, Values } from "../resourceType.ts";

export function text(values: Values, key: string): string | undefined {
  const value = values[key];
  return typeof value === "string" && value !== "" ? value : undefined;
}

export function integer(values: Values, key: string): number | undefined {
  const value = values[key];
  return typeof value === "number" ? value : undefined;
}

export function flag(values: Values, key: string): boolean | undefined {
  const value = values[key];
  return typeof value === "boolean" ? value : undefined;
}

export function texts(values: Values, key: string): string[] | undefined {
  const value = values[key];
  if (!Array.isArray(value) || value.length === 0) return undefined;
  return value.filter((item) => typeof item === "string");
}

export function record(values: Values, key: string): Values | undefined {
  const value = values[key];
  return isRecord(value) && Object.keys(value).length > 0 ? value : undefined;
}

export function records(values: Values, key: string): Values[] {
  const value = values[key];
  return Array.isArray(value) ? value.filter(isRecord) : [];
}

/** A map of strings; numbers and booleans are written as the engine wants them, which is as strings. */
export function map(values: Values, key: string): Record<string, string> | undefined {
  const value = record(values, key);
  if (value === undefined) return undefined;
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, String(item)]));
}

/** Labels are a list of `{ label, value }` in the typings and a map in the engine. */
export function labels(values: Values): Record<string, string> {
  return Object.fromEntries(
    records(values, "labels").map((entry) => [text(entry, "label") ?? "", text(entry, "value") ?? ""]),
  );
}

function isRecord(value: Value | undefined): value is Values {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Without the keys that are undefined: the engine's client sends those, and the typings do not allow them. */
export function defined<T extends object>(object: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]: Exclude<T[K], undefined>;
  };
}
