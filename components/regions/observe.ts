/** Looks at every host of every region at once, changes nothing, and always ends; see `roles/observe.ts`. */
import { lookAtAll } from "../roles/observe.ts";
import type { RegionsDesired } from "./desired.ts";
import type { HostFacts, RegionsObserved } from "./facts.ts";
import type { UnitFleet } from "./session.ts";
import { membersOf } from "./wish.ts";

export interface ObserveOptions {
  readonly limitMs?: number;
  readonly now?: () => Date;
}

export async function observeRegions(
  access: UnitFleet,
  desired: RegionsDesired,
  { limitMs, now = () => new Date() }: ObserveOptions = {},
): Promise<RegionsObserved> {
  const at = now().toISOString();
  // Whoever leads there answers with it; the others are asked in vain, because nobody knows beforehand who leads.
  const asked = new Set(membersOf(desired, desired.active).map(({ name }) => name));
  const look = (hosts: UnitFleet) => lookAtAll(hosts, (name) => asked.has(name), limitMs);
  const first = await look(access);
  const again = await look(new Map([...access].filter(([name]) => isInDoubt(first[name]))));
  return { at, until: now().toISOString(), hosts: { ...first, ...again } };
}

/**
 * An agent gives each part of its report a second or two, so that a Consul without a leader does not hold it up. Where
 * a dozen hosts share two cores and all are looked at at once, that may be too little for one that is well: whoever
 * could not read something is asked once more, beside fewer others.
 */
function isInDoubt(facts: HostFacts | undefined): boolean {
  return facts?.reach === "up" && facts.report.problems.length > 0;
}
