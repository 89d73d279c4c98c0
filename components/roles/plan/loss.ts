/**
 * What a forced failover may lose, from what the nodes recorded while they could still talk. "None" is said only
 * where a record proves it; where there is none, the answer is that nobody knows.
 */
import type { Lsn, NodeReport, Observed } from "../facts.ts";
import { bytesBetween } from "./lsn.ts";

export interface Loss {
  /** Of writes that a client was told were committed. */
  readonly acked: "none" | "possible" | "unknown";
  /** Upper bound of the WAL that is missing; null: not known. */
  readonly bytes: number | null;
  readonly since: string | null;
  readonly why: string;
}

export function assessLoss(observed: Observed, from: string, to: string): Loss {
  const standby = reportOf(observed, to);
  const primary = reportOf(observed, from);
  const received = standby?.received ?? null;
  const receivedLsn = received?.receivedLsn ?? standby?.server.sql?.receiveLsn ?? null;
  const control = primary?.data.control;
  const cleanEnd = control?.state === "shut down" ? control.checkpointLsn : null;
  const bytes = missing(receivedLsn, [cleanEnd, received?.primaryEndLsn ?? null]);
  const none = (why: string): Loss => ({ acked: "none", bytes, since: null, why });

  if (cleanEnd !== null && receivedLsn !== null && bytesBetween(cleanEnd, receivedLsn) > 0) {
    return none(`${from} shut down cleanly at ${cleanEnd}, and ${to} has received ${receivedLsn}`);
  }
  if (received?.policy === "strict" && received.degraded === null) {
    return none(
      `${from} acknowledged no commit that was not on ${to}: its record there says strict, and no time without it`,
    );
  }
  const waits = received?.policy === "strict" || received?.policy === "available";
  if (waits && primary && primary.data.state === "ready" && primary.degraded === null) {
    return none(`the disk of ${from} could be read and says that it never acknowledged commits without ${to}`);
  }
  const marker = primary?.degraded ?? received?.degraded ?? null;
  if (marker !== null) {
    const why = `${from} acknowledged commits without ${to} from ${marker.since} (${marker.lsn}) on`;
    return { acked: "possible", bytes: primary && cleanEnd === null ? null : bytes, since: marker.since, why };
  }
  if (received === null || received.policy === null) {
    return { acked: "unknown", bytes, since: received?.lastContactAt ?? null, why: `${to} has no record of ${from}` };
  }
  const since = received.lastContactAt;
  const why = `${to} last heard from ${from} ${since === null ? "at a time that nobody recorded" : `at ${since}`}, and with synchronous: ${received.policy} it may have acknowledged commits after that`;
  return { acked: "possible", bytes, since, why };
}

export function inWords({ acked, bytes, since, why }: Loss): string {
  const size = bytes === null ? "nobody can say how much" : `${bytes} bytes of WAL are known to be missing`;
  const from = since === null ? "" : ` since ${since}`;
  switch (acked) {
    case "none":
      return `No acknowledged write is lost: ${why}.`;
    case "possible":
      return `Acknowledged writes may be lost${from}: ${why}; ${size}.`;
    case "unknown":
      return `Whether acknowledged writes are lost is not known: ${why}; ${size}.`;
  }
}

/** Of the ends that are known the furthest. Each is a lower bound where the primary went on unheard. */
function missing(receivedLsn: Lsn | null, ends: readonly (Lsn | null)[]): number | null {
  if (receivedLsn === null) return null;
  const distances = ends.flatMap((end) => (end === null ? [] : [bytesBetween(receivedLsn, end)]));
  return distances.length === 0 ? null : Math.max(0, ...distances);
}

function reportOf(observed: Observed, name: string): NodeReport | null {
  const facts = observed.nodes[name];
  return facts?.reach === "up" || facts?.reach === "stopped" ? (facts.report ?? null) : null;
}
