/** What the modules of a region's agent do, tried without a host: Python that imports them, in a process of its own. */
import { spawnSync } from "node:child_process";
import { join } from "node:path";

const components = join(import.meta.dirname, "../../components");
/** Where they lie; on a host they are in one directory. */
export const agentModules = [join(components, "regions/agent"), join(components, "postgres/node")];

const prelude = `import json, sys
sys.dont_write_bytecode = True
given, sys.path[:0] = json.loads(sys.argv[1]), sys.argv[2:]
tell = lambda value: print(json.dumps(value))
`;

/** The script finds `given` by that name, and tells its result with `tell(…)`, once and last. */
export function inAgent<T>(script: string, given: unknown = null, env: Record<string, string> = {}): T {
  const argv = ["-c", `${prelude}${script}`, JSON.stringify(given), ...agentModules];
  const { stdout, stderr } = spawnSync("python3", argv, {
    encoding: "utf8",
    env: { ...process.env, ...env },
  });
  const told = stdout.trim().split("\n").at(-1);
  if (stderr !== "" || !told) throw new Error(`the script failed: ${stderr || "it told nothing"}`);
  return JSON.parse(told) as T;
}
