/**
 * What a kind of deployment has recorded, and how a preview sees that again. What surrounds it (marks of the engines,
 * routes to the machines, the age, when a record is used at all) is the same for every kind.
 */

import type { FailoverStatement } from "../roles/desired.ts";
import type { Refusal } from "../roles/steps.ts";

/** What a look has shown and what is planned from it. */
export interface Outlooking {
  /** For the operator. */
  readonly text: string;
  readonly refusals: readonly Refusal[];
  readonly generation: string;
  readonly observed: { readonly at: string };
  /** See `silentMachines`. */
  readonly silentMachines: readonly string[];
}

export type Reaches = Readonly<Record<string, { readonly reach: string; readonly reason?: string }>>;

export interface RecordKind<Wish, Facts, Look extends Outlooking> {
  /** The record's field for the facts; tells the kinds apart. */
  readonly field: "nodes" | "hosts";
  /** What else nobody can know of who is not looked at, for people; absent: nothing that changes by itself. */
  readonly unknown?: string;
  /** The nodes or hosts of a look, by name. */
  readonly places: (observed: Look["observed"]) => Reaches;
  /** Without what changes by itself and without a secret, so that an unchanged deployment leaves an unchanged record. */
  readonly recorded: (observed: Look["observed"], desired: Wish) => Facts;
  /** When the facts became what they are, ISO 8601. */
  readonly recordedAt: (observed: Look["observed"], desired: Wish) => string;
  /** As if they had been seen at `now`. What the record does not know, because it is new, is not there yet. */
  readonly seenAgain: (facts: Facts, recordedWish: Wish, desired: Wish, now: Date) => Look["observed"];
  readonly seenEmpty: (desired: Wish, now: Date) => Look["observed"];
  readonly foresee: (observed: Look["observed"], desired: Wish) => Omit<Look, "silentMachines">;
  /** After an update: what it left is there to be seen. `before`: what it had found. */
  readonly isAtRest: (seen: Look["observed"], before: Look["observed"], desired: Wish) => boolean;
}

/** Everybody answers who answered before. */
export function answersAsBefore(seen: Reaches, before: Reaches): boolean {
  const isSilent = (name: string, places: Reaches) => places[name]?.reach === "unreachable";
  return !Object.keys(seen).some((name) => isSilent(name, seen) && !isSilent(name, before));
}

export const givenUpReason = "the failover statement says that it is gone, and nobody looked";

/**
 * A site or region that the operator's statement gives up. He knows something newer than the record, until the failover
 * of which he speaks is in it. `used`: `failover.at` of the statements of which the record knows that they were used.
 */
export function isGivenUp(
  place: string,
  failover: FailoverStatement | undefined,
  used: readonly (string | null | undefined)[],
): boolean {
  return failover?.from === place && !used.includes(failover.at);
}
