/**
 * The operator's statement that the old site takes no writes: what it must say, for which event, and for how long.
 * Unreachable is not stopped, so nothing but this allows a failover; a forgotten one never acts again.
 */
import type { FenceCommand } from "../../spec/model.ts";
import type { FailoverStatement } from "../desired.ts";
import type { Refusal } from "../steps.ts";
import { wordsOf } from "../words.ts";
import { clockToleranceMs } from "./clocks.ts";
import { confirmation, inShell } from "./fencing.ts";
import type { Fleet, NodeView } from "./fleet.ts";
import { inWords, type Loss } from "./loss.ts";

/** What is given up and who takes over, in the words of their topology: a pair has sites, others have regions. */
export interface GivingUp {
  readonly kind: "site" | "region";
  readonly failover: FailoverStatement | undefined;
  /** `name`: of who led there, for a person. */
  readonly from: {
    readonly place: string;
    readonly name: string;
    readonly condition: string;
    readonly fenceCommand?: FenceCommand;
  };
  readonly to: { readonly place: string; readonly name: string };
  /** The last role change that `to` knows of. */
  readonly last: {
    readonly from: string;
    readonly to: string;
    readonly at: string;
    readonly statementAt: string | null;
  } | null;
  readonly loss: Loss;
  /** Between these two instants the facts were true. */
  readonly at: string;
  readonly until: string;
}

export function statementRefusals(fleet: Fleet, from: NodeView, loss: Loss): Refusal[] {
  const { active } = fleet;
  const { fenceCommand } = from.wish;
  return judgeStatement({
    kind: "site",
    failover: fleet.desired.failover,
    from: {
      place: from.wish.site,
      name: from.name,
      condition: condition(from),
      ...(fenceCommand ? { fenceCommand } : {}),
    },
    to: { place: active.wish.site, name: active.name },
    last: active.report?.promotion ?? null,
    loss,
    at: fleet.at,
    until: fleet.until,
  });
}

export function judgeStatement(event: GivingUp): Refusal[] {
  const { failover, from, kind, loss } = event;
  if (failover === undefined) return [unconfirmed(event)];
  const stale = staleness(failover, event);
  if (stale !== undefined)
    return [
      refusal(
        "E_FENCE_STALE",
        `${stale} If ${from.place} is certain not to take writes, say so anew:\n${commands(event)}`,
      ),
    ];
  if (confirmation(failover) === null && from.fenceCommand === undefined)
    return [
      refusal(
        "E_FENCE_UNCONFIRMED",
        `The statement of ${failover.at} does not say why ${from.place} is certain not to take writes, and the ${kind} has no fenceCommand. Make certain of it (power, network, host) and say so: ${confirm(from.place)}`,
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

function unconfirmed(event: GivingUp): Refusal {
  const { from, to, loss } = event;
  const { fenceCommand, place } = from;
  const otherwise = fenceCommand
    ? `or state the failover, and \`pulumi up\` runs the fence command of ${place} (${inShell(fenceCommand.command)}, at most ${fenceCommand.timeoutSeconds} s) before ${to.name} is promoted`
    : "or make certain that it cannot take writes (power, network, host) and say so";
  return refusal(
    "E_FENCE_UNCONFIRMED",
    `${to.name} is to lead, and ${from.name}, which led last, ${from.condition}. What does not answer may still take writes. ` +
      `${inWords(loss)} Bring ${from.name} back and move the role without loss; ${otherwise}:\n${commands(event)}`,
  );
}

/** Why it does not count for this event; undefined: it does. */
function staleness(failover: FailoverStatement, { from, to, last, ...event }: GivingUp): string | undefined {
  const said = `The statement is of ${failover.at}`;
  if (failover.from !== from.place || failover.to !== to.place) {
    return `The statement is for a failover from ${failover.from} to ${failover.to}, and this is one from ${from.place} to ${to.place}.`;
  }
  const at = Date.parse(failover.at);
  if (Number.isNaN(at)) return `The statement's instant "${failover.at}" cannot be read.`;
  if (last?.statementAt === failover.at) return `${said} and has been used up by the failover at ${last.at}.`;
  if (last !== null && at < Date.parse(last.at)) {
    return `${said}, and roles have changed after that (${last.from} to ${last.to} at ${last.at}).`;
  }
  const age = Date.parse(event.at) - at;
  if (at > Date.parse(event.until) + clockToleranceMs)
    return `${said}, which is in the future (it is ${event.at}).`;
  if (age > failover.validForMinutes * 60_000) {
    return `${said} and was valid for ${failover.validForMinutes} minutes (it is ${event.at}).`;
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

function commands({ kind, from, to, loss, until }: GivingUp): string {
  const set = "      pulumi config set --path failover.";
  const byHand = from.fenceCommand === undefined;
  return [
    `${set}from ${from.place}`,
    `${set}to ${to.place}`,
    ...(byHand ? [`      ${confirm(from.place)}`] : []),
    `${set}at ${until}`,
    ...(loss.acked === "none" ? [] : [`${set}acceptDataLoss true`]),
    ...(byHand
      ? []
      : [
          `    and, only if the ${kind} is certain to be off although the command fails:\n      ${confirm(from.place)}`,
        ]),
  ].join("\n");
}

function confirm(place: string): string {
  return `pulumi config set --path failover.fenceConfirmed "why ${place} takes no writes"`;
}

function refusal(code: string, message: string): Refusal {
  return { code, message };
}
