/**
 * How a converge goes about it, whatever it converges: under the lock, look, plan, act, and again until a look leaves
 * nothing to plan. State is observed and never remembered, so a run that was killed at any step is finished by the
 * next.
 */
import { DeploymentLock, type Lockable, Locked, owner } from "./lock.ts";
import { renderRefusals } from "./plan/render.ts";
import type { Notice, Refusal } from "./steps.ts";

export interface PlanOf<Step> {
  readonly steps: readonly Step[];
  /** See `Plan`. */
  readonly lookAgainAfter: number | null;
  readonly refusals: readonly Refusal[];
  readonly notices: readonly Notice[];
}

/** A reason not to go on that is meant for the operator as it is. */
export class Refused extends Error {
  override readonly name = "Refused";
}

/** What was found out beside the hosts' own facts: what speaks against the update, and what is to be known. */
export interface Aside {
  readonly refusals: readonly Refusal[];
  readonly notices: readonly Notice[];
}

export const nothingAside: Aside = { refusals: [], notices: [] };

export function withAside<Step>(planned: PlanOf<Step>, aside: Aside): PlanOf<Step> {
  const refusals = [...aside.refusals, ...planned.refusals];
  const notices = [...aside.notices, ...planned.notices];
  if (refusals.length > 0) return { steps: [], lookAgainAfter: null, refusals, notices };
  return { ...planned, notices };
}

export function isNothing({ steps, refusals, lookAgainAfter }: PlanOf<unknown>): boolean {
  return steps.length === 0 && refusals.length === 0 && lookAgainAfter === null;
}

export async function underLock(
  hosts: Lockable,
  report: (line: string) => void,
  work: () => Promise<void>,
): Promise<void> {
  const lock = new DeploymentLock();
  let completed = false;
  try {
    await lock.take(hosts, owner(new Date()), report);
    await work();
    completed = true;
  } catch (error) {
    // A refusal has left nothing half done.
    completed = error instanceof Refused || error instanceof Locked;
    throw error instanceof Locked ? new Refused(renderRefusals({ refusals: [error.refusal] })) : error;
  } finally {
    await lock.release(completed);
  }
}

export interface Rounds<Found, Step> {
  look(): Promise<Found>;
  plan(found: Found): PlanOf<Step>;
  render(made: PlanOf<Step>, found: Found): string;
  describe(step: Step): string;
  act(steps: readonly Step[]): Promise<unknown>;
  /** Work that may show up although every step was carried out, because the nodes move by themselves; absent: none. */
  mayShowUp?(step: Step): boolean;
  /** Nothing is left to do. */
  complete(found: Found): Promise<void>;
  readonly report: (line: string) => void;
  /** How often a look may show something new, and one look at the end. */
  readonly maximum: number;
}

export async function goRounds<Found, Step>(rounds: Rounds<Found, Step>): Promise<void> {
  let expected = true;
  for (let round = 0; round < rounds.maximum; round += 1) {
    const found = await rounds.look();
    const made = rounds.plan(found);
    if (made.refusals.length > 0) throw new Refused(renderRefusals(made));
    if (isNothing(made)) return await rounds.complete(found);
    const moves = made.steps.every((step) => rounds.mayShowUp?.(step) === true);
    if (!expected && !moves) throw new Refused(unfinished(made.steps.map((step) => rounds.describe(step))));
    rounds.report(rounds.render(made, found));
    const last = made.lookAgainAfter;
    await rounds.act(last === null ? made.steps : made.steps.slice(0, last + 1));
    expected = last !== null;
  }
  throw new Refused(`The nodes still showed something new after ${rounds.maximum} looks. Run again.`);
}

function unfinished(left: readonly string[]): string {
  return [
    "Every step was carried out, and a new look at the nodes still finds work:",
    ...left.map((step) => `  ${step}`),
    "Something else changes these nodes, or a step does not do what it says. Run `npm run status`, then again.",
  ].join("\n");
}
