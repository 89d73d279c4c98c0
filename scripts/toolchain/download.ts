/** Pulumi's own releases, where they can be reached. Finding out that they cannot costs at most a few seconds. */
import { createWriteStream } from "node:fs";
import { rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { cached, cacheKey } from "./cache.ts";
import { isExecutable, lastLines, runCommand } from "./command.ts";
import { SetUpProblem } from "./problem.ts";
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

/** The folder with the official CLI and its language hosts; undefined where there is none to be had. */
export async function downloadPulumi(): Promise<string | undefined> {
  const platform = cliPlatform();
  const url = `${releases()}/sdk/pulumi-v${PULUMI_VERSION}-${platform}.tar.gz`;
  if (platform === undefined || !(await answers(url))) return undefined;
  const folder = await attempt(() =>
    cached(cacheKey("pulumi", PULUMI_VERSION), async (draft) => {
      await unpack(url, draft);
      if (!isExecutable(join(draft, "pulumi", "pulumi")))
        throw new SetUpProblem(`${url} holds no pulumi/pulumi`);
    }),
  );
  return folder === undefined ? undefined : join(folder, "pulumi");
}

/** Unpacks an official provider plugin into `folder`; false where it cannot be had. */
export async function downloadPlugin(name: string, version: string, folder: string): Promise<boolean> {
  const platform = pluginPlatform();
  const url = `${releases()}/plugins/pulumi-resource-${name}-v${version}-${platform}.tar.gz`;
  if (platform === undefined || !(await answers(url))) return false;
  return (
    (await attempt(async () => {
      await unpack(url, folder);
      return isExecutable(join(folder, `pulumi-resource-${name}`));
    })) ?? false
  );
}

async function answers(url: string): Promise<boolean> {
  const response = await attempt(() => fetch(url, { method: "HEAD", signal: AbortSignal.timeout(PROBE_MS) }));
  return response?.ok ?? false;
}

async function unpack(url: string, folder: string): Promise<void> {
  const archive = join(folder, "archive.tar.gz.partial");
  const response = await fetch(url, { signal: AbortSignal.timeout(DOWNLOAD_MS) });
  if (!response.ok || response.body === null) throw new SetUpProblem(`${url} answered ${response.status}`);
  await pipeline(Readable.from(response.body), createWriteStream(archive));
  const complete = archive.replace(".partial", "");
  await rename(archive, complete);
  const tar = await runCommand("tar", ["-xzf", complete, "-C", folder]);
  if (tar.code !== 0) throw new SetUpProblem(`${url} could not be unpacked:`, ...lastLines(tar.stderr));
  await rm(complete);
}

/** A download that fails is one that cannot be had: there is another way for everything that is downloaded. */
async function attempt<T>(work: () => Promise<T>): Promise<T | undefined> {
  try {
    return await work();
  } catch {
    return undefined;
  }
}
