import { createHash } from "node:crypto";
import { accessTo } from "./hosts/access.ts";
import { type Looked, lookAtHosts, silentMachines } from "./hosts/look.ts";
import { asideOf, withSurveys } from "./hosts/machines/survey/aside.ts";
import { driftOf } from "./hosts/machines/survey/drift.ts";
import { type SurveyWish, surveyWishes } from "./hosts/machines/survey/wish.ts";
import { foresee, type Preview } from "./roles/converge.ts";
import type { Desired, SshRoute } from "./roles/desired.ts";
import type { Observed } from "./roles/facts.ts";
import { observe } from "./roles/observe.ts";
import type { AnyDeployment } from "./spec/regionalModel.ts";

export interface Outlook extends Preview {
  /** See `silentMachines`. */
  readonly silentMachines: readonly string[];
}

/**
 * Looks at every node and every machine, without changing anything, and plans. The program does this before it makes
 * any resource, at preview and at update: what is refused is refused with nothing touched, and what is printed is what
 * the update is going to find. In this process, because a child would cost every `up` half a second.
 */
export async function observeAndPlan(desired: Desired, wishes: readonly SurveyWish[]): Promise<Outlook> {
  const { observed, surveys } = await look(desired, wishes);
  const drift = driftOf(wishes, surveys, false);
  const seen = withSurveys(observed, surveys, drift);
  const aside = asideOf(wishes, surveys, drift, seen);
  return { ...foresee(seen, desired, aside), silentMachines: silentMachines(surveys) };
}

/** The nodes' facts with what the machines add to them. */
export async function lookWithSurveys(desired: Desired, wishes: readonly SurveyWish[]): Promise<Observed> {
  const { observed, surveys } = await look(desired, wishes);
  return withSurveys(observed, surveys, driftOf(wishes, surveys, true));
}

export async function look(desired: Desired, wishes: readonly SurveyWish[]): Promise<Looked<Observed>> {
  return lookAtHosts(
    wishes,
    (pool) => accessTo(desired.nodes, pool),
    (access) => observe(access, { catalogOf: desired.active }),
  );
}

interface Rendered {
  readonly name: string;
  readonly files: Readonly<Record<string, string>>;
  readonly unitFile?: string;
}

/** What the deployment's machines are held against. No secret is in it. `hosts`: what is rendered for each. */
export function machineWishes(
  deployment: AnyDeployment,
  hosts: readonly Rendered[],
  routes: Readonly<Record<string, SshRoute>>,
): SurveyWish[] {
  return surveyWishes({
    deployment,
    routes,
    files: Object.fromEntries(hosts.map(({ name, files }) => [name, files])),
    unitFiles: Object.fromEntries(
      hosts.flatMap(({ name, unitFile }) => (unitFile === undefined ? [] : [[name, unitFile]])),
    ),
    repair: deployment.repair,
    sha256: (text) => createHash("sha256").update(text).digest("hex"),
  });
}
