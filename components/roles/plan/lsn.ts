/** Positions in the WAL as numbers. */
import type { Lsn } from "../facts.ts";

/** `to - from`; positions of one history differ by far less than what a double holds exactly. */
export function bytesBetween(from: Lsn, to: Lsn): number {
  return Number(position(to) - position(from));
}

function position(lsn: Lsn): bigint {
  const [high = "0", low = "0"] = lsn.split("/");
  return (BigInt(`0x${high}`) << 32n) + BigInt(`0x${low}`);
}

/** The furthest of those that are known. */
export function furthest(lsns: readonly (Lsn | null | undefined)[]): Lsn | null {
  return lsns.reduce<Lsn | null>((best, lsn) => {
    if (lsn === null || lsn === undefined) return best;
    return best === null || bytesBetween(best, lsn) > 0 ? lsn : best;
  }, null);
}
