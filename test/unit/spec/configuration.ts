/** A configuration that is right, and ways to spoil it. */
import { type Parsed, parse } from "../../../components/spec/parse.ts";
import type { Problem } from "../../../components/spec/problems.ts";

export interface Tree {
  readonly [key: string]: unknown;
}

/** Beside `deployment`, what `parse` is given. */
export interface Given extends Tree {
  readonly active?: unknown;
  readonly deployment?: unknown;
  readonly failover?: unknown;
  readonly stack?: string;
  readonly caPrivateKeyGiven?: boolean;
  readonly repair?: unknown;
  readonly dnsKeyGiven?: boolean;
  readonly plainSecrets?: readonly string[];
}

/** The example of the README. */
export const minimal: Tree = {
  domain: "ha.example.test",
  database: { kind: "streaming", synchronous: "strict" },
  sites: { "site-a": { target: "containers" }, "site-b": { target: "containers" } },
};

export const now = new Date("2026-06-01T12:00:00Z");

/** The minimal configuration with `given` laid over it; `undefined` takes a key out. */
export function parseWith(given: Given = {}): Parsed {
  const { active = "site-a", deployment = {}, stack = "demo", ...rest } = given;
  const raw = isTree(deployment) ? layOver(minimal, deployment) : deployment;
  return parse({ stack, active, deployment: raw, now, ...rest });
}

export function problemsWith(given: Given): readonly Problem[] {
  const parsed = parseWith(given);
  return parsed.ok ? parsed.warnings : parsed.problems;
}

export function sites(...names: string[]): Tree {
  return Object.fromEntries(names.map((name) => [name, { target: "containers" }]));
}

/** Only these sites. */
export function onlySites(...names: string[]): Tree {
  return { "site-a": undefined, "site-b": undefined, ...sites(...names) };
}

/** `base` with `over` laid over it; `undefined` takes a key out. */
export function layOver(base: Tree, over: Tree): Tree {
  const result: Record<string, unknown> = { ...base };
  for (const [key, value] of Object.entries(over)) {
    const below = result[key];
    if (value === undefined) delete result[key];
    else result[key] = isTree(value) ? layOver(isTree(below) ? below : {}, value) : value;
  }
  return result;
}

function isTree(value: unknown): value is Tree {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
