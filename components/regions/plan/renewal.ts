/**
 * What a member takes over only when its unit or its Patroni starts anew. PostgreSQL stops with either, so both go by
 * the order of PostgreSQL's own restarts, and take the place of one.
 */
import { SYSTEMD_UNITS } from "../../hosts/machines/reach.ts";
import { waitingOptions } from "../../hosts/machines/unitChange.ts";
import type { RegionStep } from "../steps.ts";
import { changedFiles } from "./files.ts";
import { type HostView, type MemberView, type Moment, programOf } from "./fleet.ts";
import { hostWords } from "./units.ts";

export type Renewal = Extract<RegionStep, { kind: "restartUnit" | "restartProgram" }>;

export function renewalOf(view: MemberView, moment: Moment): Renewal | null {
  const state = programOf(view, "patroni")?.state;
  // One that does not run takes everything over when it is started.
  if (state !== "running" && state !== "starting") return null;
  const options = waitingUnitOptions(view, moment);
  if (options.length > 0) {
    return { kind: "restartUnit", host: view.name, log: hostWords(view.wish).log, changed: options };
  }
  const { restarts } = changedFiles(view, "patroni", moment);
  return restarts.length === 0
    ? null
    : { kind: "restartProgram", host: view.name, program: "patroni", changed: restarts };
}

/**
 * Options of the unit's file that wait for its next start. Of a supervisor that does not tell what it was started with
 * nothing is known: see `N_AGENT_OLD`.
 */
export function waitingUnitOptions({ wish, facts, report }: HostView, moment: Moment): readonly string[] {
  const unit = report?.unit;
  if (wish.unitFile === undefined || wish.reach.kind !== "machine" || facts.reach !== "up") return [];
  if (unit == null || unit.running === null) return [];
  const path = `${SYSTEMD_UNITS}/${wish.reach.unit}`;
  // What somebody wrote there is left, and no step of ours brings it into force.
  const isByHand =
    moment === "preview" ? facts.changedByHand?.includes(path) : unit.installed !== wish.unitFile;
  return isByHand ? [] : waitingOptions(unit.running, wish.unitFile);
}
