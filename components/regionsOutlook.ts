import { accessToUnits } from "./hosts/access.ts";
import { type Looked, lookAtHosts, silentMachines } from "./hosts/look.ts";
import { asideOf, reasonOf } from "./hosts/machines/survey/aside.ts";
import { type Drift, driftOf } from "./hosts/machines/survey/drift.ts";
import type { Surveys } from "./hosts/machines/survey/survey.ts";
import type { SurveyWish } from "./hosts/machines/survey/wish.ts";
import { foreseeRegions, type RegionsPreview } from "./regions/converge.ts";
import type { RegionsDesired } from "./regions/desired.ts";
import type { HostFacts, RegionsObserved } from "./regions/facts.ts";
import { observeRegions } from "./regions/observe.ts";
import { allHosts } from "./regions/wish.ts";

export interface RegionsOutlook extends RegionsPreview {
  /** See `silentMachines`. */
  readonly silentMachines: readonly string[];
}

/**
 * Looks at every host of every region and at every machine, without changing anything, and plans: what `outlook.ts`
 * does for a pair. The program does this before it makes any resource, at preview and at update.
 */
export async function observeAndPlanRegions(
  desired: RegionsDesired,
  wishes: readonly SurveyWish[],
): Promise<RegionsOutlook> {
  const { observed, surveys } = await lookAtRegions(desired, wishes);
  const drift = driftOf(wishes, surveys, false);
  const seen = withSurveysOfRegions(observed, surveys, drift);
  const aside = asideOf(wishes, surveys, drift, { nodes: seen.hosts });
  return { ...foreseeRegions(seen, desired, aside), silentMachines: silentMachines(surveys) };
}

/** The hosts' facts with what the machines add to them. */
export async function lookAtRegionsWithSurveys(
  desired: RegionsDesired,
  wishes: readonly SurveyWish[],
): Promise<RegionsObserved> {
  const { observed, surveys } = await lookAtRegions(desired, wishes);
  return withSurveysOfRegions(observed, surveys, driftOf(wishes, surveys, true));
}

export function lookAtRegions(
  desired: RegionsDesired,
  wishes: readonly SurveyWish[],
): Promise<Looked<RegionsObserved>> {
  return lookAtHosts(
    wishes,
    (pool) => accessToUnits(allHosts(desired), pool),
    (access) => observeRegions(access, desired),
  );
}

/** The survey knows why a machine does not answer, and which files are somebody else's. */
export function withSurveysOfRegions(
  observed: RegionsObserved,
  surveys: Surveys,
  { left }: Drift,
): RegionsObserved {
  const hosts = Object.entries(observed.hosts).map(([name, facts]): [string, HostFacts] => {
    const reason = reasonOf(surveys[name]);
    if (facts.reach === "unreachable" && reason !== undefined) return [name, { ...facts, reason }];
    const changedByHand = left[name] ?? [];
    return [name, facts.reach === "up" && changedByHand.length > 0 ? { ...facts, changedByHand } : facts];
  });
  return { ...observed, hosts: Object.fromEntries(hosts) };
}
