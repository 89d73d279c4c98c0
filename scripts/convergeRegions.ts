/**
 * `node scripts/convergeRegions.ts preview|apply|observe`, with `{desired, generation}` as JSON on stdin: what
 * `converge.ts` is for a pair, for regions. See there for what each does and how it ends.
 */
import { accessToUnits } from "../components/hosts/access.ts";
import { applyRegions, previewRegions } from "../components/regions/converge.ts";
import type { RegionsDesired } from "../components/regions/desired.ts";
import { observeRegions } from "../components/regions/observe.ts";
import { allHosts } from "../components/regions/wish.ts";
import { runConverge } from "./toolchain/convergeModes.ts";

await runConverge("scripts/convergeRegions.ts", {
  isWhole: ({ regions, active }: Partial<RegionsDesired>) => Boolean(regions && active),
  accessTo: (desired: RegionsDesired) => accessToUnits(allHosts(desired)),
  preview: (desired, access) => previewRegions({ desired, access }),
  observe: (desired, access) => observeRegions(access, desired),
  apply: (desired, access, generation, report) => applyRegions({ desired, access, generation, report }),
});
