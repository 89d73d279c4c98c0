/**
 * Pooled clients wait while somebody else takes over as planned, instead of being cut off: PgBouncer holds them back
 * between two transactions. All proxies lead to the one member that takes writes, so all of them do.
 */
import type { RegionStep } from "../steps.ts";
import { everyRegion, type Fleet, programOf } from "./fleet.ts";

type Pause = Extract<RegionStep, { kind: "pauseClients" }>;

const longestDrainSeconds = 5;

/** How long an open transaction is waited for, of the time that clients may be held back. */
export function drainSeconds({ ttlSeconds }: Pick<Pause, "ttlSeconds">): number {
  return Math.min(longestDrainSeconds, Math.floor(ttlSeconds / 2));
}

/** The steps that have `member` take writes. A proxy whose PgBouncer does not run holds nobody back. */
export function heldBack(steps: readonly RegionStep[], member: string, fleet: Fleet): RegionStep[] {
  const poolers = everyRegion(fleet).flatMap(({ proxies }) =>
    proxies.flatMap((view) => {
      const { pooled } = view.wish;
      const runs = programOf(view, "pgbouncer")?.state === "running";
      return pooled !== undefined && runs ? [{ host: view.name, ttlSeconds: pooled.pauseSeconds }] : [];
    }),
  );
  return [
    ...poolers.map((pooler): RegionStep => ({ kind: "pauseClients", ...pooler })),
    ...steps,
    ...poolers.map(({ host }): RegionStep => ({ kind: "resumeClients", host, member })),
  ];
}
