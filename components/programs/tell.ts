/** What a look at the hosts has shown goes to the operator, before any resource is made. */
import * as pulumi from "@pulumi/pulumi";
import { isLoud } from "../hosts/machines/survey/aside.ts";
import type { Notice, Refusal } from "../roles/steps.ts";

export interface Told {
  /** The plan, or what refuses it. */
  readonly text: string;
  readonly refusals: readonly Refusal[];
  readonly notices: readonly Notice[];
}

/**
 * `fromRecord`: nobody was looked at, see `components/record/`.
 *
 * @throws with what refuses the update
 */
export function tell({ text, refusals, notices }: Told, fromRecord = false): void {
  if (refusals.length > 0) throw new pulumi.RunError(text);
  if (fromRecord) pulumi.log.warn(text);
  else if (pulumi.runtime.isDryRun()) pulumi.log.info(text);
  else for (const { code, message } of notices.filter(isLoud)) pulumi.log.warn(`${code}  ${message}`);
}
