/** The Consul program that goes into the image: one that is installed, or one made before, or a build from source. */
import { join } from "node:path";
import { CONSUL_VERSION } from "../../components/consul/version.ts";
import { cached, cacheKey } from "./cache.ts";
import { isExecutable, lastLines, onPath, runCommand } from "./command.ts";
import { ensureGo } from "./go.ts";
import { buildGoProgram } from "./goProgram.ts";
import { cacheFolder } from "./paths.ts";
import { SetUpProblem } from "./problem.ts";
import { type Progress, timed } from "./progress.ts";
import { findVersion } from "./versions.ts";

/** What a program has to run on: the engine's platform, which need not be this machine's. */
export interface ConsulPlatform {
  /** As Go names it, e.g. `amd64`. */
  readonly architecture: string;
}

/** The path of a Linux program of exactly CONSUL_VERSION. */
export async function ensureConsul(progress: Progress, platform: ConsulPlatform): Promise<string> {
  const installed = await installedConsul(platform);
  if (installed !== undefined) {
    progress.found(`consul: ${CONSUL_VERSION} found at ${installed}`);
    return installed;
  }
  const key = cacheKey("consul", CONSUL_VERSION, "linux", platform.architecture as NodeJS.Architecture);
  const program = join(cacheFolder(), key, "consul");
  if (isExecutable(program)) {
    progress.found(`consul: ${CONSUL_VERSION} built from source before, in the cache`);
    return program;
  }
  const go = await ensureGo(progress, "Consul");
  const { took } = await timed(() =>
    progress.during(`consul: building ${CONSUL_VERSION} from source, some minutes`, () =>
      cached(key, (draft) => buildInto(draft, go, platform)),
    ),
  );
  progress.done(`consul: ${CONSUL_VERSION} built from source (${took})`);
  return program;
}

/** The one on the PATH, if it is of this release (an image's tag names it) and runs where the engine runs. */
async function installedConsul({ architecture }: ConsulPlatform): Promise<string | undefined> {
  const own = process.arch === "x64" ? "amd64" : process.arch;
  const program = onPath("consul");
  if (program === undefined || process.platform !== "linux" || own !== architecture) return undefined;
  const result = await runCommand(program, ["version"], { timeoutMs: 10_000 });
  return result.code === 0 && findVersion(result.stdout) === CONSUL_VERSION ? program : undefined;
}

async function buildInto(draft: string, go: string, { architecture }: ConsulPlatform): Promise<void> {
  const result = await buildGoProgram(go, draft, {
    moduleFolder: "consul",
    package: "github.com/hashicorp/consul",
    program: "consul",
    environment: { GOOS: "linux", GOARCH: architecture },
  });
  if (result.code !== 0) {
    throw new SetUpProblem(
      `Consul ${CONSUL_VERSION} could not be built from source:`,
      ...lastLines(result.stderr),
      `Put consul ${CONSUL_VERSION} on the PATH and run this again, or see that Go can reach a module proxy (GOPROXY).`,
    );
  }
}
