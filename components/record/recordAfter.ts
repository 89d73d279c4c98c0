import * as pulumi from "@pulumi/pulumi";
import type { AnyDeployment } from "../spec/regionalModel.ts";
import type { Outlooking, RecordKind } from "./kind.ts";
import type { Sight } from "./preview.ts";
import { recordOf, textOf } from "./record.ts";

export interface RecordAfterArgs<Wish, Facts, Look extends Outlooking>
  extends Omit<Sight<Wish, Look>, "fromRecord" | "routes"> {
  readonly kind: RecordKind<Wish, Facts, Look>;
  readonly deployment: AnyDeployment;
  /** Looks at everybody once more, and changes nothing. */
  readonly look: () => Promise<Look["observed"]>;
  /** Known when converge has come to its end; unknown at the preview of an update in which it has work. */
  readonly converged: pulumi.Output<unknown>;
}

/**
 * The output `facts`, as JSON. An update without steps ends as it began, so that only one that changes something
 * looks again. Nothing that could go wrong with that makes an update fail that has done its work.
 */
export function recordAfter<Wish, Facts, Look extends Outlooking>({
  kind,
  deployment,
  desired,
  outlook,
  presence,
  look,
  converged,
}: RecordAfterArgs<Wish, Facts, Look>): pulumi.Output<string> {
  const before: Look["observed"] = outlook.observed;
  const text = (observed: Look["observed"]) =>
    textOf(recordOf(kind, { deployment, desired, observed, presence }));
  // A generation of its own is what has converge run.
  const hasWork = outlook.generation === before.at;
  if (!hasWork) return pulumi.output(text(before));
  const isAtRest = (seen: Look["observed"]) => kind.isAtRest(seen, before, desired);
  return converged.apply(async () => text(await lookPatiently(look, isAtRest)));
}

const maximumLooks = 3;

/** Whoever has just been at work may be slow to answer. */
export async function lookPatiently<Seen>(
  look: () => Promise<Seen>,
  isAtRest: (seen: Seen) => boolean,
): Promise<Seen> {
  let seen = await look();
  for (let looks = 1; looks < maximumLooks && !isAtRest(seen); looks += 1) seen = await look();
  return seen;
}
