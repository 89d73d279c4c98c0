/** What the survey of the machines adds to the plan of the roles. Pure. */

import type { Observed } from "../../../roles/facts.ts";
import type { Finding, Severity } from "../../../roles/findings.ts";
import type { Notice, Refusal } from "../../../roles/steps.ts";
import type { Drift } from "./drift.ts";
import { type Judgement, judge } from "./judge.ts";
import { named } from "./rule.ts";
import type { Survey, Surveys } from "./survey.ts";
import type { SurveyWish } from "./wish.ts";

/**
 * The plan knows from this why a node does not answer (it decides what that means), which files of a node's
 * configuration are somebody else's, and what is in a data directory that is to be adopted.
 */
export function withSurveys(observed: Observed, surveys: Surveys, { left }: Drift): Observed {
  const nodes = Object.entries(observed.nodes).map(([name, facts]) => {
    const survey = surveys[name];
    const reason = reasonOf(survey);
    if (facts.reach === "unreachable" && reason !== undefined) return [name, { ...facts, reason }] as const;
    const changedByHand = left[name] ?? [];
    const adoption = survey?.reach === "up" && !survey.facts.adoption?.found.taken && survey.facts.adoption;
    const more = { ...(adoption && { adoption }) };
    if (facts.reach === "absent") return [name, { ...facts, ...more }] as const;
    if (facts.reach !== "up") return [name, facts] as const;
    return [name, { ...facts, ...more, ...(changedByHand.length > 0 && { changedByHand }) }] as const;
  });
  return { ...observed, nodes: Object.fromEntries(nodes) };
}

/** Why the machine does not answer; undefined: it does, or is none. */
export function reasonOf(survey: Survey | undefined): string | undefined {
  return survey?.reach === "unreachable" ? `${survey.code}, ${sentence(survey.reason)}` : undefined;
}

/** What was found where the database is: a pair's nodes, or the hosts of regions. */
export interface Found {
  readonly nodes: Readonly<Record<string, { readonly reach: string }>>;
}

export function asideOf(
  wishes: readonly SurveyWish[],
  surveys: Surveys,
  drift: Drift,
  observed: Found,
): Judgement {
  const judged = judge(wishes, surveys);
  // By what can be seen, so that everything that speaks against a first deployment is said at once.
  const isFirst = Object.values(observed.nodes).every(
    ({ reach }) => reach === "absent" || reach === "unreachable",
  );
  const away = wishes.flatMap((wish) => ofSilent(wish, surveys[wish.host], observed, isFirst));
  const all: readonly Refusal[] = [...away, ...judged.refusals, ...judged.notices, ...drift.notices];
  return {
    refusals: all.filter(({ code }) => code.startsWith("E_")),
    notices: all.filter(({ code }) => !code.startsWith("E_")),
  };
}

/**
 * Whether a site that does not answer may be missing is the role plan's to say. Of a machine that it does not know,
 * the name server's, only a first deployment can be certain that it is needed.
 */
function ofSilent(wish: SurveyWish, survey: Survey | undefined, observed: Found, isFirst: boolean): Notice[] {
  if (survey?.reach !== "unreachable") return [];
  const { code, reason } = survey;
  const node = observed.nodes[wish.host];
  // Somebody may stand in between: that is said whatever is done without the host.
  const loud =
    code === "E_HOST_KEY" ? [{ code: "N_HOST_KEY", message: `${named(wish)}: ${code}, ${reason}` }] : [];
  if (node === undefined) {
    if (isFirst) return [{ code, message: `${wish.host}: ${reason}` }];
    const missing = `${wish.host} does not answer: ${code}, ${sentence(reason)}. What this update would change on it is left for the first that finds it.`;
    return [...loud, { code: "N_MACHINE_UNREACHABLE", message: missing }];
  }
  if (node.reach === "unreachable") return loud;
  return [
    ...loud,
    { code: "N_NOT_SURVEYED", message: `${wish.host}: the machine was not looked at: ${code}, ${reason}` },
  ];
}

/** For a place where more follows. */
function sentence(reason: string): string {
  return reason.replace(/\.$/, "");
}

/** Said as a warning too, because they are not what anybody asked for. */
export function isLoud({ code }: Notice): boolean {
  return ["N_HOST_KEY", "N_DRIFT", "N_MACHINE_BARE", "N_CLOCK", "N_READ_ONLY", "N_CLONES"].includes(code);
}

/** For `npm run status`: a machine that would be refused today is told as something wrong. */
export function machineFindings(
  wishes: readonly SurveyWish[],
  surveys: Surveys,
  drift: Drift,
  observed: Found,
): Finding[] {
  const { refusals, notices } = asideOf(wishes, surveys, drift, observed);
  return [...refusals, ...notices].map(({ code, message }) => ({
    severity: severityOf(code),
    code,
    message,
  }));
}

/** What does not stop an update and still is not well. What could not be seen is nobody's verdict. */
const severities: Readonly<Record<string, Severity>> = {
  N_MACHINE_UNREACHABLE: "unknown",
  N_NOT_SURVEYED: "unknown",
  N_MEMORY: "note",
  N_CLUSTER: "note",
  N_OTHER_SERVICE: "note",
  N_CLONES: "note",
};

function severityOf(code: string): Severity {
  return severities[code] ?? "wrong";
}
