/** Where things are: the clone, its ignored folder, and the cache that every clone of this user shares. */
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

export const projectRoot = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

/** State, passphrase and Pulumi's home of the demo. Ignored by git. */
export const projectFolder = join(projectRoot, ".understudy");

export function cacheFolder(env: NodeJS.ProcessEnv = process.env): string {
  return join(env.XDG_CACHE_HOME || join(homedir(), ".cache"), "understudy");
}

export function lockPath(name: string): string {
  return join(cacheFolder(), "locks", name);
}
