/**
 * Provider plugins: official ones where they are installed or can be downloaded, else this clone's own.
 *
 * The CLI looks for plugins on the PATH, with a warning each, and in `plugins/` of Pulumi's home, without one. So
 * where our own are needed, the clone gets a Pulumi home in its ignored folder: the user's home never sees them,
 * and two clones never run each other's code. They are shims that run the sources in place: what a developer
 * edits is what runs, and the dependencies are those of node_modules.
 */
import { existsSync, mkdirSync, readdirSync, readlinkSync, renameSync, rmSync, symlinkSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { withLock } from "./cache.ts";
import { isExecutable, onPath } from "./command.ts";
import { downloadPlugin } from "./download.ts";
import { writeExecutable } from "./files.ts";
import { cacheFolder, projectFolder, projectRoot } from "./paths.ts";
import { SetUpProblem } from "./problem.ts";
import type { Progress } from "./progress.ts";
import { PROVIDERS, type ProviderName, providerVersion } from "./versions.ts";

interface Plugin {
  readonly name: ProviderName;
  readonly version: string;
  /** e.g. `resource-random-v4.21.2`. */
  readonly folder: string;
}

const ownHome = join(projectFolder, "home");

/** Returns the PULUMI_HOME to use; undefined: the user's own. */
export async function ensurePlugins(progress: Progress): Promise<string | undefined> {
  const plugins = PROVIDERS.map(describe);
  const missing = plugins.filter((plugin) => !isOnPath(plugin) && !isIn(userHome(), plugin));
  if (missing.length === 0) {
    progress.found(`plugins: official ${list(plugins)} found`);
    return undefined;
  }
  const downloaded = await ensureDownloads(missing, progress);
  const own = missing.filter((plugin) => !downloaded.includes(plugin));
  for (const plugin of own) installOwn(ownHome, plugin);
  for (const plugin of plugins) if (!own.includes(plugin)) linkOfficial(ownHome, plugin);
  linkCredentials(ownHome);
  if (own.length > 0) progress.found(`plugins: this clone's own for ${list(own)}`);
  if (downloaded.length > 0) progress.found(`plugins: official ${list(downloaded)}, in the cache`);
  return ownHome;
}

function describe(name: ProviderName): Plugin {
  const version = providerVersion(name);
  return { name, version, folder: `resource-${name}-v${version}` };
}

/** Ours is in the environment of everything that we start, and is nobody's own. */
function userHome(): string {
  const given = process.env.PULUMI_HOME;
  return given && given !== ownHome ? given : join(homedir(), ".pulumi");
}

function isOnPath({ name }: Plugin): boolean {
  return onPath(`pulumi-resource-${name}`) !== undefined;
}

function isIn(home: string, { name, folder }: Plugin): boolean {
  return isExecutable(join(home, "plugins", folder, `pulumi-resource-${name}`));
}

/** Downloads are looked for once a day: in a place without any, the question itself would cost every start. */
async function ensureDownloads(missing: readonly Plugin[], progress: Progress): Promise<readonly Plugin[]> {
  const home = cacheFolder();
  const wanted = missing.filter((plugin) => !isIn(home, plugin));
  if (wanted.length > 0 && !askedToday(wanted)) {
    await progress.during("plugins: looking for official ones", () =>
      withLock("plugins", async () => {
        await Promise.all(wanted.map((plugin) => download(home, plugin, progress)));
        rememberAsked(wanted);
      }),
    );
  }
  return missing.filter((plugin) => isIn(home, plugin));
}

async function download(home: string, plugin: Plugin, progress: Progress): Promise<void> {
  if (isIn(home, plugin)) return;
  const folder = join(home, "plugins", plugin.folder);
  const draft = `${folder}.draft`;
  rmSync(draft, { recursive: true, force: true });
  mkdirSync(draft, { recursive: true });
  const got = await downloadPlugin(plugin, draft, (reason) =>
    progress.done(`plugins: the download of ${plugin.name} failed: ${reason}`),
  );
  if (got) renameSync(draft, folder);
  else rmSync(draft, { recursive: true, force: true });
}

function askedFile(plugins: readonly Plugin[]): string {
  const day = new Date().toISOString().slice(0, 10);
  return join(cacheFolder(), "plugins", `asked-${day}-${plugins.map(({ folder }) => folder).join("-")}`);
}

function askedToday(plugins: readonly Plugin[]): boolean {
  return existsSync(askedFile(plugins));
}

function rememberAsked(plugins: readonly Plugin[]): void {
  const folder = join(cacheFolder(), "plugins");
  mkdirSync(folder, { recursive: true });
  for (const file of readdirSync(folder)) if (file.startsWith("asked-")) rmSync(join(folder, file));
  writeExecutable(askedFile(plugins), "");
}

function installOwn(home: string, { name, folder }: Plugin): void {
  const main = join(projectRoot, "scripts", "toolchain", "plugins", name, "main.ts");
  if (!existsSync(main)) {
    throw new SetUpProblem(`There is no official ${name} plugin here and no ${main} in its place.`);
  }
  const target = join(home, "plugins", folder);
  // Writing through a link would change the official plugin that it once pointed to.
  if (linkTarget(target) !== undefined) rmSync(target);
  writeExecutable(
    join(target, `pulumi-resource-${name}`),
    `#!/bin/sh\nexec "\${UNDERSTUDY_NODE:-${process.execPath}}" "${main}" "$@"\n`,
  );
}

function linkOfficial(home: string, plugin: Plugin): void {
  if (isOnPath(plugin)) return;
  const source = [userHome(), cacheFolder()].find((place) => isIn(place, plugin));
  if (source !== undefined)
    link(join(source, "plugins", plugin.folder), join(home, "plugins", plugin.folder));
}

/** Who is logged in to a backend of his own stays so. */
function linkCredentials(home: string): void {
  const credentials = join(userHome(), "credentials.json");
  if (existsSync(credentials)) link(credentials, join(home, "credentials.json"));
}

function link(from: string, to: string): void {
  if (linkTarget(to) === from) return;
  rmSync(to, { recursive: true, force: true });
  mkdirSync(dirname(to), { recursive: true });
  symlinkSync(from, to);
}

function linkTarget(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch {
    return undefined;
  }
}

function list(plugins: readonly Plugin[]): string {
  return plugins.map(({ name }) => name).join(", ");
}
