/** What every executor works with, and the limits of what it asks. */
import type { RunCommand } from "../../roles/act/fenceCommand.ts";
import type { RegionsDesired } from "../desired.ts";
import type { UnitAccess, UnitFleet, UnitSession } from "../session.ts";
import type { RegionStep } from "../steps.ts";
import type { Intent, RegionFindings } from "./evidence.ts";

export interface RegionContext {
  readonly access: UnitFleet;
  readonly desired: RegionsDesired;
  /** Progress of long steps. */
  readonly progress: (line: string) => void;
  /** The change of the active region that these steps are a part of, as the new region records it. */
  readonly change: Intent | null;
  /** What it has to show for itself. */
  readonly findings: RegionFindings;
  /** Proxies that hold pooled clients back. */
  readonly heldBack: Set<string>;
  /** Absent: the command is run. For tests. */
  readonly runCommand?: RunCommand;
}

/** Resolves with what was proven, for the account of the step; rejects with the reason. */
export type RegionExecutor<S extends RegionStep> = (step: S, context: RegionContext) => Promise<string>;
export type StepOf<K extends RegionStep["kind"]> = Extract<RegionStep, { kind: K }>;

/** Time for a host to answer beyond the limit that it was given itself: it should be the one that says why. */
const graceMs = 10_000;

export function accessOf(host: string, { access }: Pick<RegionContext, "access">): UnitAccess {
  const way = access.get(host);
  if (!way) throw new Error(`there is no way to ${host}`);
  return way;
}

export function open(host: string, context: Pick<RegionContext, "access">): Promise<UnitSession> {
  return accessOf(host, context).open();
}

/** Of one stop, start or promotion. */
export function limit({ desired }: Pick<RegionContext, "desired">): { timeoutSeconds: number } {
  return { timeoutSeconds: desired.policy.stepTimeoutSeconds };
}

/** Of whatever waits for Patroni: it may have to see a leader's lock lapse first. */
export function patroniLimit({ desired }: Pick<RegionContext, "desired">): { timeoutSeconds: number } {
  const { stepTimeoutSeconds, ttlSeconds } = desired.policy;
  return { timeoutSeconds: stepTimeoutSeconds + 2 * ttlSeconds };
}

export function answerWithin({ timeoutSeconds }: { timeoutSeconds: number }): { timeoutMs: number } {
  return { timeoutMs: timeoutSeconds * 1000 + graceMs };
}
