import { createHash } from "node:crypto";
import { accessTo, closeAll } from "./hosts/access.ts";
import { SshPool } from "./hosts/machines/ssh/connection.ts";
import { asideOf, withSurveys } from "./hosts/machines/survey/aside.ts";
import { driftOf } from "./hosts/machines/survey/drift.ts";
import { type Surveys, survey } from "./hosts/machines/survey/survey.ts";
import { type SurveyWish, surveyWishes } from "./hosts/machines/survey/wish.ts";
import { foresee, type Preview } from "./roles/converge.ts";
import type { Desired, SshRoute } from "./roles/desired.ts";
import type { Observed } from "./roles/facts.ts";
import { observe } from "./roles/observe.ts";
import type { Deployment } from "./spec/model.ts";

export interface Outlook extends Preview {
  /** Machines that do not answer. They are left as they were, so that a failover away from one is not held up by it. */
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
  const silent = Object.keys(surveys).filter((host) => surveys[host]?.reach === "unreachable");
  return { ...foresee(seen, desired, asideOf(wishes, surveys, drift, seen)), silentMachines: silent };
}

/** The nodes' facts with what the machines add to them. */
export async function lookWithSurveys(desired: Desired, wishes: readonly SurveyWish[]): Promise<Observed> {
  const { observed, surveys } = await look(desired, wishes);
  return withSurveys(observed, surveys, driftOf(wishes, surveys, true));
}

/** Nodes and machines at once, over one connection to each host. */
export async function look(
  desired: Desired,
  wishes: readonly SurveyWish[],
): Promise<{ observed: Observed; surveys: Surveys }> {
  const pool = new SshPool();
  const access = accessTo(desired.nodes, pool);
  try {
    const [observed, surveys] = await Promise.all([
      observe(access, { catalogOf: desired.active }),
      survey(wishes, pool),
    ]);
    return { observed, surveys };
  } finally {
    await closeAll(access);
    await pool.close();
  }
}

/** What the deployment's machines are held against. No secret is in it. */
export function machineWishes(
  deployment: Deployment,
  desired: Desired,
  routes: Readonly<Record<string, SshRoute>>,
): SurveyWish[] {
  return surveyWishes({
    deployment,
    routes,
    files: Object.fromEntries(desired.nodes.map(({ name, files }) => [name, files])),
    repair: deployment.repair,
    sha256: (text) => createHash("sha256").update(text).digest("hex"),
  });
}
