/** postgresql.conf: written and read back. The one place that knows its quoting; nobody else builds such a line. */
import type { Deployment, Node } from "../spec/model.ts";
import { RENDERED_HEADER, ROLE_CONF } from "./paths.ts";
import { mergeSettings, type Settings } from "./settings.ts";

/** A plain name or `extension.name`. */
const namePattern = /^[a-z_][a-z0-9_$]*(\.[a-z_][a-z0-9_$]*)*$/i;

const controls: Readonly<Record<string, string>> = {
  "\b": "\\b",
  "\f": "\\f",
  "\n": "\\n",
  "\r": "\\r",
  "\t": "\\t",
};
const escapes: Readonly<Record<string, string>> = { b: "\b", f: "\f", n: "\n", r: "\r", t: "\t" };

/** `name = 'value'` lines, sorted by name, so that a diff shows what changed and nothing else. */
export function renderConf(settings: Settings): string {
  const lines = Object.keys(settings)
    .sort()
    .map((name) => renderLine(name, settings[name] ?? ""));
  return [RENDERED_HEADER, ...lines, ""].join("\n");
}

/** The node's postgresql.conf. What follows from its role is included last, so that it is never shadowed. */
export function postgresqlConf(deployment: Deployment, node: Node): string {
  return [
    renderConf(mergeSettings(deployment, node)),
    "# What follows from the role that this node has; written by its agent.",
    `include_if_exists ${quote(ROLE_CONF)}`,
    "",
  ].join("\n");
}

/**
 * The settings of a configuration file by lower-case name: the inverse of `renderConf`, and reads PostgreSQL's
 * other spellings (no `=`, no quotes, comments). Directives (`include…`) are no settings and are left out.
 *
 * @throws on a line that PostgreSQL would refuse.
 */
export function parseConf(text: string): Record<string, string> {
  const settings: Record<string, string> = {};
  for (const [index, line] of text.split("\n").entries()) {
    const body = line.trim();
    if (body === "" || body.startsWith("#")) {
      continue;
    }
    const match = /^([\w$.]+)\s*(?:=\s*|\s+|(?='))('(?:[^'\\]|\\.|'')*'|[^\s'#]+)\s*(?:#.*)?$/.exec(body);
    const name = match?.[1]?.toLowerCase();
    const value = match?.[2];
    if (name === undefined || value === undefined || !namePattern.test(name)) {
      throw new Error(`line ${index + 1} is not a setting: ${body}`);
    }
    if (!/^include(_if_exists|_dir)?$/.test(name)) {
      settings[name] = value.startsWith("'") ? unquote(value) : value;
    }
  }
  return settings;
}

function renderLine(name: string, value: string | number | boolean): string {
  if (!namePattern.test(name)) {
    throw new Error(`"${name}" is not the name of a setting`);
  }
  return `${name} = ${quote(plain(name, value))}`;
}

function plain(name: string, value: string | number | boolean): string {
  if (typeof value === "boolean") {
    return value ? "on" : "off";
  }
  if (typeof value === "number" && !Number.isFinite(value)) {
    throw new Error(`${name}: ${value} is not a number that PostgreSQL knows`);
  }
  return String(value);
}

/** Single quotes; `'` doubled, `\` and line breaks escaped, as guc-file.l reads them. */
function quote(value: string): string {
  if (value.includes("\0")) {
    throw new Error("a setting cannot hold a NUL character");
  }
  const escaped = value
    .replaceAll("\\", "\\\\")
    .replaceAll("'", "''")
    .replace(/[\b\f\n\r\t]/g, (c) => controls[c] ?? c);
  return `'${escaped}'`;
}

function unquote(quoted: string): string {
  return quoted.slice(1, -1).replace(/''|\\([0-7]{1,3}|.)/gs, (whole, escaped: string | undefined) => {
    if (escaped === undefined) {
      return whole.slice(1);
    }
    return /^[0-7]/.test(escaped)
      ? String.fromCharCode(Number.parseInt(escaped, 8))
      : (escapes[escaped] ?? escaped);
  });
}
