/** Pulumi's own releases, where they can be reached. Finding out that they cannot costs at most a few seconds. */
import { createWriteStream } from "node:fs";
import { rm } from "node:fs/promises";
import { basename, join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { cached, cacheKey } from "./cache.ts";
import { isExecutable, lastLines, runCommand } from "./command.ts";
import { renderProblem, SetUpProblem } from "./problem.ts";
import { PULUMI_VERSION } from "./versions.ts";

const PROBE_MS = 4_000;
const DOWNLOAD_MS = 600_000;

/** Where releases come from; a site with a mirror of them names it. */
function releases(env: NodeJS.ProcessEnv = process.env): string {
  return (env.UNDERSTUDY_PULUMI_RELEASES || "https://get.pulumi.com/releases").replace(/\/+$/, "");
}

/** e.g. `linux-x64`, as releases of the CLI are named. */
export function cliPlatform(platform = process.platform, arch = process.arch): string | undefined {
  const architecture = { x64: "x64", arm64: "arm64" }[arch as string];
  return architecture !== undefined && ["linux", "darwin"].includes(platform)
    ? `${platform}-${architecture}`
    : undefined;
}

/** e.g. `linux-amd64`, as releases of plugins are named. */
export function pluginPlatform(platform = process.platform, arch = process.arch): string | undefined {
  return cliPlatform(platform, arch)?.replace("x64", "amd64");
}

/** Called with the reason when a release that answered could not be had after all. */
export type OnFailure = (reason: string) => void;

/** The folder with the official CLI and its language hosts; undefined where there is none to be had. */
export async function downloadPulumi(onFailure: OnFailure): Promise<string | undefined> {
  const platform = cliPlatform();
  const url = `${releases()}/sdk/pulumi-v${PULUMI_VERSION}-${platform}.tar.gz`;
  if (platform === undefined || !(await answers(url))) return undefined;
  try {
    const folder = await cached(cacheKey("pulumi", PULUMI_VERSION), async (draft) => {
      await unpack(url, draft);
      requireProgram(join(draft, "pulumi", "pulumi"), url);
    });
    return join(folder, "pulumi");
  } catch (error) {
    onFailure(reasonOf(error));
    return undefined;
  }
}

/** Unpacks an official provider plugin into `folder`; false where it cannot be had. */
export async function downloadPlugin(
  plugin: { readonly name: string; readonly version: string },
  folder: string,
  onFailure: OnFailure,
): Promise<boolean> {
  const platform = pluginPlatform();
  const url = `${releases()}/plugins/pulumi-resource-${plugin.name}-v${plugin.version}-${platform}.tar.gz`;
  if (platform === undefined || !(await answers(url))) return false;
  try {
    await unpack(url, folder);
    requireProgram(join(folder, `pulumi-resource-${plugin.name}`), url);
    return true;
  } catch (error) {
    onFailure(reasonOf(error));
    return false;
  }
}

async function answers(url: string): Promise<boolean> {
  try {
    return (await fetch(url, { method: "HEAD", signal: AbortSignal.timeout(PROBE_MS) })).ok;
  } catch {
    return false;
  }
}

function requireProgram(file: string, url: string): void {
  if (!isExecutable(file)) throw new SetUpProblem(`${url} does not hold ${basename(file)}`);
}

function reasonOf(error: unknown): string {
  return error instanceof SetUpProblem
    ? renderProblem(error)
    : error instanceof Error
      ? error.message
      : String(error);
}

async function unpack(url: string, folder: string): Promise<void> {
  const archive = join(folder, "archive.tar.gz");
  const response = await fetch(url, { signal: AbortSignal.timeout(DOWNLOAD_MS) });
  if (!response.ok || response.body === null) throw new SetUpProblem(`${url} answered ${response.status}`);
  await pipeline(Readable.fromWeb(response.body), createWriteStream(archive));
  const tar = await runCommand("tar", ["-xzf", archive, "-C", folder]);
  if (tar.code !== 0) throw new SetUpProblem(`${url} could not be unpacked:`, ...lastLines(tar.stderr));
  await rm(archive);
}
