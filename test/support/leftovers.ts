/**
 * What a test makes in Docker is written down with the process that made it. The next run removes what processes left
 * that no longer run: containers of a run that was killed would otherwise take the cores from every later one.
 */
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { processIdentity, stillRuns } from "../../scripts/toolchain/lock.mjs";
import { removeLabelled } from "../node/docker.ts";

const owners = join(tmpdir(), "understudy-test-owners");

/** To be called before the first thing with this label, `name=value`, is made. */
export function own(label: string, folder = owners): void {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, encodeURIComponent(label)), processIdentity(process.pid) ?? "");
}

/** There is nothing left with this label. */
export function disown(label: string, folder = owners): void {
  rmSync(join(folder, encodeURIComponent(label)), { force: true });
}

/** Removes everything with this label. */
export async function removeOwned(label: string): Promise<void> {
  await removeLabelled(label);
  disown(label);
}

/** Labels of what belongs to nobody who runs. */
export function abandoned(folder = owners): string[] {
  return filesOf(folder)
    .filter((file) => !stillRuns(readFileSync(join(folder, file), "utf8")))
    .map((file) => decodeURIComponent(file));
}

function filesOf(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

/** Vitest's global set-up of the rings that use Docker. */
export default async function removeLeftovers(): Promise<void> {
  for (const label of abandoned()) {
    try {
      await removeOwned(label);
      console.log(`removed what a killed test run left behind: ${label}`);
    } catch (error) {
      console.log(`a killed test run left ${label} behind, and it stays: ${(error as Error).message}`);
    }
  }
}
