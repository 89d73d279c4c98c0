import { NAME_SERVER_UNIT } from "./dns/zone.ts";
import { accessTo, closeAll } from "./hosts/access.ts";
import { type Presence, presenceOf } from "./hosts/containers/presence.ts";
import { containerName } from "./hosts/containers/reach.ts";
import { type Preview, preview } from "./roles/converge.ts";
import type { Desired } from "./roles/desired.ts";
import type { Deployment } from "./spec/model.ts";

/**
 * Looks at every node, without changing anything, and plans. The program does this before it makes any resource,
 * at preview and at update: what is refused is refused with nothing touched, and what is printed is what the update
 * is going to find. In this process, because a child would cost every `up` half a second.
 */
export async function observeAndPlan(desired: Desired): Promise<Preview> {
  const access = accessTo(desired.nodes);
  try {
    return await preview({ desired, access });
  } finally {
    await closeAll(access);
  }
}

/** Which of the deployment's containers there are. A container that somebody removed is made again. */
export function observePresence(deployment: Deployment, now: Date): Promise<Presence> {
  const units = [...deployment.sites.map(({ node }) => node.name), NAME_SERVER_UNIT];
  return presenceOf({
    containers: units.map((unit) => containerName(deployment.name, unit)),
    networks: [deployment.name],
    dockerHost: deployment.containers.dockerHost,
    now,
  });
}
