/** The Docker engines of a deployment, and what is to be found in each. */
import { NAME_SERVER_UNIT } from "../../dns/zone.ts";
import type { AnyDeployment } from "../../spec/regionalModel.ts";
import { placedUnits } from "../placed.ts";
import { type Presence, presenceOf } from "./presence.ts";
import { containerName, dataVolumeName } from "./reach.ts";

export interface Engine {
  /** Tells engines apart: the shared one has the key "". */
  readonly key: string;
  /** Undefined: the one that `docker` uses. */
  readonly dockerHost: string | undefined;
  /** Units that it runs. */
  readonly units: readonly string[];
}

export const SHARED_ENGINE = "";

export function enginesOf(deployment: AnyDeployment): Engine[] {
  const { names, containers } = deployment;
  const inContainers = placedUnits(deployment).flatMap(({ name, place }) =>
    place.target === "containers" ? [{ name, ...place }] : [],
  );
  const shared = [
    ...inContainers.filter(({ ownEngine }) => !ownEngine).map(({ name }) => name),
    ...(names.server.kind === "container" ? [NAME_SERVER_UNIT] : []),
  ];
  const own = inContainers.filter(({ ownEngine }) => ownEngine);
  return [
    ...(shared.length > 0 ? [{ key: SHARED_ENGINE, dockerHost: containers.dockerHost, units: shared }] : []),
    ...own.map(({ name, dockerHost }) => ({ key: name, dockerHost, units: [name] })),
  ];
}

/** By the engine's key. A container that somebody removed is made again. */
export async function observePresence(
  deployment: AnyDeployment,
  now: Date,
): Promise<Readonly<Record<string, Presence>>> {
  const looks = enginesOf(deployment).map(async ({ key, dockerHost, units }) => {
    const containers = units.map((unit) => containerName(deployment.name, unit));
    const networks = [deployment.name];
    const leftVolumes = retiredOf(deployment).map((unit) => dataVolumeName(deployment.name, unit));
    return [key, await presenceOf({ containers, networks, leftVolumes, dockerHost, now })] as const;
  });
  return Object.fromEntries(await Promise.all(looks));
}

/** Hosts that are declared no more, and whose data may be left behind. */
function retiredOf(deployment: AnyDeployment): readonly string[] {
  return "regions" in deployment ? deployment.regions.flatMap(({ retired }) => retired) : [];
}

/** What an engine has been given, by physical name; null: it did not answer, so it has what it had. */
export type Marks = Pick<Presence, "containers" | "networks"> | null;

/** By the engine's key: the marks of everything that is there after an update that found `presence`. */
export function marksAfter(
  deployment: AnyDeployment,
  presence: Readonly<Record<string, Presence>>,
): Readonly<Record<string, Marks>> {
  const marks = enginesOf(deployment).map(({ key, units }): [string, Marks] => {
    const found = presence[key];
    if (!found?.reachable) return [key, null];
    const containers = units.map((unit) => containerName(deployment.name, unit));
    const of = (names: readonly string[], known: Readonly<Record<string, string>>) =>
      Object.fromEntries(names.map((name) => [name, known[name] ?? found.fresh]));
    return [
      key,
      { containers: of(containers, found.containers), networks: of([deployment.name], found.networks) },
    ];
  });
  return Object.fromEntries(marks);
}

/** As if the engines had been looked at. One that the marks do not know is new, and empty. */
export function presenceBy(
  deployment: AnyDeployment,
  marks: Readonly<Record<string, Marks>>,
  now: Date,
): Readonly<Record<string, Presence>> {
  const fresh = now.toISOString();
  const presence = enginesOf(deployment).map(({ key }): [string, Presence] => {
    const known = marks[key];
    const { containers, networks } = known ?? { containers: {}, networks: {} };
    return [key, { reachable: known !== null, containers, networks, fresh }];
  });
  return Object.fromEntries(presence);
}
