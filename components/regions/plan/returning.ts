/**
 * Regions that do not lead follow the one that does: one that comes back after it was given up, one whose source has
 * changed, and one that a cut-off failover left held.
 */
import type { RegionStep } from "../steps.ts";
import {
  activeOf,
  type Concern,
  type Contribution,
  type Fleet,
  type MemberView,
  othersOf,
  type RegionView,
  spokesman,
} from "./fleet.ts";
import { isSuperseded, writerOf } from "./succession.ts";

/** First of all: a region that another has succeeded takes no more writes. */
export const silence: Concern = (fleet) => {
  const running = othersOf(fleet).filter((view) => isSuperseded(view, fleet) && writerOf(view) !== null);
  return {
    steps: running.map((view) => ({
      kind: "demoteCluster",
      host: writerOf(view) ?? "",
      region: view.name,
      to: fleet.desired.active,
    })),
    notices: running.map(({ name, timeline }) => ({
      code: "N_SUPERSEDED",
      message: `${name} came back and takes writes on timeline ${timeline}; ${fleet.change?.to} has the record of the change that took its role (timeline ${fleet.change?.timeline}). It is made a standby cluster, and Patroni rewinds what only it has.`,
    })),
    lookAgain: running.length > 0,
  };
};

export const returning: Concern = (fleet) => {
  const active = activeOf(fleet);
  // Whom they are to follow has to lead first.
  if (active.role !== "primary" && active.role !== "none") return {};
  const parts = [...othersOf(fleet).map((region) => follow(region, active, fleet)), release(active)];
  return {
    steps: parts.flatMap(({ steps }) => steps ?? []),
    lookAgain: parts.some(({ lookAgain }) => lookAgain),
  };
};

function follow(region: RegionView, active: RegionView, fleet: Fleet): Contribution {
  const host = spokesman(region)?.name;
  if (host === undefined || !needsToBeTold(region, active, fleet)) return release(region);
  return {
    steps: [
      { kind: "becomeStandbyCluster", host, region: region.name, of: active.name },
      ...(release(region).steps ?? []),
    ],
    // How much of its data each member can keep is seen when its Patroni runs.
    lookAgain: region.members.some(({ parked }) => parked),
  };
}

function needsToBeTold(region: RegionView, active: RegionView, fleet: Fleet): boolean {
  if (region.role === "none") return false;
  // Nobody's Patroni says what is in Consul.
  if (region.config === null) return region.members.some(({ parked }) => parked);
  if (isSuperseded(region, fleet)) return true;
  return (
    region.role === "standby" &&
    !isSection(region.config.standby_cluster, region.wish.standbyClusterOf[active.name])
  );
}

function isSection(found: unknown, wish: Readonly<Record<string, unknown>> | undefined): boolean {
  if (wish === undefined || typeof found !== "object" || found === null) return wish === undefined;
  const present = found as Readonly<Record<string, unknown>>;
  return Object.entries(wish).every(
    ([name, value]) => JSON.stringify(present[name]) === JSON.stringify(value),
  );
}

function release({ members }: RegionView): Contribution {
  const steps = members
    .filter(isReleasable)
    .map(({ name }): RegionStep => ({ kind: "startProgram", host: name, program: "patroni" }));
  return { steps, lookAgain: steps.length > 0 };
}

/** Also one that somebody stopped, or that gave up. */
function isReleasable({ up, parked, report }: MemberView): boolean {
  return up && (parked || report?.programs.patroni?.state === "stopped");
}
