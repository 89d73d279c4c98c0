/** The Pulumi CLI: the one that is installed, or else a download, or else a build from source. */
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { cached, cacheKey } from "./cache.ts";
import { isExecutable, lastLines, onPath, runCommand } from "./command.ts";
import { downloadPulumi } from "./download.ts";
import { writeExecutable } from "./files.ts";
import { ensureGo } from "./go.ts";
import { buildGoProgram } from "./goProgram.ts";
import { cacheFolder } from "./paths.ts";
import { SetUpProblem } from "./problem.ts";
import { type Progress, timed } from "./progress.ts";
import { findVersion, isAtLeast, OLDEST_PULUMI, PULUMI_VERSION } from "./versions.ts";

export interface Cli {
  /** The folder with `pulumi` in it; it goes to the front of the PATH. */
  readonly folder: string;
  readonly kind: "installed" | "downloaded" | "built";
}

export async function ensureCli(progress: Progress): Promise<Cli> {
  const installed = await installedCli();
  if (installed !== undefined) {
    progress.found(`pulumi: ${installed.version} found in ${installed.folder}`);
    return { folder: installed.folder, kind: "installed" };
  }
  const downloaded = join(cacheFolder(), cacheKey("pulumi", PULUMI_VERSION), "pulumi");
  const built = join(cacheFolder(), cacheKey("pulumi-built", PULUMI_VERSION));
  if (isExecutable(join(downloaded, "pulumi"))) {
    progress.found(`pulumi: ${PULUMI_VERSION} downloaded before, in the cache`);
    return { folder: downloaded, kind: "downloaded" };
  }
  if (isExecutable(join(built, "pulumi"))) {
    progress.found(`pulumi: ${PULUMI_VERSION} built from source before, in the cache`);
    return { folder: withLanguageHost(built), kind: "built" };
  }
  return (await download(progress)) ?? (await build(progress));
}

/** The first CLI on the PATH or in Pulumi's own folder that is new enough; ours are not looked at. */
async function installedCli(): Promise<{ folder: string; version: string } | undefined> {
  const candidates = [
    onPath("pulumi"),
    join(process.env.PULUMI_HOME || join(homedir(), ".pulumi"), "bin", "pulumi"),
  ];
  for (const candidate of new Set(candidates)) {
    if (candidate === undefined || !isExecutable(candidate) || candidate.startsWith(cacheFolder())) continue;
    const version = await cliVersion(candidate);
    if (version !== undefined && isAtLeast(version, OLDEST_PULUMI))
      return { folder: dirname(candidate), version };
  }
  return undefined;
}

async function cliVersion(program: string): Promise<string | undefined> {
  const env = { ...process.env, PULUMI_SKIP_UPDATE_CHECK: "true" };
  const result = await runCommand(program, ["version"], { timeoutMs: 10_000, env });
  return result.code === 0 ? findVersion(result.stdout) : undefined;
}

async function download(progress: Progress): Promise<Cli | undefined> {
  const { value: folder, took } = await timed(() =>
    progress.during(`pulumi: downloading ${PULUMI_VERSION}`, () =>
      downloadPulumi((reason) => progress.done(`pulumi: the download failed: ${reason}`)),
    ),
  );
  if (folder === undefined) return undefined;
  progress.done(`pulumi: ${PULUMI_VERSION} downloaded (${took})`);
  return { folder, kind: "downloaded" };
}

async function build(progress: Progress): Promise<Cli> {
  progress.done(
    `pulumi: not installed and no download possible here; building ${PULUMI_VERSION} from source`,
  );
  const go = await ensureGo(progress);
  const { value: folder, took } = await timed(() =>
    progress.during("pulumi: building, some minutes", () =>
      cached(cacheKey("pulumi-built", PULUMI_VERSION), (draft) => buildInto(draft, go)),
    ),
  );
  progress.done(`pulumi: ${PULUMI_VERSION} built from source (${took})`);
  return { folder: withLanguageHost(folder), kind: "built" };
}

async function buildInto(draft: string, go: string): Promise<void> {
  const result = await buildGoProgram(go, draft, {
    moduleFolder: "pulumi-cli",
    package: "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi",
    program: "pulumi",
    linkerFlags: `-X github.com/pulumi/pulumi/sdk/v3/go/common/version.Version=v${PULUMI_VERSION}`,
  });
  if (result.code !== 0) {
    throw new SetUpProblem(
      "The Pulumi CLI could not be built from source:",
      ...lastLines(result.stderr),
      "Install it from pulumi.com and run this again, or see that Go can reach a module proxy (GOPROXY).",
    );
  }
}

/**
 * Our language host, beside the CLI: there it is taken for the bundled one and needs no place on the PATH. The
 * cache is shared by all clones, so the shim asks the environment which clone it works for.
 */
function withLanguageHost(folder: string): string {
  const shim = join(folder, "pulumi-language-nodejs");
  writeExecutable(shim, LANGUAGE_HOST);
  return folder;
}

const LANGUAGE_HOST = `#!/bin/sh
# Starts the language host of the clone that "npm run pulumi" runs in.
: "\${UNDERSTUDY_ROOT:?start this CLI with: npm run pulumi -- COMMAND}"
exec "$UNDERSTUDY_NODE" "$UNDERSTUDY_ROOT/scripts/toolchain/languageHost.ts" "$@"
`;
