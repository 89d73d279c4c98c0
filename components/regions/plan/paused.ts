/** Patroni in maintenance mode: it changes nobody's role, so neither does the plan. */
import type { RegionStep } from "../steps.ts";
import { type Concern, everyRegion, type Fleet, type Refusal, spokesman } from "./fleet.ts";

export const paused: Concern = (fleet) => ({
  notices: fleet.regions
    .filter((region) => region.paused)
    .map((region) => ({
      code: "N_PAUSED",
      message: `Patroni is paused in ${region.name}: nobody takes over there when the leader is lost. On ${spokesman(region)?.name}: patronictl resume`,
    })),
});

export function pausedRefusals(fleet: Fleet, steps: readonly RegionStep[]): Refusal[] {
  return everyRegion(fleet).flatMap((region) => {
    const moves = steps.filter((step) =>
      changesRoleIn(
        step,
        region.name,
        region.members.map(({ name }) => name),
      ),
    );
    if (!region.paused || moves.length === 0) return [];
    return [
      {
        code: "E_PAUSED",
        message: `Patroni is paused in ${region.name}, and this update would change who leads there. On ${spokesman(region)?.name}: patronictl resume; then run again.`,
      },
    ];
  });
}

function changesRoleIn(step: RegionStep, region: string, members: readonly string[]): boolean {
  switch (step.kind) {
    case "demoteCluster":
    case "promoteCluster":
    case "resumeCluster":
    case "becomeStandbyCluster":
      return step.region === region;
    case "switchover":
      return members.includes(step.candidate);
    case "restartUnit":
      return members.includes(step.host);
    case "restartProgram":
      // PostgreSQL stops with it, and nobody would take over.
      return step.program === "patroni" && members.includes(step.host);
    default:
      return false;
  }
}
