/**
 * A `pulumi` that was killed while it wrote its state into a backend of files leaves an empty or cut-off file, and
 * every later command ends with `failed to load checkpoint: EOF`. Pulumi keeps the state before that write beside it.
 * The same words come of a cut-off `.attrs`, which its library writes beside each file, and not in one piece.
 */
import { copyFileSync, rmSync } from "node:fs";
import { jsonFilesBelow, readIfThere } from "./files.ts";
import type { Progress } from "./progress.ts";

/**
 * Puts Pulumi's own backup in the place of each cut-off state. What was made between the two writes is unknown to the
 * backup: it is made again, or, where it is a container or network, found and taken over.
 */
export function restoreCutOffStates(stacksFolder: string, progress: Pick<Progress, "done">): void {
  for (const file of jsonFilesBelow(stacksFolder)) {
    dropCutOffAttributes(`${file}.attrs`, progress);
    dropCutOffAttributes(`${file}.bak.attrs`, progress);
    if (isWhole(readIfThere(file) ?? "")) continue;
    const backup = `${file}.bak`;
    if (!isWhole(readIfThere(backup) ?? "")) continue;
    copyFileSync(backup, file);
    progress.done("state: a pulumi was killed while it wrote; restored what Pulumi kept of before");
  }
}

/** Nothing in it is needed: a file without one is read as it is. */
function dropCutOffAttributes(file: string, progress: Pick<Progress, "done">): void {
  const text = readIfThere(file);
  if (text === undefined || isWhole(text)) return;
  rmSync(file, { force: true });
  progress.done("state: a pulumi was killed while it wrote; removed what it had not written to its end");
}

/** A state is one JSON object: a file that was cut off does not end with its brace, or does not balance. */
export function isWhole(text: string): boolean {
  if (!text.trimEnd().endsWith("}")) return false;
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
