import type { RegionsDesired } from "../../../../components/regions/desired.ts";
import type {
  HostFacts,
  PatroniFacts,
  RegionsObserved,
  UnitReport,
} from "../../../../components/regions/facts.ts";
import { planRegions } from "../../../../components/regions/plan/plan.ts";
import type { RegionStep, RegionsPlan } from "../../../../components/regions/steps.ts";

/** A plan in a few words: its steps, `|` where converge looks again, or the codes of its refusals. */
export function short({ steps, refusals, lookAgainAfter }: RegionsPlan): string {
  if (refusals.length > 0) return refusals.map(({ code }) => code).join(" ");
  const words = steps.flatMap((step, index) => [word(step), ...(index === lookAgainAfter ? ["|"] : [])]);
  return [...(lookAgainAfter === -1 ? ["|"] : []), ...words].join(" ") || "nothing";
}

function word(step: RegionStep): string {
  switch (step.kind) {
    case "startProgram":
      return `start(${step.host}:${step.program})`;
    case "reloadProgram":
      return `reload(${step.host}:${step.program})`;
    case "restartProgram":
      return `restart(${step.host}:${step.program})`;
    case "awaitLeader":
      return `awaitLeader(${step.host} ${step.as})`;
    case "awaitMember":
      return `await(${step.host}${step.sync ? " sync" : ""})`;
    case "removeServer":
    case "forgetNode":
      return `${step.kind}(${step.node})`;
    case "switchover":
      return `switchover(${step.leader}→${step.candidate})`;
    case "gate":
      return `gate(${step.host}=${step.of})`;
    case "promoteCluster":
      return `promote(${step.host} ${step.mode} from ${step.from})`;
    case "demoteCluster":
      return `demote(${step.host}→${step.to})`;
    case "becomeStandbyCluster":
      return `follow(${step.host}→${step.of})`;
    case "fenceRegion":
      return `fence(${step.region}${step.confirmed === null ? "" : " confirmed"})`;
    default:
      return `${step.kind}(${step.host})`;
  }
}

export function planned(
  observed: RegionsObserved,
  desired: RegionsDesired,
  moment: "preview" | "apply" = "apply",
) {
  return short(planRegions(observed, desired, moment));
}

export function withFacts(observed: RegionsObserved, name: string, facts: HostFacts): RegionsObserved {
  return { ...observed, hosts: { ...observed.hosts, [name]: facts } };
}

export function withReport(
  observed: RegionsObserved,
  name: string,
  change: (report: UnitReport) => Partial<UnitReport>,
): RegionsObserved {
  const facts = observed.hosts[name];
  if (facts?.reach !== "up") throw new Error(`${name} is not up`);
  return withFacts(observed, name, { reach: "up", report: { ...facts.report, ...change(facts.report) } });
}

export function withPatroni(
  observed: RegionsObserved,
  name: string,
  change: (patroni: PatroniFacts) => Partial<PatroniFacts>,
): RegionsObserved {
  return withReport(observed, name, ({ patroni }) => {
    if (patroni === null) throw new Error(`the Patroni of ${name} does not answer`);
    return { patroni: { ...patroni, ...change(patroni) } };
  });
}
