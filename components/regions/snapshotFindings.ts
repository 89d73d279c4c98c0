/** What status says of the snapshots of Consul's state. Pure. */
import { type Finding, when } from "../roles/findings.ts";
import type { SnapshotFacts } from "./facts.ts";

const hourMs = 3_600_000;
/** The host takes one when the last is as old as was said; one that is late by this was not taken. */
const graceHours = 1;

/** `at`: when it was looked at. */
export function ofSnapshots(host: string, facts: SnapshotFacts | null | undefined, at: string): Finding[] {
  if (facts == null) return [];
  const { everyHours, failure, newestAt } = facts;
  const old = ageHours(newestAt, at);
  const late = newestAt === null ? failure !== null : old > everyHours + graceHours;
  const last = newestAt === null ? "none was ever taken" : `the last one is ${inHours(old)} old`;
  const why = failure === null ? "its log may say why" : failure;
  return when(
    late,
    "W_CONSUL_SNAPSHOT",
    `${host}: a snapshot of Consul's state is due every ${everyHours} h, and ${last}: ${why}`,
  );
}

/** For the table; empty: there is nothing to say. */
export function snapshotWords(facts: SnapshotFacts | null | undefined, at: string): string {
  if (facts == null) return "";
  return facts.newestAt === null
    ? "no snapshot yet"
    : `snapshot ${inHours(ageHours(facts.newestAt, at))} old`;
}

function ageHours(newestAt: string | null, at: string): number {
  return newestAt === null ? 0 : (Date.parse(at) - Date.parse(newestAt)) / hourMs;
}

function inHours(hours: number): string {
  return hours < 1 ? "less than 1 h" : `${Math.floor(hours)} h`;
}
