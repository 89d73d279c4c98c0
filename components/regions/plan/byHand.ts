/**
 * Configuration that somebody changed by hand on a machine: as for a pair's node (`roles/plan/byHand.ts`), it is left
 * alone and stops nothing that has nothing to do with it, and no step of ours brings it into force.
 */
import type { RegionStep } from "../steps.ts";
import { everyRegion, type Fleet, type HostView, hostsOf, type Moment, type Refusal } from "./fleet.ts";
import { hostWords } from "./units.ts";

/**
 * Paths below `/etc/understudy`. At preview the survey of the machine tells these files from those that the update is
 * going to write. Afterwards every one that is not as wished is one of them. In containers nobody is expected to write:
 * see `staleFiles`.
 */
export function changedByHand({ wish, facts }: HostView, moment: Moment): readonly string[] {
  if (wish.reach.kind !== "machine" || facts.reach !== "up") return [];
  if (moment === "preview") return facts.changedByHand ?? [];
  return Object.keys(wish.files).filter((path) => facts.report.files[path] !== wish.files[path]);
}

export function loadsByHand(fleet: Fleet, steps: readonly RegionStep[]): Refusal[] {
  return everyRegion(fleet)
    .flatMap(hostsOf)
    .flatMap((host) => {
      const read = new Set(steps.flatMap((step) => readIn(step, host)));
      const changed = changedByHand(host, fleet.moment).filter((path) => read.has(path));
      if (changed.length === 0) return [];
      return [
        {
          code: "E_FILES_STALE",
          message: `${host.name}: ${changed.join(", ")} was changed by hand, and this update would bring that into force. Put it back, first or in the same update: ${hostWords(host.wish).putBack}`,
        },
      ];
    });
}

/** The files of the host that the step has read. */
function readIn(step: RegionStep, { name, wish }: HostView): readonly string[] {
  if (step.kind === "startUnit" || step.kind === "restartUnit")
    return step.host === name ? Object.keys(wish.files) : [];
  if (step.kind !== "startProgram" && step.kind !== "reloadProgram" && step.kind !== "restartProgram")
    return [];
  if (step.host !== name) return [];
  const program = wish.programs.find((each) => each.name === step.program);
  return [...(program?.reloads ?? []), ...(program?.restarts ?? [])];
}
