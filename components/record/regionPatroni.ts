/** A member's Patroni in a record. Its dynamic configuration is written as its difference to the wish. Pure. */

import type { DesiredRegion } from "../regions/desired.ts";
import type { PatroniFacts } from "../regions/facts.ts";
import { dynamicChanges } from "../regions/plan/dynamicDiff.ts";
import { sharedSettings } from "../roles/plan/conf.ts";
import { anywhere } from "./shared.ts";

type Tree = Readonly<Record<string, unknown>>;

export interface RecordedPatroni extends Omit<PatroniFacts, "config"> {
  /** Null: it could not be read, or there is none yet. */
  readonly config: RecordedConfig | null;
}

export interface RecordedConfig {
  /** What is not as wished; without `from` it is not there. */
  readonly otherwise: readonly { readonly path: readonly string[]; readonly from?: unknown }[];
  /** `standby_cluster`; absent: there is none. */
  readonly standbyCluster?: Tree;
}

/** In place of a value that somebody's hand has put there: it may be a password. */
const unrecorded = "(not recorded)";

export function recordedPatroni(patroni: PatroniFacts, region: DesiredRegion): RecordedPatroni {
  const { lsn, pendingValues, cluster, config, replication } = patroni;
  // Numbers that decide in which order members are restarted.
  const pending = Object.entries(pendingValues ?? {}).filter(([name]) =>
    (sharedSettings as readonly string[]).includes(name),
  );
  return {
    ...patroni,
    lsn: {
      written: anywhere(lsn.written),
      received: anywhere(lsn.received),
      replayed: anywhere(lsn.replayed),
    },
    ...(pendingValues !== undefined && { pendingValues: Object.fromEntries(pending) }),
    cluster: {
      ...cluster,
      members: cluster.members
        .map((entry) => ({ ...entry, lagBytes: entry.lagBytes === null ? null : 0 }))
        .sort(byName),
    },
    config: config === null || Object.keys(config).length === 0 ? null : recordedConfig(config, region),
    replication: replication.map((each) => ({ ...each, flushLsn: anywhere(each.flushLsn) })).sort(byName),
  };
}

export function patroniAgain({ config, ...patroni }: RecordedPatroni, region: DesiredRegion): PatroniFacts {
  return { ...patroni, config: config && configAgain(config, region) };
}

function byName(a: { readonly name: string }, b: { readonly name: string }): number {
  return a.name < b.name ? -1 : 1;
}

function recordedConfig(config: Tree, { dynamic, standbyClusterOf }: DesiredRegion): RecordedConfig {
  const section = config.standby_cluster;
  const ours = Object.values(standbyClusterOf).flatMap((wish) => Object.keys(wish));
  return {
    otherwise: dynamicChanges(dynamic, config).map(({ path, from }) => ({
      path,
      ...(from !== undefined && { from: isParameter(path) ? unrecorded : from }),
    })),
    ...(isTree(section) && { standbyCluster: recordedSection(section, ours) }),
  };
}

function recordedSection(section: Tree, ours: readonly string[]): Tree {
  const entries = Object.entries(section).map(([name, value]) => [
    name,
    ours.includes(name) ? value : unrecorded,
  ]);
  return Object.fromEntries(entries);
}

function configAgain({ otherwise, standbyCluster }: RecordedConfig, { dynamic }: DesiredRegion): Tree {
  const config = otherwise.reduce<Tree>((tree, { path, from }) => put(tree, path, from), dynamic);
  return standbyCluster === undefined ? config : { ...config, standby_cluster: standbyCluster };
}

/** Undefined removes. */
function put(tree: Tree, [name = "", ...below]: readonly string[], value: unknown): Tree {
  const { [name]: found, ...others } = tree;
  if (below.length > 0) return { ...others, [name]: put(isTree(found) ? found : {}, below, value) };
  return value === undefined ? others : { ...others, [name]: value };
}

function isParameter([first, second]: readonly string[]): boolean {
  return first === "postgresql" && second === "parameters";
}

function isTree(value: unknown): value is Tree {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
