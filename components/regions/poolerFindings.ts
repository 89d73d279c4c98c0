/** What is wrong with the PgBouncer of a proxy. Pure. */
import { type Finding, finding, when } from "../roles/findings.ts";
import type { PoolerFacts, UnitReport } from "./facts.ts";

/** How long a client may wait for a connection before something is wrong with the pool or behind it. */
const longestWaitMs = 10_000;

export function ofPooler(host: string, { programs, pooler }: UnitReport): Finding[] {
  if (pooler === undefined || programs.pgbouncer?.state !== "running") return [];
  if (pooler === null) return [finding("wrong", "W_POOLER", `${host}: its PgBouncer does not answer`)];
  return pooler.paused === null ? ofWaiting(host, pooler) : [ofPause(host, pooler.paused.resumesInMs)];
}

function ofWaiting(host: string, { clients: { waiting, longestWaitMs: waited } }: PoolerFacts): Finding[] {
  return when(
    waited > longestWaitMs,
    "W_POOLER",
    `${host}: ${waiting} pooled clients wait for a connection, one of them for ${seconds(waited)}; poolSize is too small for them, or nobody takes writes`,
  );
}

function ofPause(host: string, resumesInMs: number | null): Finding {
  if (resumesInMs !== null) {
    const message = `${host}: pooled clients are held back for a change, and go on by themselves in ${seconds(resumesInMs)} at the latest`;
    return finding("note", "N_POOLER_PAUSED", message);
  }
  const message = `${host}: PgBouncer was paused by somebody's hand, and its clients wait; RESUME at its console lets them go on`;
  return finding("wrong", "W_POOLER_PAUSED", message);
}

function seconds(ms: number): string {
  return `${Math.ceil(ms / 1000)} s`;
}
