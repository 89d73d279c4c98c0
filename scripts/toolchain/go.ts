/** Go, for building programs that cannot be downloaded. */
import { chmodSync, existsSync, readdirSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { canInstallPackages, installPackages } from "./apt.ts";
import { cached, cacheKey } from "./cache.ts";
import { isExecutable, lastLines, onPath, runCommand } from "./command.ts";
import { SetUpProblem } from "./problem.ts";
import type { Progress } from "./progress.ts";
import { findVersion, GO_VERSION, isAtLeast } from "./versions.ts";

/** From this version on, Go fetches the toolchain that a module asks for by itself. */
const FETCHES_TOOLCHAINS = "1.21.0";

/** A `go` that can build `program`, found or made. */
export async function ensureGo(progress: Progress, program = "Pulumi"): Promise<string> {
  for (const go of [onPath("go"), "/usr/local/go/bin/go", join(homedir(), "go", "bin", "go")]) {
    if (go === undefined || !isExecutable(go)) continue;
    const version = await goVersion(go);
    if (version === undefined) continue;
    if (isAtLeast(version, GO_VERSION) || (isAtLeast(version, FETCHES_TOOLCHAINS) && !pinnedToolchain())) {
      progress.done(`go: ${version} found`);
      return go;
    }
  }
  return fetchGo(progress, program);
}

function pinnedToolchain(): boolean {
  return process.env.GOTOOLCHAIN === "local";
}

async function goVersion(go: string): Promise<string | undefined> {
  const result = await runCommand(go, ["env", "GOVERSION"], { timeoutMs: 10_000 });
  const text = /go(\d+\.\d+(\.\d+)?)/.exec(result.stdout)?.[1];
  return text === undefined ? undefined : (findVersion(text) ?? `${text}.0`);
}

/** The distribution's Go may be years old; what it can do is fetch the module that carries a current one. */
async function fetchGo(progress: Progress, program: string): Promise<string> {
  let old = onPath("go");
  if (old === undefined) {
    if (!canInstallPackages()) throw noGo(program, "Go is not installed.");
    await installPackages(["golang-go"], progress);
    old = onPath("go");
  }
  if (old === undefined) throw noGo(program, "Go could not be installed.");
  const go = old;
  const folder = await progress.during(`go: fetching ${GO_VERSION}`, () =>
    cached(cacheKey("go", GO_VERSION), (draft) => fetchToolchain(go, draft, program)),
  );
  progress.done(`go: ${GO_VERSION} fetched as a Go module, in the cache`);
  return join(toolchainIn(folder), "bin", "go");
}

async function fetchToolchain(go: string, draft: string, program: string): Promise<void> {
  const platform = `${process.platform}-${process.arch === "x64" ? "amd64" : process.arch}`;
  const result = await runCommand(
    go,
    ["mod", "download", `golang.org/toolchain@v0.0.1-go${GO_VERSION}.${platform}`],
    {
      cwd: draft,
      env: { ...process.env, GOMODCACHE: join(draft, "mod"), GOFLAGS: "-modcacherw" },
    },
  );
  if (result.code !== 0)
    throw noGo(program, "A current Go could not be fetched:", ...lastLines(result.stderr));
  // Modules carry no permission to execute.
  const home = toolchainIn(draft);
  for (const folder of ["bin", join("pkg", "tool", platform.replace("-", "_"))]) {
    const programs = join(home, folder);
    if (!existsSync(programs)) continue;
    for (const program of readdirSync(programs)) chmodSync(join(programs, program), 0o755);
  }
}

function toolchainIn(folder: string): string {
  const modules = join(folder, "mod", "golang.org");
  const name = readdirSync(modules).find((entry) => entry.startsWith("toolchain@")) ?? "toolchain";
  return join(modules, name);
}

function noGo(program: string, what: string, ...details: readonly string[]): SetUpProblem {
  return new SetUpProblem(
    what,
    ...details,
    `${program} is not here and has to be built, which needs Go ${GO_VERSION} or newer.`,
    `Install either one (Go: go.dev) and run this again.`,
  );
}
