/** A look at a deployment's hosts and at the machines that they are on. */
import { closeAll } from "./access.ts";
import { SshPool } from "./machines/ssh/connection.ts";
import { type Surveys, survey } from "./machines/survey/survey.ts";
import type { SurveyWish } from "./machines/survey/wish.ts";

export interface Looked<Observed> {
  readonly observed: Observed;
  readonly surveys: Surveys;
}

/** Hosts and machines at once, over one connection to each. Nothing is changed, and the connections are closed. */
export async function lookAtHosts<Access extends Parameters<typeof closeAll>[0], Observed>(
  wishes: readonly SurveyWish[],
  accessOver: (pool: SshPool) => Access,
  observe: (access: Access) => Promise<Observed>,
): Promise<Looked<Observed>> {
  const pool = new SshPool();
  const access = accessOver(pool);
  try {
    const [observed, surveys] = await Promise.all([observe(access), survey(wishes, pool)]);
    return { observed, surveys };
  } finally {
    await closeAll(access);
    await pool.close();
  }
}

/** Machines that do not answer. They are left as they were, so that a failover away from one is not held up by it. */
export function silentMachines(surveys: Surveys): readonly string[] {
  return Object.keys(surveys).filter((host) => surveys[host]?.reach === "unreachable");
}
