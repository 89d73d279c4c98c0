/** `debian:<release>-slim`: the one that the engine has, or a pull, or one made here from Debian's packages. */
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { canInstallPackages, installPackages } from "./apt.ts";
import { withLock } from "./cache.ts";
import { lastLines, onPath, runCommand } from "./command.ts";
import { docker, hasImage } from "./docker.ts";
import { readIfThere } from "./files.ts";
import { cacheFolder } from "./paths.ts";
import { SetUpProblem } from "./problem.ts";
import { type Progress, timed } from "./progress.ts";

/** What our own images are made from; older ones are for test machines only. */
export const RELEASE = "trixie";

/** A registry that is there answers its first question at once; the pull itself may take its time. */
const REGISTRY_MS = 10_000;
const PULL_MS = 600_000;

export function baseImageOf(release: string): string {
  return `debian:${release}-slim`;
}

export async function ensureBaseImage(progress: Progress, release: string = RELEASE): Promise<void> {
  const image = baseImageOf(release);
  if (await hasImage(image)) {
    progress.found(`base image: ${image} is there`);
    return;
  }
  await withLock(release === RELEASE ? "base-image" : `base-image-${release}`, async () => {
    if (await hasImage(image)) return;
    const { value: how, took } = await timed(() =>
      progress.during(`base image: ${image}`, async () =>
        (await pull(image)) ? "pulled" : await make(release, progress),
      ),
    );
    progress.done(`base image: ${image} ${how} (${took})`);
  });
}

async function pull(image: string): Promise<boolean> {
  // Asking for the manifest first keeps a registry that swallows packets from costing the whole time of a pull.
  const manifest = await docker(["manifest", "inspect", image], { timeoutMs: REGISTRY_MS });
  if (manifest.code !== 0) return false;
  return (await docker(["pull", "--quiet", image], { timeoutMs: PULL_MS })).code === 0;
}

async function make(release: string, progress: Progress): Promise<string> {
  if (onPath("debootstrap") === undefined) {
    if (!canInstallPackages())
      throw noBase(release, "debootstrap is not installed, and installing it needs root and apt.");
    await installPackages(["debootstrap"], progress);
  }
  if (process.getuid?.() !== 0) throw noBase(release, "debootstrap needs root.");
  const folder = mkdtempSync(join(tmpdir(), "understudy-base-"));
  try {
    await bootstrap(release, folder);
    await importFolder(release, folder);
    return "made with debootstrap";
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function bootstrap(release: string, folder: string): Promise<void> {
  const own = await debianMirror();
  const logFile = join(cacheFolder(), "logs", "debootstrap.log");
  const args = ["--variant=minbase", release, folder, ...(own === undefined ? [] : [own])];
  const result = await runCommand("debootstrap", args, { logFile });
  if (result.code !== 0)
    throw noBase(release, "debootstrap failed:", ...lastLines(result.stdout, 4), `Its log: ${logFile}`);
  const sources = join(folder, "etc", "apt", "sources.list");
  const mirror = own ?? mirrorUsed(readIfThere(sources) ?? "");
  writeFileSync(sources, renderSources(mirror, await hasUpdates(mirror, release), release));
  if (mirror.startsWith("https:")) carryCertificates(folder);
  for (const waste of [
    "var/cache/apt/archives",
    "var/lib/apt/lists",
    "usr/share/doc",
    "usr/share/man",
    "usr/share/locale",
  ]) {
    rmSync(join(folder, waste), { recursive: true, force: true });
    mkdirSync(join(folder, waste), { recursive: true });
  }
  mkdirSync(join(folder, "var/cache/apt/archives/partial"), { recursive: true });
}

/** Where this machine gets its packages from, if it is a Debian; else debootstrap's own choice is left to it. */
async function debianMirror(): Promise<string | undefined> {
  const isDebian = /^ID=debian$/m.test(readIfThere("/etc/os-release") ?? "");
  const result = await runCommand("apt-get", [
    "indextargets",
    "--format",
    "$(REPO_URI)|$(COMPONENT)",
    "Identifier: Packages",
  ]);
  return isDebian ? mirrorAmong(result.stdout) : undefined;
}

/** What debootstrap chose, as it noted it for apt: `deb <mirror> trixie main`. */
export function mirrorUsed(sourcesList: string): string {
  const mirror = /^deb (?:\[[^\]]*\] )?(\S+) /m.exec(sourcesList)?.[1];
  if (mirror === undefined) throw new SetUpProblem("debootstrap left no list of package sources behind.");
  return mirror.replace(/\/+$/, "");
}

/** The first repository of Debian itself (not its security updates, not a vendor's) in apt's own list. */
export function mirrorAmong(indexTargets: string): string | undefined {
  return indexTargets
    .split("\n")
    .map((line) => line.split("|"))
    .filter(([, component]) => component === "main")
    .map(([uri]) => (uri ?? "").replace(/\/+$/, ""))
    .find((uri) => /^https?:\/\/.*\/debian$/.test(uri));
}

/** Mirrors for air-gapped sites often carry the release alone; a source that is not there fails every build. */
async function hasUpdates(mirror: string, release: string): Promise<boolean> {
  try {
    const answers = await Promise.all(
      [
        `${mirror}/dists/${release}-updates/InRelease`,
        `${securityMirror(mirror)}/dists/${release}-security/InRelease`,
      ].map((url) => fetch(url, { method: "HEAD", signal: AbortSignal.timeout(5_000) })),
    );
    return answers.every((answer) => answer.ok);
  } catch {
    return false;
  }
}

function securityMirror(mirror: string): string {
  return `${mirror}-security`;
}

export function renderSources(mirror: string, updates: boolean, release: string = RELEASE): string {
  const packages = `deb ${mirror} ${release} main\n`;
  if (!updates) return packages;
  return `${packages}deb ${mirror} ${release}-updates main\ndeb ${securityMirror(mirror)} ${release}-security main\n`;
}

/** apt in a build of ours then trusts whom this machine trusts. */
function carryCertificates(folder: string): void {
  const bundle = "/etc/ssl/certs/ca-certificates.crt";
  const target = join(folder, bundle);
  if (!existsSync(bundle)) return;
  mkdirSync(dirname(target), { recursive: true });
  copyFileSync(bundle, target);
}

async function importFolder(release: string, folder: string): Promise<void> {
  const archive = `${folder}.tar`;
  try {
    const tar = await runCommand("tar", [
      "-C",
      folder,
      "--exclude=./dev/*",
      "--exclude=./proc/*",
      "--exclude=./sys/*",
      "-cf",
      archive,
      ".",
    ]);
    if (tar.code !== 0) throw noBase(release, "tar failed:", ...lastLines(tar.stderr));
    const result = await docker([
      "import",
      "--change",
      'CMD ["bash"]',
      "--message",
      "debootstrap",
      archive,
      baseImageOf(release),
    ]);
    if (result.code !== 0) throw noBase(release, "docker import failed:", ...lastLines(result.stderr));
  } finally {
    rmSync(archive, { force: true });
  }
}

function noBase(release: string, what: string, ...details: readonly string[]): SetUpProblem {
  return new SetUpProblem(
    `The base image ${baseImageOf(release)} is not there, cannot be pulled, and could not be made.`,
    what,
    ...details,
    `Pull it (docker pull ${baseImageOf(release)}), or load it from a file (docker load), and run this again.`,
  );
}
