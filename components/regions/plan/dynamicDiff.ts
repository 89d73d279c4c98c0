/**
 * What of Patroni's dynamic configuration is not as wished. Ours are the keys that the wish has, all of PostgreSQL's
 * parameters, and the slots of our shape; whatever else somebody put there stays. `standby_cluster` is never in here:
 * a standby cluster that loses it promotes itself.
 */
import { isRestartSetting } from "./restartSettings.ts";

export interface DynamicChange {
  /** e.g. `ttl`, `postgresql.parameters.work_mem`, `slots.region_b`. */
  readonly path: readonly string[];
  readonly from: unknown;
  readonly to: unknown;
}

type Tree = Readonly<Record<string, unknown>>;

/** Kept by Patroni or by an operator's hand, and never ours. */
const foreign: ReadonlySet<string> = new Set(["standby_cluster", "pause"]);

export function dynamicChanges(wish: Tree, found: Tree): DynamicChange[] {
  return [...changed(wish, found, []), ...surplusParameters(wish, found), ...surplusSlots(wish, found)];
}

function changed(wish: Tree, found: Tree, above: readonly string[]): DynamicChange[] {
  return Object.entries(wish).flatMap(([name, to]) => {
    const path = [...above, name];
    if (above.length === 0 && foreign.has(name)) return [];
    const from = found[name];
    if (isTree(to)) return changed(to, isTree(from) ? from : {}, path);
    return isSame(from, to) ? [] : [{ path, from, to }];
  });
}

function surplusParameters(wish: Tree, found: Tree): DynamicChange[] {
  const path = ["postgresql", "parameters"];
  const [wanted, present] = [below(wish, path), below(found, path)];
  return Object.keys(present)
    .filter((name) => !Object.hasOwn(wanted, name))
    .sort()
    .map((name) => ({ path: [...path, name], from: present[name], to: null }));
}

function surplusSlots(wish: Tree, found: Tree): DynamicChange[] {
  const [wanted, present] = [below(wish, ["slots"]), below(found, ["slots"])];
  return Object.keys(present)
    .filter((name) => !Object.hasOwn(wanted, name) && isOurSlot(present[name]))
    .sort()
    .map((name) => ({ path: ["slots", name], from: present[name], to: null }));
}

/** For a standby cluster, kept on whoever takes writes: nobody but us makes such. */
function isOurSlot(slot: unknown): boolean {
  return isTree(slot) && slot.type === "physical" && slot.cluster_type === "primary";
}

/** JSON merge patch (RFC 7396): null removes. */
export function patchOf(changes: readonly DynamicChange[]): Tree {
  const patch: Record<string, unknown> = {};
  for (const { path, to } of changes) {
    const last = path.at(-1) ?? "";
    const holder = path.slice(0, -1).reduce<Record<string, unknown>>((at, name) => {
      at[name] ??= {};
      return at[name] as Record<string, unknown>;
    }, patch);
    holder[last] = to;
  }
  return patch;
}

/** `name: old → new`, for people. */
export function inWords({ path, from, to }: DynamicChange): string {
  return `${shortName(path)}: ${valueInWords(from)} → ${valueInWords(to)}`;
}

/** A setting of PostgreSQL's by its own name. */
export function shortName(path: readonly string[]): string {
  const parameter = path[0] === "postgresql" && path[1] === "parameters";
  return parameter ? path.slice(2).join(".") : path.join(".");
}

function valueInWords(value: unknown): string {
  if (value === undefined || value === null) return "(not set)";
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

/** Of the changes, PostgreSQL's settings that only a restart brings into force. */
export function restartChanges(changes: readonly DynamicChange[]): DynamicChange[] {
  return changes.filter(
    ({ path }) => path[0] === "postgresql" && path[1] === "parameters" && isRestartSetting(path[2] ?? ""),
  );
}

function isSame(found: unknown, wish: unknown): boolean {
  if (found === undefined || found === null) return wish === null;
  if (typeof found === "object" || typeof wish === "object")
    return JSON.stringify(found) === JSON.stringify(wish);
  // 100 and "100" are one value for PostgreSQL and for Patroni.
  return String(found) === String(wish);
}

function below(tree: Tree, path: readonly string[]): Tree {
  return path.reduce<Tree>((at, name) => (isTree(at[name]) ? (at[name] as Tree) : {}), tree);
}

function isTree(value: unknown): value is Tree {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
