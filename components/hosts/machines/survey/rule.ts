/** What the judge's rules have in common. */
import type { Refusal } from "../../../roles/steps.ts";
import type { MachineFacts, Owner } from "./facts.ts";
import type { SurveyWish } from "./wish.ts";

/** What speaks against a machine, or is to be known of it. Codes: `E_…`, and `N_…` for what stops nothing. */
export type Rule = (facts: MachineFacts, wish: SurveyWish) => readonly Refusal[];

/** The note of the wish's own program; undefined: there is none. */
export function ownerOf(
  { owners }: MachineFacts,
  { ownerNote }: SurveyWish,
): Owner | "unreadable" | undefined {
  return owners[ownerNote];
}

export function isOurs(facts: MachineFacts, wish: SurveyWish): boolean {
  const owner = ownerOf(facts, wish);
  if (owner === undefined || owner === "unreadable") return false;
  return owner.deployment === wish.deployment && owner.host === wish.host;
}

/** An installation that was cut short is judged like one that is to come. */
export function isInstalled(facts: MachineFacts, wish: SurveyWish): boolean {
  const load = facts.units[wish.unit]?.load ?? "not-found";
  return isOurs(facts, wish) && load !== "not-found";
}

/** A host by the deployment's name for it, and by the one that SSH uses. */
export function named({ host, route }: SurveyWish): string {
  return host === route.host ? host : `${host} (${route.host})`;
}
