/** The images of `images/`, built once per content by the engine that runs them. */
import { basename, join } from "node:path";
import { type ImageName, imageContext, imageTag } from "../../components/hosts/containers/images.ts";
import { ensureBaseImage } from "./baseImage.ts";
import { withLock } from "./cache.ts";
import { lastLines } from "./command.ts";
import { docker, hasImage } from "./docker.ts";
import { cacheFolder } from "./paths.ts";
import { SetUpProblem } from "./problem.ts";
import { type Progress, timed } from "./progress.ts";

/** Makes the image be there. Costs one question when it is; two at once build it once. */
export async function ensureImage(name: ImageName, progress: Progress): Promise<string> {
  const tag = imageTag(name);
  if (await hasImage(tag)) {
    progress.found(`image: ${tag} is there`);
    return tag;
  }
  await ensureBaseImage(progress);
  await ensureBuilt(tag, imageContext(name), progress);
  return tag;
}
/** Builds a context under a tag, unless the engine has it meanwhile. */
export async function ensureBuilt(
  tag: string,
  context: string,
  progress: Progress,
  buildArguments: Readonly<Record<string, string>> = {},
): Promise<void> {
  await withLock(`image-${tag.replaceAll(/[/:]/g, "-")}`, async () => {
    if (await hasImage(tag)) return;
    const { took } = await timed(() =>
      progress.during(`image: building ${tag}`, () => build(tag, context, buildArguments)),
    );
    progress.done(`image: ${tag} built (${took})`);
  });
}

async function build(
  tag: string,
  context: string,
  buildArguments: Readonly<Record<string, string>>,
): Promise<void> {
  const logFile = join(cacheFolder(), "logs", `image-${basename(context)}.log`);
  const own = Object.entries(buildArguments).flatMap(([name, value]) => ["--build-arg", `${name}=${value}`]);
  const result = await docker(
    [
      "build",
      ...proxyArguments(process.env),
      ...own,
      "--label",
      "understudy.image=true",
      "--tag",
      tag,
      context,
    ],
    { logFile },
  );
  if (result.code !== 0) {
    throw new SetUpProblem(
      `The image ${tag} could not be built:`,
      ...lastLines(`${result.stdout}\n${result.stderr}`, 8),
      `All of it: ${logFile}`,
    );
  }
}

/** Docker knows these arguments without a word in the Dockerfile, and keeps them out of the image. */
export function proxyArguments(env: NodeJS.ProcessEnv): string[] {
  return ["http_proxy", "https_proxy", "no_proxy"].flatMap((name) => {
    const value = env[name] ?? env[name.toUpperCase()];
    return value ? ["--build-arg", `${name}=${value}`] : [];
  });
}
