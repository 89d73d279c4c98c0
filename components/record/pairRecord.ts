/** `database.kind: streaming` in a record. Pure. */
import type { Outlook } from "../outlook.ts";
import { foresee } from "../roles/converge.ts";
import type { Desired } from "../roles/desired.ts";
import { type RecordedNodes, recordedAt, recordedNodes, seenAgain, seenEmpty } from "./facts.ts";
import { answersAsBefore, type RecordKind } from "./kind.ts";

export const pairRecord: RecordKind<Desired, RecordedNodes, Outlook> = {
  field: "nodes",
  places: ({ nodes }) => nodes,
  recorded: recordedNodes,
  ...{ recordedAt, seenAgain, seenEmpty },
  foresee: (observed, desired) => foresee(observed, desired),
  // A node that has just been at work may be slow to answer; one that was silent before is not waited for.
  isAtRest: (seen, before) => answersAsBefore(seen.nodes, before.nodes),
};
