/**
 * What a step does to a client and to data, one row for each kind. It is what an operator decides by at preview,
 * so it promises nothing that the step does not do and leaves out nothing that it does.
 */
import type { Desired } from "../desired.ts";
import type { Observed } from "../facts.ts";
import type { Step } from "../steps.ts";
import { inShell } from "./fencing.ts";

/** The step itself, in a few words; also the line of it while it runs. */
export function describe(step: Step): string {
  switch (step.kind) {
    case "startUnit":
      return `start ${step.unit}`;
    case "initdb":
      return `make a new database system on ${step.node}`;
    case "clone":
      return `copy ${step.from} to ${step.node} (${step.reason})`;
    case "follow":
      return `make ${step.node} a standby of ${step.from}`;
    case "start":
      return `start PostgreSQL on ${step.node} as ${step.as}`;
    case "stop":
      return `stop PostgreSQL on ${step.node}`;
    case "restart":
      return `restart PostgreSQL on ${step.node}, the ${step.as} (${step.changed.join(", ")})`;
    case "reload":
      return `reload ${step.node} (${step.changed.join(", ")})`;
    case "slots":
      return [
        `slots on ${step.node}:`,
        ...(step.ensure.length > 0 ? [`make ${step.ensure.join(", ")}`] : []),
        ...(step.drop.length > 0 ? [`drop ${step.drop.join(", ")}`] : []),
      ].join(" ");
    case "sql":
      return `in database ${step.database} on ${step.node}, ${step.summary}`;
    case "password":
      return `set the password of role ${step.role} on ${step.node}`;
    case "awaitStandby":
      return `wait until ${step.standby} follows ${step.node}`;
    case "checkpoint":
      return `checkpoint on ${step.node}`;
    case "fence":
      return `fence ${step.node}: whoever starts it gets a standby of ${step.to}`;
    case "fenceSite":
      return `fence ${step.site} from outside: ${inShell(step.command)}`;
    case "lead":
      return `take the fence from ${step.node}`;
    case "gate":
      return `prove that ${step.node} has everything that ${step.of} had`;
    case "promote":
      return `promote ${step.node}${step.rejoin === null ? "" : `, and start ${step.rejoin} as its standby`}`;
    case "keepDivergent":
      return `keep aside what only ${step.node} has, from ${step.switchLsn} on`;
    case "rewind":
      return `rewind ${step.node} to where it forked from ${step.from}`;
  }
}

/** Lines below the step; empty when nobody notices anything. */
export function consequences(step: Step, observed: Observed, desired: Desired): readonly string[] {
  const strict = desired.policy.synchronous === "strict";
  switch (step.kind) {
    case "startUnit":
      return ["PostgreSQL comes up in the role that its data directory has"];
    case "initdb":
      return ["no node holds any data"];
    case "clone":
      return [
        `about ${bytes(sizeOf(step.from, observed))} over the network; ${step.from} serves meanwhile`,
        ...(step.discard === undefined ? [] : [`gives up the present data directory of ${step.node}`]),
      ];
    case "start":
      return step.as === "primary"
        ? [
            `writes begin when it answers${strict && !isTakenOver(step.node, observed) ? " and its standby is in sync" : ""}`,
          ]
        : [];
    case "stop":
      return leads(step.node, observed)
        ? ["clients are disconnected; writes stop here"]
        : standbyAway(strict);
    case "restart":
      if (step.as === "standby") return standbyAway(strict);
      return [
        `clients are disconnected, no writes for about 1 s${strict ? " and until its standby is in sync" : ""}`,
      ];
    case "reload":
      return ["no connection is cut"];
    case "sql":
      return step.statements;
    case "gate":
      return ["same system, same timeline, same REDO location; otherwise the old primary leads again"];
    case "promote":
      return [
        `the point of no return; writes begin here${step.alone ? ", acknowledged by this site alone until a standby has caught up" : strict ? " as soon as a standby is in sync" : ""}`,
      ];
    case "lead":
      return ["it was stopped to hand over, and nobody was promoted"];
    case "fenceSite":
      return fencing(step, observed, desired);
    case "keepDivergent":
      return ["a copy in `/var/lib/understudy/kept` there; nothing deletes it"];
    case "rewind":
      return [`what ${step.node} wrote after the fork is not in the database any more`];
    case "checkpoint":
    case "fence":
    case "follow":
    case "slots":
    case "password":
    case "awaitStandby":
      return [];
  }
}

/** It serves alone, as it did, until its first standby is there. */
function isTakenOver(node: string, observed: Observed): boolean {
  const facts = observed.nodes[node];
  return facts?.reach === "up" && facts.report.data.adopted?.taken === false;
}

function leads(node: string, observed: Observed): boolean {
  const facts = observed.nodes[node];
  return facts?.reach === "up" && facts.report.server.sql?.inRecovery === false;
}

function fencing(
  { node, site, timeoutSeconds, confirmed }: Extract<Step, { kind: "fenceSite" }>,
  observed: Observed,
  { active }: Desired,
): string[] {
  const facts = observed.nodes[active];
  const report = facts?.reach === "up" ? facts.report : null;
  const streams = report?.server.sql?.walReceiver?.status === "streaming" && report.data.follows === node;
  return [
    `run on this machine, at most ${timeoutSeconds} s; whatever still runs at ${site} ends, and every session there`,
    ...(streams
      ? [
          `${node} still sends to ${active}, so it is alive: a switchover from where it can be reached loses less`,
        ]
      : []),
    confirmed === null
      ? "if it fails or takes longer, nobody is promoted"
      : `if it fails or takes longer, the promotion goes on by the statement's word: ${confirmed}`,
  ];
}

function standbyAway(strict: boolean): string[] {
  return [strict ? "commits wait while it is away, about 1 s" : "its readers are disconnected, writes go on"];
}

function sizeOf(node: string, observed: Observed): number | null {
  const facts = observed.nodes[node];
  if (facts?.reach === "absent") return facts.adoption?.sizeBytes ?? null;
  return facts?.reach === "up" && facts.report.data.state === "ready" ? facts.report.data.sizeBytes : null;
}

/** A new database system has 40 MB; it does not exist yet when its copy is planned. */
function bytes(size: number | null): string {
  const mebibytes = (size ?? 40 * 2 ** 20) / 2 ** 20;
  return mebibytes < 2048 ? `${Math.ceil(mebibytes)} MiB` : `${(mebibytes / 1024).toFixed(1)} GiB`;
}
