import * as pulumi from "@pulumi/pulumi";
import type { SurveyWish } from "../hosts/machines/survey/wish.ts";
import { lookWithSurveys } from "../outlook.ts";
import type { Observed } from "../roles/facts.ts";
import type { Deployment } from "../spec/model.ts";
import type { Sight } from "./preview.ts";
import { recordOf, textOf } from "./record.ts";

export interface RecordAfterArgs extends Omit<Sight, "fromRecord"> {
  readonly deployment: Deployment;
  readonly machines: readonly SurveyWish[];
  /** Known when converge has come to its end; unknown at the preview of an update in which it has work. */
  readonly converged: pulumi.Output<unknown>;
}

/**
 * The output `facts`, as JSON. An update without steps ends as it began, so that only one that changes something
 * looks again. Nothing that could go wrong with that makes an update fail that has done its work.
 */
export function recordAfter(args: RecordAfterArgs): pulumi.Output<string> {
  const { deployment, desired, outlook, presence, machines, converged } = args;
  const text = (observed: typeof outlook.observed) =>
    textOf(recordOf(deployment, desired, observed, presence));
  // A generation of its own is what has converge run.
  const hasWork = outlook.generation === outlook.observed.at;
  if (!hasWork) return pulumi.output(text(outlook.observed));
  const look = () => lookWithSurveys(desired, machines);
  return converged.apply(async () => text(await lookPatiently(look, outlook.observed)));
}

const maximumLooks = 3;

/** A node that has just been at work may be slow to answer; one that was silent before is not waited for. */
export async function lookPatiently(look: () => Promise<Observed>, before: Observed): Promise<Observed> {
  const isSilent = (name: string, { nodes }: Observed) => nodes[name]?.reach === "unreachable";
  let seen = await look();
  for (let looks = 1; looks < maximumLooks; looks += 1) {
    if (!Object.keys(seen.nodes).some((name) => isSilent(name, seen) && !isSilent(name, before))) break;
    seen = await look();
  }
  return seen;
}
