/**
 * What a forced failover may lose, from what the nodes recorded while they could still talk. "None" is said only
 * where a record proves it; where there is none, the answer is that nobody knows.
 */
import type { Lsn, NodeReport, Observed } from "../facts.ts";
import { bytesBetween, furthest } from "./lsn.ts";

export interface Loss {
  /** Of writes that a client was told were committed. */
  readonly acked: "none" | "possible" | "unknown";
  /** WAL that the standby lacks; null: not known. */
  readonly bytes: number | null;
  /** `bytes` is to the end of the old primary's WAL, so no more than that can be lost. */
  readonly bounded: boolean;
  readonly since: string | null;
  readonly why: string;
}

export function assessLoss(observed: Observed, from: string, to: string): Loss {
  const standby = reportOf(observed, to);
  const primary = reportOf(observed, from);
  const received = standby?.received ?? null;
  const has = furthest([received?.receivedLsn, standby?.server.sql?.receiveLsn]);
  const end = endOf(primary);
  const marker = primary?.degraded ?? received?.degraded ?? null;
  const known = end ?? received?.primaryEndLsn ?? null;
  const size = {
    bytes: has === null || known === null ? null : Math.max(0, bytesBetween(has, known)),
    bounded: end !== null && has !== null,
  };
  const none = (why: string): Loss => ({ acked: "none", ...size, since: null, why });

  if (end !== null && has !== null && bytesBetween(end, has) >= 0) {
    return none(`the WAL of ${from} ends at ${end}, and ${to} has received ${has}`);
  }
  if (received?.policy === "strict" && received.degraded === null) {
    return none(
      `${from} acknowledged no commit that was not on ${to}: its record there says strict, and no time without it`,
    );
  }
  const waits = received?.policy === "strict" || received?.policy === "available";
  if (waits && primary?.data.state === "ready" && primary.degraded === null) {
    return none(`the disk of ${from} says that it never acknowledged commits without ${to}`);
  }
  if (marker !== null) {
    const why = `${from} acknowledged commits without ${to} from ${marker.lsn} on`;
    return { acked: "possible", ...size, since: marker.since, why };
  }
  const since = received?.lastContactAt ?? null;
  if (received === null || received.policy === null) {
    return { acked: "unknown", ...size, since, why: `${to} has no record of how ${from} treated commits` };
  }
  const why = `with synchronous: ${received.policy} it may have acknowledged commits that ${to} never heard of`;
  return { acked: "possible", ...size, since, why };
}

export function inWords({ acked, bytes, bounded, since, why }: Loss): string {
  const from = since === null ? "" : ` since ${since}`;
  const missing = bytes === null ? "how much is not known" : `${bytes} bytes of WAL`;
  const size =
    bytes === null || bounded ? missing : `${missing} when they last spoke, and whatever came after`;
  switch (acked) {
    case "none":
      return `No acknowledged write is lost: ${why}.`;
    case "possible":
      return `Acknowledged writes may be lost${from} (${size}): ${why}.`;
    case "unknown":
      return `Whether acknowledged writes are lost is not known${from} (${size}): ${why}.`;
  }
}

/** A shutdown checkpoint is the last record of a WAL; its start says as much as its end. */
function endOf(primary: NodeReport | null): Lsn | null {
  const data = primary?.data;
  if (data?.endLsn) return data.endLsn;
  return data?.control?.state === "shut down" ? data.control.checkpointLsn : null;
}

function reportOf(observed: Observed, name: string): NodeReport | null {
  const facts = observed.nodes[name];
  return facts?.reach === "up" || facts?.reach === "stopped" ? (facts.report ?? null) : null;
}
