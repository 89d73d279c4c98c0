import { NAME_SERVER_UNIT } from "../../dns/zone.ts";
import type { SshRoute } from "../../roles/desired.ts";
import type { Machine } from "../../spec/model.ts";
import type { AnyDeployment } from "../../spec/regionalModel.ts";
import { placedUnits } from "../placed.ts";
import { type RouteEdge, routeOf } from "./ssh/route.ts";

/** The deployment's machines by the name of the host: a site's, a region's host's, or the name server's unit. */
export function machinesOf(deployment: AnyDeployment): Readonly<Record<string, Machine>> {
  const ofUnits = placedUnits(deployment).flatMap(({ name, place }) =>
    place.target === "machines" ? [[name, place.machine] as const] : [],
  );
  const { server } = deployment.names;
  return Object.fromEntries([
    ...ofUnits,
    ...(server.kind === "machine" ? [[NAME_SERVER_UNIT, server.machine] as const] : []),
  ]);
}

export function routesOf(deployment: AnyDeployment, edge: RouteEdge): Readonly<Record<string, SshRoute>> {
  return Object.fromEntries(
    Object.entries(machinesOf(deployment)).map(([name, { ssh }]) => [name, routeOf(ssh, edge)]),
  );
}
