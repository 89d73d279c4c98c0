/** The image of test machines. No deployment runs it, so no `up` builds it. */
import { join } from "node:path";
import { fingerprint } from "../../../components/hosts/containers/images.ts";
import { ensureBaseImage, RELEASE } from "../baseImage.ts";
import { hasImage } from "../docker.ts";
import { ensureBuilt } from "../nodeImages.ts";
import { projectRoot } from "../paths.ts";
import type { Progress } from "../progress.ts";

/** Debian releases that a machine may have. */
export const releases = [RELEASE, "bookworm"] as const;
export type Release = (typeof releases)[number];

const context = join(projectRoot, "images", "machine");

/** e.g. `understudy/machine:trixie-0123456789ab`. */
export function machineImageTag(release: Release): string {
  return `understudy/machine:${release}-${fingerprint(context).slice(0, 12)}`;
}

export async function ensureMachineImage(release: Release, progress: Progress): Promise<string> {
  const tag = machineImageTag(release);
  if (await hasImage(tag)) {
    progress.found(`image: ${tag} is there`);
    return tag;
  }
  await ensureBaseImage(progress, release);
  await ensureBuilt(tag, context, progress, { RELEASE: release });
  return tag;
}
