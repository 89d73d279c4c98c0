/**
 * Whether the machines are fit for what is to be installed on them: every problem of every machine at once, before
 * anything is installed. Pure.
 *
 * What runs on a machine already has been judged when it came there. What has become of the machine since is told and
 * does not stop an update: a failover away from a site must not be refused because that site's disk is read-only.
 */
import type { Notice, Refusal } from "../../../roles/steps.ts";
import type { MachineFacts } from "./facts.ts";
import { dataRules } from "./judgeData.ts";
import { identityRefusals } from "./judgeIdentity.ts";
import { systemRules } from "./judgeSystem.ts";
import { isInstalled, type Rule } from "./rule.ts";
import type { Surveys } from "./survey.ts";
import type { SurveyWish } from "./wish.ts";

export interface Judgement {
  readonly refusals: readonly Refusal[];
  readonly notices: readonly Notice[];
}

const rules: readonly Rule[] = [...systemRules, ...dataRules];

export function judge(wishes: readonly SurveyWish[], surveys: Surveys): Judgement {
  const found = wishes.flatMap((wish) => {
    const survey = surveys[wish.host];
    return survey?.reach === "up" ? ofMachine(survey.facts, wish) : [];
  });
  const all = [...found, ...identityRefusals(wishes, surveys)];
  return {
    refusals: all.filter(({ code }) => code.startsWith("E_")),
    notices: all.filter(({ code }) => !code.startsWith("E_")),
  };
}

function ofMachine(facts: MachineFacts, wish: SurveyWish): Refusal[] {
  const found = rules.flatMap((rule) => rule(facts, wish));
  if (!isInstalled(facts, wish)) return found;
  return found.map(({ code, message }) => ({ code: code.replace(/^E_/, "N_"), message }));
}
