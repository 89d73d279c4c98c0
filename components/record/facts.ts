/**
 * What an update leaves for a preview that cannot reach the sites: the facts that the plan needs, without what changes
 * by itself (positions in the WAL, clocks, free space), so that an unchanged deployment leaves an unchanged record.
 * Files are written as their difference to the wish, which the update leaves beside it. Pure.
 */
import type { Desired, DesiredCatalog, DesiredNode } from "../roles/desired.ts";
import type { DataFacts, NodeFacts, NodeReport, Observed, SqlFacts } from "../roles/facts.ts";
import { applied, type Difference, difference } from "./difference.ts";
import { givenUpReason, isGivenUp } from "./kind.ts";
import { anywhere, recordedCatalog, somewhere } from "./shared.ts";

export type RecordedNode =
  | Exclude<NodeFacts, { readonly reach: "up" } | { readonly reach: "stopped" }>
  | { readonly reach: "stopped"; readonly reason: string; readonly report: RecordedReport | null }
  | {
      readonly reach: "up";
      readonly report: RecordedReport;
      readonly image?: string;
      readonly changedByHand?: readonly string[];
    };

export interface RecordedReport extends Omit<NodeReport, "files" | "clock"> {
  readonly files: {
    /** To the files of the wish. */
    readonly installed: Difference;
    /** To the installed ones. */
    readonly loaded: Difference;
    readonly started: Difference;
  };
}

export type RecordedNodes = Readonly<Record<string, RecordedNode>>;

export function recordedNodes(observed: Observed, desired: Desired): RecordedNodes {
  return Object.fromEntries(
    desired.nodes.flatMap((wish) => {
      const facts = observed.nodes[wish.name];
      return facts === undefined ? [] : [[wish.name, recordedNode(facts, wish, desired.catalog)]];
    }),
  );
}

/** When the facts became what they are: with the update whose generation is on the node that leads. */
export function recordedAt({ at, nodes }: Observed, { active }: Desired): string {
  const facts = nodes[active];
  return (facts?.reach === "up" ? facts.report.generation : null) ?? at;
}

function recordedNode(facts: NodeFacts, wish: DesiredNode, catalog: DesiredCatalog): RecordedNode {
  switch (facts.reach) {
    case "unreachable":
      return facts;
    case "absent":
      return { reach: "absent", data: facts.data };
    case "stopped":
      return { ...facts, report: facts.report ? recordedReport(facts.report, wish, catalog) : null };
    case "up": {
      const { adoption: _, report, ...more } = facts;
      return { ...more, report: recordedReport(report, wish, catalog) };
    }
  }
}

function recordedReport(
  { clock: _, problems: __, ...report }: NodeReport,
  wish: DesiredNode,
  catalog: DesiredCatalog,
): RecordedReport {
  const { installed, loaded, started } = report.files;
  const runs = report.server.sql !== null;
  return {
    ...report,
    data: runs ? dataOfRunning(report.data) : { ...report.data, freeBytes: 0 },
    server: { ...report.server, sql: report.server.sql && recordedSql(report.server.sql, catalog) },
    files: {
      installed: difference(wish.files, installed),
      loaded: difference(installed, loaded),
      started: difference(installed, started),
    },
    received: report.received
      ? { ...report.received, lastContactAt: null, primaryEndLsn: null, receivedLsn: null }
      : null,
    lock: null,
  };
}

function dataOfRunning(data: DataFacts): DataFacts {
  const { control } = data;
  return {
    ...data,
    control: control && { ...control, checkpointLsn: somewhere, redoLsn: somewhere },
    freeBytes: 0,
    sizeBytes: 0,
  };
}

function recordedSql(sql: SqlFacts, catalog: DesiredCatalog): SqlFacts {
  return {
    ...sql,
    catalog: sql.catalog && recordedCatalog(sql.catalog, catalog),
    startedAt: "",
    currentLsn: anywhere(sql.currentLsn),
    receiveLsn: anywhere(sql.receiveLsn),
    replayLsn: anywhere(sql.replayLsn),
    senders: sql.senders
      .map((sender) => ({
        ...sender,
        sentLsn: anywhere(sender.sentLsn),
        flushLsn: anywhere(sender.flushLsn),
        replayLsn: anywhere(sender.replayLsn),
        lagBytes: 0,
        lagSeconds: 0,
      }))
      .sort((a, b) => a.applicationName.localeCompare(b.applicationName)),
    slots: sql.slots
      .map((slot) => ({
        ...slot,
        walStatus: slot.walStatus === "extended" ? "reserved" : slot.walStatus,
        heldBytes: 0,
      }))
      .sort((a, b) => a.name.localeCompare(b.name)),
    backupRunning: false,
    archiveBacklog: 0,
    configErrors: [],
    // Names only: a value may be a password.
    alterSystem: Object.fromEntries(Object.keys(sql.alterSystem).map((name) => [name, ""])),
  };
}

/** As if they had been seen at `now`. What the record does not know, a site that is new, is not there yet. */
export function seenAgain(
  nodes: RecordedNodes,
  recordedWish: Pick<Desired, "nodes">,
  desired: Desired,
  now: Date,
): Observed {
  const at = now.toISOString();
  const files = (name: string) => recordedWish.nodes.find((node) => node.name === name)?.files ?? {};
  const used = Object.values(nodes).map((node) =>
    node.reach === "up" ? node.report.promotion?.statementAt : null,
  );
  const facts = desired.nodes.map(({ name, site }): [string, NodeFacts] => {
    const recorded = nodes[name];
    if (recorded === undefined) return [name, { reach: "absent", data: "none" }];
    if (isGivenUp(site, desired.failover, used))
      return [name, { reach: "unreachable", reason: givenUpReason }];
    return [name, nodeAgain(recorded, files(name), at)];
  });
  return { at, nodes: Object.fromEntries(facts) };
}

/** Every node of a deployment that is not there yet. */
export function seenEmpty(desired: Desired, now: Date): Observed {
  return seenAgain({}, { nodes: [] }, desired, now);
}

function nodeAgain(node: RecordedNode, wished: Readonly<Record<string, string>>, at: string): NodeFacts {
  if (node.reach === "up") return { ...node, report: reportAgain(node.report, wished, at) };
  if (node.reach === "stopped") {
    return { ...node, report: node.report && reportAgain(node.report, wished, at) };
  }
  return node;
}

function reportAgain(
  report: RecordedReport,
  wished: Readonly<Record<string, string>>,
  at: string,
): NodeReport {
  const installed = applied(report.files.installed, wished);
  return {
    ...report,
    clock: at,
    // How much is free is for the update to see.
    data: { ...report.data, freeBytes: Number.MAX_SAFE_INTEGER },
    files: {
      installed,
      loaded: applied(report.files.loaded, installed),
      started: applied(report.files.started, installed),
    },
  };
}
