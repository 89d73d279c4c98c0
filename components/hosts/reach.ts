/** From where a site is to how `converge` gets to its node: known before any resource exists. */
import type { Reach, SshRoute } from "../roles/desired.ts";
import type { Deployment, Site } from "../spec/model.ts";
import type { RegionalHost } from "../spec/regionalModel.ts";
import { imageTag, programTag } from "./containers/images.ts";
import { dockerReach } from "./containers/reach.ts";
import type { Program } from "./host.ts";
import { machineReach } from "./machines/reach.ts";

export function reachOf(
  deployment: Deployment,
  site: Site,
  routes: Readonly<Record<string, SshRoute>>,
): Reach {
  const { place, node } = site;
  if (place.target === "containers") {
    return dockerReach(
      deployment.name,
      { name: node.name, image: node.image ?? imageTag("postgres") },
      place,
    );
  }
  return machineReach(routeTo(routes, site.name));
}

/** As `reachOf`, for a host of a region. `program`: what runs there. */
export function reachOfHost(
  deployment: string,
  { name, place }: RegionalHost,
  program: Program,
  routes: Readonly<Record<string, SshRoute>>,
): Reach {
  if (place.target === "containers")
    return dockerReach(deployment, { name, image: programTag(program) }, place);
  return machineReach(routeTo(routes, name), program);
}

function routeTo(routes: Readonly<Record<string, SshRoute>>, host: string): SshRoute {
  const route = routes[host];
  if (route === undefined) throw new Error(`internal: no way to the machine of ${host}`);
  return route;
}
