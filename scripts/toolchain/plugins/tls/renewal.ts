import type { Values } from "../resourceType.ts";

/**
 * Whether a certificate is past the point from which it is to be renewed: `earlyRenewalHours` before its end. The
 * official provider asks this when it reads (a refresh shows it) and when it plans (an update replaces).
 */
export function readyForRenewal(state: Values, earlyRenewalHours: unknown, now = Date.now()): boolean {
  const end = typeof state.validityEndTime === "string" ? Date.parse(state.validityEndTime) : Number.NaN;
  const early = typeof earlyRenewalHours === "number" ? earlyRenewalHours : 0;
  return !Number.isNaN(end) && end - early * 3_600_000 <= now;
}
