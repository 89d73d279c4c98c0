/**
 * The operator's statement that the old site takes no writes: what it must say, for which event, and for how long.
 * Unreachable is not stopped, so nothing but this allows a failover; a forgotten one never acts again.
 */
import type { FailoverStatement } from "../desired.ts";
import type { Refusal } from "../steps.ts";
import { wordsOf } from "../words.ts";
import { confirmation, inShell } from "./fencing.ts";
import { type Fleet, isUsedUp, type NodeView } from "./fleet.ts";
import { inWords, type Loss } from "./loss.ts";

/** Two machines' clocks may differ by this much. */
export const clockToleranceMs = 2_000;

export function statementRefusals(fleet: Fleet, from: NodeView, loss: Loss): Refusal[] {
  const { failover } = fleet.desired;
  if (failover === undefined) return [unconfirmed(fleet, from, loss)];
  const stale = staleness(failover, fleet, from);
  if (stale !== undefined)
    return [
      refusal(
        "E_FENCE_STALE",
        `${stale} If ${from.wish.site} is certain not to take writes, say so anew:\n${commands(fleet, from, loss)}`,
      ),
    ];
  if (confirmation(failover) === null && from.wish.fenceCommand === undefined)
    return [
      refusal(
        "E_FENCE_UNCONFIRMED",
        `The statement of ${failover.at} does not say why ${from.wish.site} is certain not to take writes, and the site has no fenceCommand. Make certain of it (power, network, host) and say so: ${confirm(from)}`,
      ),
    ];
  if (loss.acked === "none" || failover.acceptDataLoss) return [];
  return [
    refusal(
      "E_DATA_LOSS",
      `${inWords(loss)} To go on nevertheless: pulumi config set --path failover.acceptDataLoss true`,
    ),
  ];
}

function unconfirmed(fleet: Fleet, from: NodeView, loss: Loss): Refusal {
  const { active } = fleet;
  const { fenceCommand, site } = from.wish;
  const otherwise = fenceCommand
    ? `or state the failover, and \`pulumi up\` runs the fence command of ${site} (${inShell(fenceCommand.command)}, at most ${fenceCommand.timeoutSeconds} s) before ${active.name} is promoted`
    : "or make certain that it cannot take writes (power, network, host) and say so";
  return refusal(
    "E_FENCE_UNCONFIRMED",
    `${active.name} is to lead, and ${from.name}, which led last, ${condition(from)}. What does not answer may still take writes. ` +
      `${inWords(loss)} Bring ${from.name} back and move the role without loss; ${otherwise}:\n${commands(fleet, from, loss)}`,
  );
}

/** Why it does not count for this event; undefined: it does. */
function staleness(failover: FailoverStatement, fleet: Fleet, from: NodeView): string | undefined {
  const { active } = fleet;
  const said = `The statement is of ${failover.at}`;
  if (failover.from !== from.wish.site || failover.to !== active.wish.site) {
    return `The statement is for a failover from ${failover.from} to ${failover.to}, and this is one from ${from.wish.site} to ${active.wish.site}.`;
  }
  const at = Date.parse(failover.at);
  if (Number.isNaN(at)) return `The statement's instant "${failover.at}" cannot be read.`;
  const last = active.report?.promotion ?? null;
  if (isUsedUp(failover, active) || last?.statementAt === failover.at)
    return `${said} and has been used up by the failover at ${last?.at}.`;
  if (last !== null && at < Date.parse(last.at)) {
    return `${said}, and roles have changed after that (${last.from} to ${last.to} at ${last.at}).`;
  }
  const age = Date.parse(fleet.at) - at;
  if (at > Date.parse(fleet.until) + clockToleranceMs)
    return `${said}, which is in the future (it is ${fleet.at}).`;
  if (age > failover.validForMinutes * 60_000) {
    return `${said} and was valid for ${failover.validForMinutes} minutes (it is ${fleet.at}).`;
  }
  return undefined;
}

function condition({ state, facts, wish }: NodeView): string {
  const { unit } = wordsOf(wish);
  const reason = "reason" in facts ? ` (${facts.reason})` : "";
  switch (state) {
    case "unreachable":
      return `does not answer${reason}`;
    case "unit-stopped":
      return `has a stopped ${unit}${reason}`;
    case "absent":
    case "absent-kept":
      return `has no ${unit}`;
    default:
      return `is ${state}`;
  }
}

function commands(fleet: Fleet, from: NodeView, loss: Loss): string {
  const set = "      pulumi config set --path failover.";
  const byHand = from.wish.fenceCommand === undefined;
  return [
    `${set}from ${from.wish.site}`,
    `${set}to ${fleet.active.wish.site}`,
    ...(byHand ? [`      ${confirm(from)}`] : []),
    `${set}at ${fleet.until}`,
    ...(loss.acked === "none" ? [] : [`${set}acceptDataLoss true`]),
    ...(byHand
      ? []
      : [
          `    and, only if the site is certain to be off although the command fails:\n      ${confirm(from)}`,
        ]),
  ].join("\n");
}

function confirm({ wish }: NodeView): string {
  return `pulumi config set --path failover.fenceConfirmed "why ${wish.site} takes no writes"`;
}

function refusal(code: string, message: string): Refusal {
  return { code, message };
}
