/**
 * Locks that a killed `pulumi` left in a backend of files. Pulumi keeps them until somebody says `pulumi cancel`;
 * here whoever held one is looked for, and if it no longer runs, its lock goes, so that a killed `up` is finished
 * by the next one.
 */
import { readFileSync, rmSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { restoreCutOffStates } from "./checkpoints.ts";
import { jsonFilesBelow, readIfThere } from "./files.ts";
import { processIdentity } from "./lock.mjs";
import type { Progress } from "./progress.ts";

export function clearDeadLocks(backendUrl: string, progress: Progress): void {
  if (!backendUrl.startsWith("file://")) return;
  const root = join(folderOf(backendUrl), ".pulumi");
  for (const file of jsonFilesBelow(join(root, "locks"))) {
    const holder = parseLock(readIfThere(file) ?? "");
    if (holder === undefined || holder.hostname !== hostname() || isPulumi(holder.pid)) continue;
    rmSync(file, { force: true });
    rmSync(`${file}.attrs`, { force: true });
    progress.done(`state: removed the lock of a pulumi that was killed (process ${holder.pid})`);
  }
  // Whoever still holds a lock may be in the middle of a write.
  if (jsonFilesBelow(join(root, "locks")).length === 0) restoreCutOffStates(join(root, "stacks"), progress);
}

function folderOf(backendUrl: string): string {
  const path = backendUrl.replace(/\?.*$/, "");
  return path.startsWith("file://~") || path.startsWith("file://.")
    ? path.slice("file://".length).replace(/^~/, process.env.HOME ?? "~")
    : fileURLToPath(path);
}

export function parseLock(text: string): { pid: number; hostname: string } | undefined {
  try {
    const { pid, hostname } = JSON.parse(text) as { pid?: unknown; hostname?: unknown };
    return typeof pid === "number" && typeof hostname === "string" ? { pid, hostname } : undefined;
  } catch {
    return undefined;
  }
}

/** Another program may have got the number since. */
function isPulumi(pid: number): boolean {
  if (processIdentity(pid) === undefined) return false;
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8").includes("pulumi");
  } catch {
    return true;
  }
}
