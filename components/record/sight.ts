import * as pulumi from "@pulumi/pulumi";
import type { Outlooking } from "./kind.ts";
import { ownOutputs } from "./ownOutputs.ts";
import { isNobodyReached, previewFromRecord, type RecordPreviewArgs, type Sight } from "./preview.ts";

/** What was found; at a preview that reached nobody, what the record has. An update never takes the record's word. */
export async function sightOf<Wish, Facts, Look extends Outlooking>(
  args: Omit<RecordPreviewArgs<Wish, Facts, Look>, "found" | "outputs" | "now"> & {
    readonly found: Omit<Sight<Wish, Look>, "fromRecord">;
  },
): Promise<Sight<Wish, Look>> {
  const found = { ...args.found, fromRecord: false };
  if (!pulumi.runtime.isDryRun() || !isNobodyReached(args.kind, found)) return found;
  return previewFromRecord({ ...args, found, outputs: await ownOutputs(), now: new Date() });
}
