/**
 * Why a switchover is not begun. Everything that could make it fail or lose after the old primary was stopped is
 * asked before, and all answers are reported together. Once it is stopped, only what the gate cannot pass counts:
 * then the way forward is the shortest one back to somebody who leads.
 */
import type { SenderFacts, SqlFacts } from "../facts.ts";
import type { Refusal } from "../steps.ts";
import { wordsOf } from "../words.ts";
import { clockRefusal, clockToleranceMs, inWords, wrongClocks } from "./clocks.ts";
import { changesOf } from "./configuration.ts";
import { type Fleet, type NodeView, nodesOf } from "./fleet.ts";
import { bytesBetween, furthest } from "./lsn.ts";
import { successionOf } from "./succession.ts";
import { diskSpace, unfitTarget } from "./target.ts";

const defaultLagBytes = 16 * 2 ** 20;
const archiveLimit = 16;
const certificateHours = 24;

type Rule = (from: NodeView, to: NodeView, fleet: Fleet) => readonly Refusal[];

const always: readonly Rule[] = [primaryAlive, replayPaused];
const whileItRuns: readonly Rule[] = [
  notSync,
  lag,
  degraded,
  backupRunning,
  archiveBacklog,
  (_from, to) => diskSpace(to),
  clocks,
  certificate,
  tooWide,
];

export function switchoverRefusals(fleet: Fleet): Refusal[] {
  const succession = successionOf(fleet);
  if (succession.kind === "standoff") return behind(succession.from, fleet.active);
  if (succession.kind !== "switchover") return [];
  const { from } = succession;
  const to = fleet.active;
  const unfit = unfitTarget(to, from);
  if (unfit) return [...primaryAlive(from, to, fleet), unfit];
  const rules = from.state === "primary" ? [...always, ...whileItRuns] : always;
  return rules.flatMap((rule) => rule(from, to, fleet));
}

function primaryAlive(from: NodeView, to: NodeView, { desired }: Fleet): Refusal[] {
  if (desired.failover === undefined) return [];
  return [
    refusal(
      "E_PRIMARY_ALIVE",
      `${from.name} answers (${from.state}), and a failover without it is stated: it would lose what a switchover keeps. Remove the statement (pulumi config rm failover), then the role moves to ${to.name} without loss; or stop ${from.name} for good first.`,
    ),
  ];
}

function notSync(from: NodeView, to: NodeView, { desired }: Fleet): Refusal[] {
  const sender = senderOf(from, to);
  const slot = from.report?.server.sql?.slots.find(({ name }) => name === to.wish.slot);
  const asynchronous = desired.policy.synchronous === "off";
  const synced = asynchronous || sender?.syncState === "sync" || sender?.syncState === "quorum";
  const reserved = slot?.active === true && (slot.walStatus === "reserved" || slot.walStatus === "extended");
  if (to.state === "standby-streaming" && sender?.state === "streaming" && synced && reserved) return [];
  const seen = [
    `state=${sender?.state ?? "not connected"}`,
    `sync_state=${sender?.syncState ?? "none"}`,
    `lag=${sender === undefined ? "unknown" : `${sender.lagBytes} bytes`}`,
    `slot=${slot === undefined ? "missing" : `${slot.walStatus}${slot.active ? "" : ", not in use"}`}`,
    `${to.name} is ${to.state}`,
  ].join(", ");
  return [
    refusal(
      "E_STANDBY_NOT_SYNC",
      `${to.name} does not follow ${from.name} as a node must that takes over: ${seen}. Set active back to ${from.wish.site} and run \`pulumi up\` until \`npm run status\` shows it in sync.`,
    ),
  ];
}

function lag(from: NodeView, to: NodeView, { desired }: Fleet): Refusal[] {
  const limit = desired.policy.lagLimitBytes ?? defaultLagBytes;
  const bytes = senderOf(from, to)?.lagBytes ?? 0;
  if (bytes <= limit) return [];
  return [
    refusal(
      "E_STANDBY_LAG",
      `${to.name} is ${bytes} bytes behind ${from.name}, more than ${limit}: writes would stop until it has replayed them. Wait until it has caught up.`,
    ),
  ];
}

function replayPaused(_from: NodeView, { name, report }: NodeView): Refusal[] {
  if (!report?.server.sql?.replayPaused) return [];
  return [
    refusal(
      "E_REPLAY_PAUSED",
      `The replay on ${name} is paused, so it would never reach the end of the WAL: SELECT pg_wal_replay_resume() there.`,
    ),
  ];
}

function degraded({ name, report }: NodeView, to: NodeView): Refusal[] {
  const marker = report?.degraded;
  if (!marker) return [];
  return [
    refusal(
      "E_DEGRADED_SINCE",
      `${name} has acknowledged commits without a standby since ${marker.since} (${marker.lsn}), and ${to.name} has not confirmed all of them. Wait until it has; \`npm run status\` says when.`,
    ),
  ];
}

function backupRunning(from: NodeView, to: NodeView): Refusal[] {
  return onEither(from, to, (sql) => sql.backupRunning).map((name) =>
    refusal("E_BACKUP_RUNNING", `A base backup runs on ${name} and would be cut off. Let it end, or end it.`),
  );
}

function archiveBacklog(from: NodeView, to: NodeView): Refusal[] {
  return onEither(from, to, (sql) => sql.archiveBacklog > archiveLimit).map((name) =>
    refusal(
      "E_ARCHIVE_BACKLOG",
      `More than ${archiveLimit} WAL files wait to be archived on ${name}, and a shutdown waits for them. Repair the archive first.`,
    ),
  );
}

/** Certificates, statements and recovery targets are judged by clocks; whose is wrong cannot be told from here. */
function clocks(from: NodeView, to: NodeView, fleet: Fleet): Refusal[] {
  const [begin, end] = [Date.parse(fleet.at), Date.parse(fleet.until)];
  const read = [from, to].flatMap(({ name, report }) =>
    report ? [{ name, clock: report.clock, at: Date.parse(report.clock) }] : [],
  );
  const wrong = wrongClocks([from, to], fleet);
  const [a, b] = read;
  const apart = a && b && Math.abs(a.at - b.at) > clockToleranceMs + (end - begin);
  if (wrong.length === 0 && !apart) return [];
  const said = read.map(({ name, clock }) => {
    const found = wrong.find((each) => each.name === name);
    return found ? inWords(found) : `${name} says ${clock}`;
  });
  return [clockRefusal(said, fleet)];
}

/** One that this update renews is judged when it is there. */
function certificate(_from: NodeView, { name, report, wish }: NodeView, fleet: Fleet): Refusal[] {
  const note = "certificate.json";
  const notAfter = report?.certificate?.notAfter;
  if (fleet.moment === "preview" && report?.files.installed[note] !== wish.files[note]) return [];
  const hours =
    notAfter === undefined ? Number.NaN : (Date.parse(notAfter) - Date.parse(fleet.at)) / 3_600_000;
  if (hours >= certificateHours) return [];
  return [
    refusal(
      "E_CERT_EXPIRY",
      `The certificate of ${name} ${notAfter === undefined ? "cannot be read" : `ends on ${notAfter}, in less than ${certificateHours} hours`}: clients would soon refuse the new primary. Let \`pulumi up\` renew it before active is changed.`,
    ),
  ];
}

function tooWide(_from: NodeView, _to: NodeView, fleet: Fleet): Refusal[] {
  const found = nodesOf(fleet).flatMap((view) => {
    const { restart } = changesOf(view);
    const image = view.facts.reach === "up" ? view.facts.image : undefined;
    const wished = view.wish.reach.kind === "docker" ? view.wish.reach.image : undefined;
    return [
      ...(restart.length > 0 ? [`${restart.join(", ")} on ${view.name}, which needs a restart`] : []),
      ...(image !== undefined && image !== wished
        ? [`the image of ${view.name}, which needs a new ${wordsOf(view.wish).unit}`]
        : []),
    ];
  });
  if (found.length === 0) return [];
  return [
    refusal(
      "E_CHANGE_TOO_WIDE",
      `This update moves the role and changes ${found.join("; ")}. If it failed, nobody could say by which. Make it two updates.`,
    ),
  ];
}

/** Both are final, because nobody writes: the further one has everything, the other one would lose something. */
function behind(other: NodeView, to: NodeView): Refusal[] {
  const [own, has] = [position(to), position(other)];
  if (own === null || has === null || bytesBetween(own, has) <= 0) return [];
  return [
    refusal(
      "E_STANDBY_NOT_SYNC",
      `A handover was cut off and nobody leads: ${to.name} has ${own}, and ${other.name}, which led before, ${has}. Set active to ${other.wish.site} and run \`pulumi up\`.`,
    ),
  ];
}

function position({ report }: NodeView): string | null {
  const sql = report?.server.sql;
  return furthest([sql?.receiveLsn, sql?.replayLsn]);
}

function onEither(from: NodeView, to: NodeView, is: (sql: SqlFacts) => boolean): string[] {
  return [from, to].flatMap(({ name, report }) =>
    report?.server.sql && is(report.server.sql) ? [name] : [],
  );
}

function senderOf(from: NodeView, to: NodeView): SenderFacts | undefined {
  return from.report?.server.sql?.senders.find(({ applicationName }) => applicationName === to.name);
}

function refusal(code: string, message: string): Refusal {
  return { code, message };
}
