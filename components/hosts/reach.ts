/** From where a site is to how `converge` gets to its node: known before any resource exists. */
import type { Reach, SshRoute } from "../roles/desired.ts";
import type { Deployment, Site } from "../spec/model.ts";
import { dockerReach } from "./containers/reach.ts";
import { machineReach } from "./machines/reach.ts";

export function reachOf(
  deployment: Deployment,
  site: Site,
  routes: Readonly<Record<string, SshRoute>>,
): Reach {
  const { place, node } = site;
  if (place.target === "containers") return dockerReach(deployment, node, place);
  const route = routes[site.name];
  if (route === undefined) throw new Error(`internal: no way to the machine of ${site.name}`);
  return machineReach(route);
}
