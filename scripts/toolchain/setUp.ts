/** Everything that a deployment needs on this machine, made sure of; what does not depend on one another at once. */
import { imageNames, type OnDemandImageName } from "../../components/hosts/containers/images.ts";
import { ensureBaseImage } from "./baseImage.ts";
import { ensureCli } from "./cli.ts";
import { ensureEngine } from "./engine.ts";
import { ensureBackend, pulumiEnvironment } from "./environment.ts";
import { clearDeadLocks } from "./locks.ts";
import { ensureImage } from "./nodeImages.ts";
import { ensureOnDemandImage } from "./onDemandImages.ts";
import { ensurePlugins } from "./plugins.ts";
import { renderProblem, SetUpProblem } from "./problem.ts";
import { Progress, seconds } from "./progress.ts";

export interface Toolchain {
  /** For every program that is started: PATH, Pulumi's home, state and passphrase. */
  readonly env: NodeJS.ProcessEnv;
  readonly progress: Progress;
  /** This set-up started the Docker engine. */
  readonly startedEngine: boolean;
}

export interface SetUpOptions {
  /** Say nothing of what is in place already. */
  readonly quiet: boolean;
  /** Default true. False for commands that touch no container; `optional` for those that say themselves what is missing. */
  readonly containers?: boolean | "optional";
  /** Images beside those of every deployment. Default: none; a deployment has built what it needs. */
  readonly moreImages?: readonly OnDemandImageName[];
}

export async function setUp(options: SetUpOptions): Promise<Toolchain> {
  const started = Date.now();
  const progress = new Progress({ quiet: options.quiet });
  const backend = ensureBackend(progress);
  clearDeadLocks(backend.PULUMI_BACKEND_URL ?? process.env.PULUMI_BACKEND_URL ?? "", progress);
  const [cli, home, engine] = await allSettled(
    [
      ensureCli(progress),
      ensurePlugins(progress),
      options.containers === false ? noContainers : ensureContainers(progress, options),
    ],
    progress,
  );
  progress.found(`set-up: ${seconds(Date.now() - started)}`);
  return { env: pulumiEnvironment({ cli, home, backend }), progress, startedEngine: engine.started };
}

const noContainers = Promise.resolve({ started: false });

async function ensureContainers(
  progress: Progress,
  { containers: wanted, moreImages = [] }: SetUpOptions,
): Promise<{ started: boolean }> {
  const engine = await ensureEngine(progress).catch((problem: unknown) => {
    if (wanted !== "optional" || !(problem instanceof SetUpProblem)) throw problem;
    progress.done(renderProblem(problem));
    return undefined;
  });
  if (engine === undefined) return noContainers;
  await ensureBaseImage(progress);
  await allSettled(
    [
      ...imageNames.map((name) => ensureImage(name, progress)),
      ...moreImages.map((name) => ensureOnDemandImage(name, progress)),
    ],
    progress,
  );
  return engine;
}

/**
 * As Promise.all, but what is under way is not left behind, half done, by the first failure. The failure is told at
 * once, because what is under way may take minutes, and again at the end.
 */
async function allSettled<T extends readonly unknown[]>(
  work: { [K in keyof T]: Promise<T[K]> },
  progress: Progress,
): Promise<T> {
  const parts = work as readonly Promise<unknown>[];
  let left = parts.length;
  const ends = (problem?: unknown): void => {
    left -= 1;
    if (left > 0 && problem instanceof SetUpProblem) {
      progress.done(`${renderProblem(problem)}\nWhat is under way is finished all the same.`);
    }
  };
  for (const part of parts) part.then(() => ends(), ends);
  const results = await Promise.allSettled(parts);
  const failure = results.find((result) => result.status === "rejected");
  if (failure !== undefined) throw failure.reason;
  return results.map((result) => (result.status === "fulfilled" ? result.value : undefined)) as unknown as T;
}
