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
import { accessTo, closeAll } from "../components/hosts/access.ts";
import { apply, preview } from "../components/roles/converge.ts";
import type { Desired } from "../components/roles/desired.ts";
import { observe } from "../components/roles/observe.ts";
import { runModes } from "./toolchain/modes.ts";

interface Request {
  readonly desired: Desired;
  readonly generation?: string;
}

await runModes("scripts/converge.ts", readRequest, {
  preview: async ({ desired }) => print(await withAccess(desired, (access) => preview({ desired, access }))),
  observe: async ({ desired }) =>
    print(await withAccess(desired, (access) => observe(access, { catalogOf: desired.active }))),
  apply: async ({ desired, generation }) => {
    if (generation === undefined) throw new Error("apply needs a generation");
    const report = (line: string) => console.log(line);
    await withAccess(desired, (access) => apply({ desired, access, generation, report }));
  },
});

async function withAccess<T>(
  desired: Desired,
  use: (access: ReturnType<typeof accessTo>) => Promise<T>,
): Promise<T> {
  const access = accessTo(desired.nodes);
  try {
    return await use(access);
  } finally {
    await closeAll(access);
  }
}

function readRequest(input: string): Request {
  const request = JSON.parse(input) as Partial<Request>;
  if (!request.desired?.nodes || !request.desired.active) throw new Error("the request has no `desired`");
  return { ...request, desired: request.desired };
}

function print(value: unknown): void {
  process.stdout.write(`${JSON.stringify(value)}\n`);
}
