/**
 * A data volume with a size of its own, so that it can be filled: an ext4 file system in a file, made before the stack
 * is, which then finds a volume of that name and takes it. Needs root and a free loop device.
 */
import { execFile } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { docker } from "./stack.ts";

const run = promisify(execFile);

export interface SmallVolume {
  remove(): Promise<void>;
}

/** `stack`: whose volume it is; it is removed together with it. `owner`: as numbers, that of the image's postgres. */
export async function smallVolume(
  stack: string,
  name: string,
  mebibytes: number,
  owner = "999:999",
): Promise<SmallVolume> {
  const folder = mkdtempSync(join(tmpdir(), "understudy-volume-"));
  const image = join(folder, "image");
  await run("truncate", ["-s", `${mebibytes}M`, image]);
  // No lost+found: a data volume that is not empty is somebody's.
  await run("mkfs.ext4", ["-q", "-m", "0", "-E", `root_owner=${owner}`, image]);
  await run("debugfs", ["-w", "-R", "rmdir lost+found", image]);
  const device = (await run("losetup", ["-f", "--show", image])).stdout.trim();
  const options = ["type=ext4", `device=${device}`].flatMap((option) => ["--opt", option]);
  const label = `understudy.deployment=${stack}`;
  await docker("volume", "create", "--driver", "local", ...options, "--label", label, name);
  return {
    remove: async () => {
      await run("losetup", ["-d", device]).catch(() => undefined);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
