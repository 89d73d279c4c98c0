/** `database.kind: patroni` in a record. Pure. */
import { foreseeRegions } from "../regions/converge.ts";
import type { RegionsDesired } from "../regions/desired.ts";
import type { RegionsOutlook } from "../regionsOutlook.ts";
import { answersAsBefore, type RecordKind } from "./kind.ts";
import {
  hostsAgain,
  hostsEmpty,
  type RecordedHosts,
  recordedHosts,
  recordedRegionsAt,
} from "./regionFacts.ts";

export const regionsRecord: RecordKind<RegionsDesired, RecordedHosts, RegionsOutlook> = {
  field: "hosts",
  unknown:
    "Patroni changes by itself who leads a region, so the steps may then name other members. How far a region is behind, free space, clocks, and whether another update runs: only `pulumi up` sees that.",
  places: ({ hosts }) => hosts,
  recorded: recordedHosts,
  recordedAt: recordedRegionsAt,
  seenAgain: hostsAgain,
  seenEmpty: hostsEmpty,
  foresee: (observed, desired) => foreseeRegions(observed, desired),
  // A host may not tell everything in time while clients come back to all of them at once.
  isAtRest: (seen, before, desired) =>
    answersAsBefore(seen.hosts, before.hosts) && foreseeRegions(seen, desired).generation !== seen.at,
};
