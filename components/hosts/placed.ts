/** The database's hosts, whichever kind of deployment they belong to. */
import type { Place } from "../spec/model.ts";
import { type AnyDeployment, hostsOf } from "../spec/regionalModel.ts";

export interface PlacedUnit {
  /** Of the host and of its unit: a site's or a regional host's. */
  readonly name: string;
  readonly place: Place;
}

export function placedUnits(deployment: AnyDeployment): readonly PlacedUnit[] {
  return "sites" in deployment ? deployment.sites : deployment.regions.flatMap(hostsOf);
}
