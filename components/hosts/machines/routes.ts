import { NAME_SERVER_UNIT } from "../../dns/zone.ts";
import type { SshRoute } from "../../roles/desired.ts";
import type { Deployment, Machine } from "../../spec/model.ts";
import { type RouteEdge, routeOf } from "./ssh/route.ts";

/** The deployment's machines by the name of the host: a site's, or the name server's unit. */
export function machinesOf({ sites, names }: Deployment): Readonly<Record<string, Machine>> {
  const ofSites = sites.flatMap(({ name, place }) =>
    place.target === "machines" ? [[name, place.machine] as const] : [],
  );
  const { server } = names;
  return Object.fromEntries([
    ...ofSites,
    ...(server.kind === "machine" ? [[NAME_SERVER_UNIT, server.machine] as const] : []),
  ]);
}

export function routesOf(deployment: Deployment, edge: RouteEdge): Readonly<Record<string, SshRoute>> {
  return Object.fromEntries(
    Object.entries(machinesOf(deployment)).map(([name, { ssh }]) => [name, routeOf(ssh, edge)]),
  );
}
