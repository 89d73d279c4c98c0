/**
 * What a step does to a client and to data, one row for each kind. It is what an operator decides by at preview,
 * so it promises nothing that the step does not do and leaves out nothing that it does.
 */
import { inShell } from "../../roles/plan/fencing.ts";
import type { RegionsDesired } from "../desired.ts";
import type { RegionsObserved } from "../facts.ts";
import type { RegionStep } from "../steps.ts";
import { drainSeconds } from "./pause.ts";
import { isRestartSetting } from "./restartSettings.ts";

const called = { consul: "Consul", patroni: "Patroni", haproxy: "HAProxy", pgbouncer: "PgBouncer" } as const;

/** The step itself, in a few words; also the line of it while it runs. */
export function describe(step: RegionStep): string {
  switch (step.kind) {
    case "startUnit":
      return `start the unit of ${step.host}`;
    case "restartUnit":
      return `restart the unit of ${step.host} (${step.changed.join(", ")})`;
    case "startProgram":
      return `start ${called[step.program]} on ${step.host}`;
    case "reloadProgram":
      return `reload ${called[step.program]} on ${step.host} (${step.changed.join(", ")})`;
    case "restartProgram":
      return `restart ${called[step.program]} on ${step.host} (${step.changed.join(", ")})`;
    case "awaitConsul":
      return `wait until ${step.host} is at work in its Consul`;
    case "grant":
      return `policies and tokens of Consul, by ${step.host}: ${step.changed.join(", ")}`;
    case "awaitVoters":
      return `wait until ${step.host} votes, and ${step.expected} servers of its Consul are well`;
    case "removeServer":
      return `take ${step.node} out of the Consul of ${step.host}`;
    case "forgetNode":
      return `forget ${step.node}, which is gone, in the Consul of ${step.host}`;
    case "useGossipKey":
      return `bring the new gossip key into use, by ${step.host}`;
    case "awaitLeader":
      return `wait until somebody leads beside ${step.host}, as ${inFull(step.as)}`;
    case "awaitMember":
      return `wait until ${step.host} ${step.sync ? "is a synchronous standby" : "runs in its cluster"}`;
    case "patchConfig":
      return `Patroni's configuration, by ${step.host}: ${step.changes.join(", ")}`;
    case "restartMember":
      return `restart PostgreSQL on ${step.host} (${step.changed.join(", ")})`;
    case "switchover":
      return `switch over from ${step.leader} to ${step.candidate}: ${step.because}`;
    case "pauseClients":
      return `hold back the pooled clients of ${step.host}`;
    case "resumeClients":
      return `let the pooled clients of ${step.host} go on, at ${step.member}`;
    case "sql":
      return `in database ${step.database} on ${step.host}, ${step.summary}`;
    case "password":
      return `set the password of role ${step.role} on ${step.host}`;
    case "checkpoint":
      return `checkpoint on ${step.host}`;
    case "demoteCluster":
      return `make ${step.region} a standby cluster of ${step.to}, by ${step.host}`;
    case "gate":
      return `prove that ${step.host} has everything that ${step.of} had`;
    case "resumeCluster":
      return `let ${step.region} lead again, by ${step.host}`;
    case "promoteCluster":
      return `promote ${step.region}, by ${step.host}`;
    case "hold":
      return `stop ${called[step.program]} on ${step.host} for good`;
    case "fenceRegion":
      return `fence ${step.region} from outside: ${inShell(step.command)}`;
    case "becomeStandbyCluster":
      return `have ${step.region} follow ${step.of}, by ${step.host}`;
  }
}

function inFull(as: "primary" | "standby_leader"): string {
  return as === "primary" ? "primary" : "standby leader";
}

/** Lines below the step; empty when nobody notices anything. */
export function consequences(
  step: RegionStep,
  observed: RegionsObserved,
  desired: RegionsDesired,
): readonly string[] {
  switch (step.kind) {
    case "startUnit":
      return ["its programs come up with it; Patroni only where no other region leads on a later timeline"];
    case "restartUnit":
      return [stopsPostgres(step.host, observed)];
    case "startProgram":
      return step.program === "patroni" ? ["it comes up in the role that Consul's configuration says"] : [];
    case "reloadProgram":
      return ["no connection is cut"];
    case "restartProgram":
      return restartOf(step, observed);
    case "removeServer":
      return ["its vote is gone; the servers that stay are a majority without it"];
    case "useGossipKey":
      return ["installed on every member first, then used, then the old one is removed; nobody leaves"];
    case "awaitLeader":
      return isNew(step.host, observed, desired) ? firstLeader(step, desired) : [];
    case "patchConfig":
      return patched(step);
    case "restartMember":
      return leads(step.host, observed)
        ? ["clients are disconnected, no writes for about a second"]
        : ["its readers are disconnected, writes go on"];
    case "switchover":
      return writes(step.leader, observed)
        ? [
            `clients are disconnected, no writes for about a second; nothing is lost. ${step.leader} comes up again as a replica`,
          ]
        : ["readers there are disconnected, writes go on"];
    case "pauseClients":
      return [
        `they wait between two transactions, at most ${step.ttlSeconds} s, and see no error; where a transaction does not end within ${drainSeconds(step)} s, nobody is held back`,
      ];
    case "sql":
      return step.statements;
    case "demoteCluster":
      return ["a fast stop with a shutdown checkpoint: clients are disconnected; writes stop here"];
    case "gate":
      return ["same system, same timeline, same REDO location; otherwise the old region leads again"];
    case "resumeCluster":
      return ["it was stopped to hand over, and nobody was promoted; writes begin here"];
    case "promoteCluster":
      return [promotion(step, desired)];
    case "hold":
      return ["PostgreSQL stops with it; neither a crash, a restart nor a reboot starts it again"];
    case "fenceRegion":
      return fencing(step);
    case "becomeStandbyCluster":
      return ["what only its members have is rewound by Patroni, or the member is copied anew"];
    case "awaitConsul":
    case "grant":
    case "awaitVoters":
    case "forgetNode":
    case "awaitMember":
    case "resumeClients":
    case "password":
    case "checkpoint":
      return [];
  }
}

type Of<K extends RegionStep["kind"]> = Extract<RegionStep, { kind: K }>;

function restartOf({ program, host }: Of<"restartProgram">, observed: RegionsObserved): string[] {
  switch (program) {
    case "consul":
      return ["Patroni and PostgreSQL beside it go on; sessions outlive it"];
    case "patroni":
      return [stopsPostgres(host, observed)];
    case "haproxy":
    case "pgbouncer":
      return ["connections through it are cut"];
  }
}

/** The switchover before it, and where there is nobody to take over the notice, say what becomes of writes. */
function stopsPostgres(host: string, observed: RegionsObserved): string {
  return leads(host, observed)
    ? "PostgreSQL stops with it and whoever is connected there is disconnected"
    : "PostgreSQL stops with it and its readers are disconnected; writes go on";
}

function firstLeader({ as }: Of<"awaitLeader">, desired: RegionsDesired): string[] {
  return as === "primary"
    ? ["one of its members makes the new database system"]
    : [`one of its members copies ${desired.active}, the others copy that one`];
}

function patched({ changes }: Of<"patchConfig">): string[] {
  const settings = changes.map((change) => change.split(":", 1)[0] ?? "");
  const waiting = settings.filter(isRestartSetting);
  return [
    waiting.length === 0
      ? "every member takes it over by a reload within a loop of Patroni; no connection is cut"
      : `${waiting.join(", ")} ${waiting.length > 1 ? "wait" : "waits"} for a restart, the rest is a reload`,
  ];
}

function promotion({ mode }: Of<"promoteCluster">, { policy }: RegionsDesired): string {
  const strict = policy.synchronous === "strict" ? " as soon as a member is synchronous" : "";
  return mode === "switchover"
    ? `the point of no return; writes begin here${strict}`
    : `the point of no return; what only the old region has is given up; writes begin here${strict}`;
}

function fencing({ region, timeoutSeconds, confirmed }: Of<"fenceRegion">): string[] {
  return [
    `run on this machine, at most ${timeoutSeconds} s; whatever still runs in ${region} ends, and every session there`,
    confirmed === null
      ? "if it fails or takes longer, nobody is promoted"
      : `if it fails or takes longer, the promotion goes on by the statement's word: ${confirmed}`,
  ];
}

function leads(host: string, observed: RegionsObserved): boolean {
  const facts = observed.hosts[host];
  const role = facts?.reach === "up" ? facts.report.patroni?.role : undefined;
  return role === "primary" || role === "standby_leader";
}

function writes(host: string, observed: RegionsObserved): boolean {
  const facts = observed.hosts[host];
  // One that cannot be asked any more may.
  return facts?.reach !== "up" || facts.report.patroni?.role !== "standby_leader";
}

function isNew(host: string, observed: RegionsObserved, { regions }: RegionsDesired): boolean {
  const members = regions.find((region) => region.members.some(({ name }) => name === host))?.members ?? [];
  return members.every(({ name }) => {
    const facts = observed.hosts[name];
    if (facts?.reach !== "up") return facts?.reach === "absent";
    // Not one whose data could not be read.
    return facts.report.data !== null && facts.report.data.state !== "ready";
  });
}
