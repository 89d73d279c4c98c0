/**
 * `node scripts/convergeRegions.ts preview|apply|observe`, with `{desired, generation}` as JSON on stdin: what
 * `converge.ts` is for a pair, for regions. See there for what each does and how it ends.
 */
import { accessToUnits, closeAll } from "../components/hosts/access.ts";
import { applyRegions, previewRegions } from "../components/regions/converge.ts";
import type { RegionsDesired } from "../components/regions/desired.ts";
import { observeRegions } from "../components/regions/observe.ts";
import type { UnitFleet } from "../components/regions/session.ts";
import { allHosts } from "../components/regions/wish.ts";
import { runModes } from "./toolchain/modes.ts";

interface Request {
  readonly desired: RegionsDesired;
  readonly generation?: string;
}

await runModes("scripts/convergeRegions.ts", readRequest, {
  preview: async ({ desired }) =>
    print(await withAccess(desired, (access) => previewRegions({ desired, access }))),
  observe: async ({ desired }) =>
    print(await withAccess(desired, (access) => observeRegions(access, desired))),
  apply: async ({ desired, generation }) => {
    if (generation === undefined) throw new Error("apply needs a generation");
    const report = (line: string) => console.log(line);
    await withAccess(desired, (access) => applyRegions({ desired, access, generation, report }));
  },
});

async function withAccess<T>(desired: RegionsDesired, use: (access: UnitFleet) => Promise<T>): Promise<T> {
  const access = accessToUnits(allHosts(desired));
  try {
    return await use(access);
  } finally {
    await closeAll(access);
  }
}

function readRequest(input: string): Request {
  const request = JSON.parse(input) as Partial<Request>;
  if (!request.desired?.regions || !request.desired.active) throw new Error("the request has no `desired`");
  return { ...request, desired: request.desired };
}

function print(value: unknown): void {
  process.stdout.write(`${JSON.stringify(value)}\n`);
}
