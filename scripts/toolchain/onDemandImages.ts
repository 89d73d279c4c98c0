/** The images that only some deployments need. What their build needs beside the folder in `images/` is put there. */
import { copyFileSync, cpSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  imageContext,
  type OnDemandImageName,
  onDemandImageTag,
} from "../../components/hosts/containers/images.ts";
import { ensureBaseImage } from "./baseImage.ts";
import { lastLines, onPath, runCommand } from "./command.ts";
import { ensureConsul } from "./consul.ts";
import { docker, hasImage } from "./docker.ts";
import { ensureBuilt, ensureImage } from "./nodeImages.ts";
import { SetUpProblem } from "./problem.ts";
import type { Progress } from "./progress.ts";

/** Makes the image be there. Costs one question when it is; two at once build it once. */
export async function ensureOnDemandImage(name: OnDemandImageName, progress: Progress): Promise<string> {
  const tag = onDemandImageTag(name);
  if (await hasImage(tag)) {
    progress.found(`image: ${tag} is there`);
    return tag;
  }
  await ensureBaseImage(progress);
  // A copy, so that neither a program nor a package ever lies in the clone.
  const context = mkdtempSync(join(tmpdir(), `understudy-image-${name}-`));
  try {
    cpSync(imageContext(name), context, { recursive: true });
    const buildArguments = await prepare(name, context, progress);
    await ensureBuilt(tag, context, progress, buildArguments);
    return tag;
  } finally {
    rmSync(context, { recursive: true, force: true });
  }
}

/** Completes the context; returns the arguments of the build. */
async function prepare(
  name: OnDemandImageName,
  context: string,
  progress: Progress,
): Promise<Record<string, string>> {
  if (name === "consul") {
    const architecture = await engineArchitecture();
    copyFileSync(await ensureConsul(progress, { architecture }), join(context, "consul"));
  }
  if (name === "patroni") {
    await fetchWheels(context, progress);
    return {
      BASE: await ensureImage("postgres", progress),
      CONSUL: await ensureOnDemandImage("consul", progress),
    };
  }
  return {};
}

/** As Go names it. */
export async function engineArchitecture(): Promise<string> {
  const result = await docker(["version", "--format", "{{.Server.Arch}}"]);
  if (result.code !== 0) {
    throw new SetUpProblem("The Docker engine did not say what it runs on:", ...lastLines(result.stderr));
  }
  return result.stdout.trim();
}

/** With this machine's own pip, which knows the mirror that this machine uses; without one, the build fetches them. */
export async function fetchWheels(context: string, progress: Progress): Promise<void> {
  const folder = join(context, "wheels");
  mkdirSync(folder);
  const python = onPath("python3");
  if (python === undefined) return;
  const result = await runCommand(
    python,
    [
      "-m",
      "pip",
      "download",
      "--quiet",
      "--no-deps",
      "--require-hashes",
      "--only-binary=:all:",
      "--dest",
      folder,
      "--requirement",
      join(context, "requirements.txt"),
    ],
    { timeoutMs: 300_000 },
  );
  if (result.code === 0) return;
  progress.done("image: this machine's pip could not fetch the wheels for patroni; the build tries to");
  // Half of them would make the build believe that they are all there.
  rmSync(folder, { recursive: true, force: true });
}
