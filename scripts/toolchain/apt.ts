/** Installing Debian packages, where we may: root on a machine with apt. */

import { join } from "node:path";
import { withLock } from "./cache.ts";
import { lastLines, onPath, runCommand } from "./command.ts";
import { cacheFolder } from "./paths.ts";
import { SetUpProblem } from "./problem.ts";
import { type Progress, timed } from "./progress.ts";

export function canInstallPackages(): boolean {
  return process.getuid?.() === 0 && onPath("apt-get") !== undefined;
}

/** One apt at a time, also within this process: it refuses to run twice. */
export async function installPackages(packages: readonly string[], progress: Progress): Promise<void> {
  const names = packages.join(" ");
  await progress.during(`apt: ${names}`, () =>
    withLock("apt", async () => {
      const { took } = await timed(async () => {
        await apt(["update", "-q"], "apt-get update failed");
        await apt(
          ["install", "-q", "-y", "--no-install-recommends", ...packages],
          `apt-get could not install ${names}`,
        );
      });
      progress.done(`apt: installed ${names} (${took})`);
    }),
  );
}

async function apt(args: readonly string[], complaint: string): Promise<void> {
  const result = await runCommand("apt-get", args, {
    env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" },
    logFile: join(cacheFolder(), "logs", "apt.log"),
  });
  if (result.code !== 0) throw new SetUpProblem(complaint, ...lastLines(result.stderr));
}
