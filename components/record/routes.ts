/**
 * A machine that reaches nobody often has neither the known hosts nor the key of the one that does. The ways are then
 * those of the last update, so that they are no change; what the stack file says of them counts. Pure.
 */
import type { SshRoute, SshStop } from "../roles/desired.ts";
import type { SshHop, SshTarget } from "../spec/model.ts";
import type { RecordedWish } from "./record.ts";

export function routesAgain(
  targets: Readonly<Record<string, SshTarget>>,
  routes: Readonly<Record<string, SshRoute>>,
  { machines = [] }: RecordedWish,
): Readonly<Record<string, SshRoute>> {
  const again = Object.entries(routes).map(([host, route]) => {
    const known = machines.find((machine) => machine.host === host)?.route;
    return [host, known === undefined ? route : routeAgain(targets[host], route, known)];
  });
  return Object.fromEntries(again);
}

function routeAgain(target: SshTarget | undefined, { jump, ...here }: SshRoute, known: SshRoute): SshRoute {
  const { jump: knownJump, ...there } = known;
  return {
    ...stopAgain(target, here, there),
    ...(jump && { jump: knownJump ? stopAgain(target?.jump, jump, knownJump) : jump }),
  };
}

function stopAgain(hop: SshHop | undefined, here: SshStop, known: SshStop): SshStop {
  const isSame = here.host === known.host && here.port === known.port && here.user === known.user;
  if (!isSame) return here;
  return hop?.hostKey === undefined || here.hostKeys.length === 0
    ? known
    : { ...known, hostKeys: here.hostKeys };
}
