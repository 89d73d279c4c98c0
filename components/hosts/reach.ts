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
  const route = routes[site.name];
  if (route === undefined) throw new Error(`internal: no way to the machine of ${site.name}`);
  return machineReach(route);
}

/** As `reachOf`, for a host of a region. */
export function reachOfHost(deployment: string, { name, place }: RegionalHost, program: Program): Reach {
  if (place.target === "containers")
    return dockerReach(deployment, { name, image: programTag(program) }, place);
  throw new Error(`internal: ${name} on a machine passed validation`);
}
