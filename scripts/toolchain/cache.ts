/** Things that are made once and kept: each in a folder whose name says exactly what is in it. */
import { existsSync, mkdirSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { tryLock } from "./lock.mjs";
import { cacheFolder, lockPath } from "./paths.ts";

/** Runs `work` while no other process runs work under the same name. */
export async function withLock<T>(
  name: string,
  work: () => Promise<T>,
  onWait: (holder: number) => void = () => {},
): Promise<T> {
  for (let told = false; ; told = true) {
    const lock = tryLock(lockPath(name));
    if ("release" in lock) {
      try {
        return await work();
      } finally {
        lock.release();
      }
    }
    if (!told) onWait(lock.holder);
    await sleep(200);
  }
}

/**
 * The cache's folder `key`, made by `make` if it is not there. It appears whole or not at all: a set-up that is
 * killed leaves a `.partial` folder, which the next one discards.
 */
export async function cached(key: string, make: (draft: string) => Promise<void>): Promise<string> {
  const folder = join(cacheFolder(), key);
  if (existsSync(folder)) return folder;
  return withLock(key, async () => {
    if (existsSync(folder)) return folder;
    const draft = `${folder}.partial`;
    rmSync(draft, { recursive: true, force: true });
    mkdirSync(draft, { recursive: true });
    await make(draft);
    renameSync(draft, folder);
    return folder;
  });
}

/** The name of what set-up makes of a release for one kind of machine. */
export function cacheKey(
  name: string,
  version: string,
  platform = process.platform,
  arch = process.arch,
): string {
  return `${name}-${version}-${platform}-${arch}`;
}
