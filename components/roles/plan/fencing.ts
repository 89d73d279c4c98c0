/**
 * What makes certain that a site which cannot be asked takes no writes: the operator's own word, the site's fence
 * command, or both. Unreachable is not stopped, so one of them there must be before anybody is promoted.
 */
import type { FailoverStatement } from "../desired.ts";
import type { Refusal, Step } from "../steps.ts";
import { type Fleet, isUsedUp, type NodeView } from "./fleet.ts";
import type { Succession } from "./succession.ts";

/** The operator's own word that the site is fenced; null: none was given. */
export function confirmation({ fenceConfirmed }: FailoverStatement): string | null {
  const said = fenceConfirmed?.trim() ?? "";
  return said === "" ? null : said;
}

/**
 * The command runs also where the operator has given his word: it may find what he has overlooked. But then its
 * failure is a warning and no end, because a site whose power control is dead too could never be given up otherwise.
 */
export function fenceSite({ desired: { failover } }: Fleet, { name, wish }: NodeView): Step[] {
  if (wish.fenceCommand === undefined || failover === undefined) return [];
  const { command, timeoutSeconds } = wish.fenceCommand;
  const confirmed = confirmation(failover);
  return [{ kind: "fenceSite", node: name, site: wish.site, command, timeoutSeconds, confirmed }];
}

/**
 * A statement without the operator's word gives a site up by its fence command alone, and that runs in a failover
 * from this site only: whatever else would have the active node lead must not go past a site that nobody fenced.
 */
export function unprovenRefusals(fleet: Fleet, succession: Succession): Refusal[] {
  const { active, away, desired } = fleet;
  const { failover } = desired;
  if (failover === undefined || confirmation(failover) !== null) return [];
  // These have refusals of their own.
  if (succession.kind === "lost" || succession.kind === "switchover") return [];
  if (active.role === "primary" && isUsedUp(failover, active)) return [];
  return away.map(({ wish }) => ({
    code: "E_FENCE_UNCONFIRMED",
    message: `The statement of ${failover.at} gives up ${wish.site}, and what the nodes show is no failover from it, so its fence command is not run. Remove the statement (pulumi config rm failover); or say why the site is certain not to take writes: pulumi config set --path failover.fenceConfirmed "why ${wish.site} takes no writes"`,
  }));
}

/** As it could be typed into a shell. It is run without one. */
export function inShell(command: readonly string[]): string {
  return command
    .map((word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`))
    .join(" ");
}
