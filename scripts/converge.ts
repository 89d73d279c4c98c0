/**
 * `node scripts/converge.ts preview|apply|observe`, with `{desired, generation}` as JSON on stdin.
 *
 * preview: prints what `Preview` says as JSON, and exits 0 also when it refuses: what a refusal means for the
 *          update is the program's decision.
 * apply:   carries the plan out, with progress for people on stdout. Exit 1 and the reason on stderr when it
 *          refuses or a step fails. `generation` is what is left on the nodes when everything is done: it is an
 *          input of the resource that runs this, so that it runs again exactly when there is work (see `Preview`).
 * observe: prints the facts as JSON.
 *
 * No argument and no environment variable carries a value, since others on the machine can read those.
 */
import { accessTo } from "../components/hosts/access.ts";
import { apply, preview } from "../components/roles/converge.ts";
import type { Desired } from "../components/roles/desired.ts";
import { observe } from "../components/roles/observe.ts";
import { runConverge } from "./toolchain/convergeModes.ts";

await runConverge("scripts/converge.ts", {
  isWhole: ({ nodes, active }: Partial<Desired>) => Boolean(nodes && active),
  accessTo: (desired: Desired) => accessTo(desired.nodes),
  preview: (desired, access) => preview({ desired, access }),
  observe: (desired, access) => observe(access, { catalogOf: desired.active }),
  apply: (desired, access, generation, report) => apply({ desired, access, generation, report }),
});
