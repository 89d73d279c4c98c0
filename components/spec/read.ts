/**
 * Reads what the user wrote by the schema, and where that fails, says why and puts the part aside, so that
 * the rules can still look at the rest.
 */
import type { z } from "zod";
import { insideOf, type Path, pathText, problemsOf, valueAt } from "./issues.ts";
import type { Failover } from "./model.ts";
import type { Problem } from "./problems.ts";
import { failoverSchema } from "./schemaFailover.ts";
import { show } from "./show.ts";

/** What a kind of deployment is read by. */
export interface Reader<W> {
  readonly schema: z.ZodType<W>;
  /** What a user has to write at least, for the message that there is nothing. */
  readonly least: string;
  /** By the path of a part that cannot be read: what the other rules look at meanwhile. Without one it is left out. */
  readonly standIns: readonly StandIn[];
}

export type StandIn = readonly [path: RegExp, value: () => unknown];

export interface Read<W> {
  /** Undefined when nothing in it can be read. */
  readonly written: W | undefined;
  readonly problems: readonly Problem[];
  /** Paths that a stand-in or a default was taken for. */
  readonly unreadable: readonly string[];
}

export function read<W>(raw: unknown, { schema, least, standIns }: Reader<W>): Read<W> {
  if (typeof raw !== "object" || raw === null || Array.isArray(raw)) {
    const missing = raw === undefined || raw === null;
    const message = missing
      ? `is missing; it describes the deployment: at least ${least}`
      : `${show(raw, "deployment")}; expected a map`;
    const code = missing ? "E_REQUIRED" : "E_TYPE";
    return {
      written: undefined,
      problems: [{ code, path: "deployment", message }],
      unreadable: ["deployment"],
    };
  }
  const first = schema.safeParse(raw);
  if (first.success) return { written: first.data, problems: [], unreadable: [] };

  const issues = first.error.issues.flatMap(insideOf);
  const problems = issues.flatMap((issue) => problemsOf(issue, raw, { key: "deployment", schema }));
  const rest = structuredClone(raw);
  const unreadable = issues.flatMap((issue) => putAside(rest, issue, standIns));
  const second = schema.safeParse(rest);
  return { written: second.success ? second.data : undefined, problems, unreadable };
}

export interface ReadFailover {
  /** Undefined when it is not given, or not all of it can be read: half a statement states nothing. */
  readonly failover: Failover | undefined;
  readonly problems: readonly Problem[];
}

export function readFailover(raw: unknown): ReadFailover {
  if (raw === undefined || raw === null) return { failover: undefined, problems: [] };
  if (typeof raw !== "object" || Array.isArray(raw)) {
    const message = `${show(raw, "failover")}; expected a map`;
    return { failover: undefined, problems: [{ code: "E_TYPE", path: "failover", message }] };
  }
  const result = failoverSchema.safeParse(withIsoInstant(raw));
  if (result.success) {
    return { failover: { ...result.data, fenceConfirmed: result.data.fenceConfirmed }, problems: [] };
  }
  const root = { key: "failover", schema: failoverSchema };
  return {
    failover: undefined,
    problems: result.error.issues.flatMap((issue) => problemsOf(issue, raw, root)),
  };
}

export interface ReadRepair {
  readonly repair: Readonly<Record<string, string>>;
  readonly problems: readonly Problem[];
}

/** Any text will do; `pulumi config set --path repair.site-a 1` makes a number of it. */
export function readRepair(raw: unknown): ReadRepair {
  if (raw === undefined || raw === null) return { repair: {}, problems: [] };
  if (typeof raw !== "object" || Array.isArray(raw)) {
    const message = `${show(raw, "repair")}; expected a map from a site to a text, e.g. \`pulumi config set --path repair.site-a "ticket 12"\``;
    return { repair: {}, problems: [{ code: "E_TYPE", path: "repair", message }] };
  }
  const isText = (value: unknown) => ["string", "number", "boolean"].includes(typeof value);
  const entries = Object.entries(raw);
  return {
    repair: Object.fromEntries(entries.map(([site, value]) => [site, isText(value) ? String(value) : ""])),
    problems: entries.flatMap(([site, value]) => {
      const path = `repair.${site}`;
      return isText(value)
        ? []
        : [{ code: "E_TYPE", path, message: `${show(value, path)}; expected a text` }];
    }),
  };
}

/** Takes the part out of `root`, or puts a stand-in for it; returns the paths about which nothing more can be said. */
function putAside(root: object, issue: z.core.$ZodIssue, standIns: readonly StandIn[]): string[] {
  if (issue.code === "unrecognized_keys") {
    const parent = valueAt(root, issue.path) as Record<string, unknown> | undefined;
    for (const key of issue.keys) delete parent?.[key];
    // No rule is about it; those about sites must not keep silent because somebody wrote them beside regions.
    return [];
  }
  const path = replaceable(issue.path);
  const parent = valueAt(root, path.slice(0, -1)) as Record<PropertyKey, unknown> | undefined;
  const last = path.at(-1);
  if (parent === undefined || last === undefined) return [pathText(path)];
  const standIn = standInFor(path, standIns);
  if (standIn === undefined) delete parent[last];
  else parent[last] = standIn;
  return [pathText(path)];
}

/** An entry of a list is put aside with its list, but a rule for clients alone: its neighbours keep their numbers. */
function replaceable(path: Path): Path {
  const number = path.findIndex((part) => typeof part === "number");
  if (number < 0) return path;
  return path[number - 1] === "clientAccess" ? path.slice(0, number + 1) : path.slice(0, number);
}

export const commonStandIns: readonly StandIn[] = [
  [/^deployment\.domain$/, () => "example.invalid"],
  [/^deployment\.database\.(roles|databases)\.[^.]*$/, () => ({})],
  [/\.machine(\.jump)?\.host$/, () => "machine.invalid"],
  [/\.packageMirror\.(url|suite|key)$/, () => ""],
  [/\.fenceCommand\.command$/, () => ["true"]],
  [/^deployment\.names\.server\.kind$/, () => "none"],
];

function standInFor(path: Path, standIns: readonly StandIn[]): unknown {
  const last = path.at(-1);
  if (typeof last === "number")
    return { databases: ["postgres"], roles: ["all"], network: `127.0.0.${last % 256}/32` };
  const text = pathText(path);
  return standIns.find(([pattern]) => pattern.test(text))?.[1]();
}

/** An instant without quotes is a time to YAML, and Pulumi hands it over in Go's notation: `2026-01-01 03:12:00 +0000 UTC`. */
function withIsoInstant(raw: object): object {
  const at = "at" in raw ? raw.at : undefined;
  if (typeof at !== "string") return raw;
  const time = /^(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d(?:\.\d+)?) \+0000 UTC$/.exec(at);
  return time ? { ...raw, at: `${time[1]}T${time[2]}Z` } : raw;
}
