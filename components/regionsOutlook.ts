import { accessToUnits, closeAll } from "./hosts/access.ts";
import { foreseeRegions, type RegionsPreview } from "./regions/converge.ts";
import type { RegionsDesired } from "./regions/desired.ts";
import type { RegionsObserved } from "./regions/facts.ts";
import { observeRegions } from "./regions/observe.ts";
import { allHosts } from "./regions/wish.ts";

/**
 * Looks at every host of every region, without changing anything, and plans: what `outlook.ts` does for a pair. The
 * program does this before it makes any resource, at preview and at update.
 */
export async function observeAndPlanRegions(desired: RegionsDesired): Promise<RegionsPreview> {
  return foreseeRegions(await lookAtRegions(desired), desired);
}

export async function lookAtRegions(desired: RegionsDesired): Promise<RegionsObserved> {
  const access = accessToUnits(allHosts(desired));
  try {
    return await observeRegions(access, desired);
  } finally {
    await closeAll(access);
  }
}
