/** What the two converge scripts have in common: the modes, the request on stdin, and a way to the hosts that is closed. */
import { closeAll } from "../../components/hosts/access.ts";
import { runModes } from "./modes.ts";

interface Request<Desired> {
  readonly desired: Desired;
  readonly generation?: string;
}

export interface Converging<Desired, Access extends Parameters<typeof closeAll>[0]> {
  /** The wish has what this script converges. */
  isWhole(desired: Partial<Desired>): boolean;
  accessTo(desired: Desired): Access;
  preview(desired: Desired, access: Access): Promise<unknown>;
  observe(desired: Desired, access: Access): Promise<unknown>;
  apply(
    desired: Desired,
    access: Access,
    generation: string,
    report: (line: string) => void,
  ): Promise<unknown>;
}

export async function runConverge<Desired, Access extends Parameters<typeof closeAll>[0]>(
  script: string,
  converging: Converging<Desired, Access>,
): Promise<void> {
  const read = (input: string): Request<Desired> => {
    const request = JSON.parse(input) as Partial<Request<Desired>>;
    if (!request.desired || !converging.isWhole(request.desired))
      throw new Error("the request has no `desired`");
    return { ...request, desired: request.desired };
  };
  const withAccess = async (desired: Desired, use: (access: Access) => Promise<unknown>) => {
    const access = converging.accessTo(desired);
    try {
      return await use(access);
    } finally {
      await closeAll(access);
    }
  };
  await runModes(script, read, {
    preview: async ({ desired }) =>
      print(await withAccess(desired, (access) => converging.preview(desired, access))),
    observe: async ({ desired }) =>
      print(await withAccess(desired, (access) => converging.observe(desired, access))),
    apply: async ({ desired, generation }) => {
      if (generation === undefined) throw new Error("apply needs a generation");
      const report = (line: string) => console.log(line);
      await withAccess(desired, (access) => converging.apply(desired, access, generation, report));
    },
  });
}

function print(value: unknown): void {
  process.stdout.write(`${JSON.stringify(value)}\n`);
}
