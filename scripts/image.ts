/**
 * `node scripts/image.ts NAME`: makes the image `images/NAME` be there, in the engine that DOCKER_HOST names.
 * The Pulumi program runs this; it does nothing when the image is there, and two at once build it once.
 */
import { imageNames, onDemandImageNames } from "../components/hosts/containers/images.ts";
import { ensureImage } from "./toolchain/nodeImages.ts";
import { ensureOnDemandImage } from "./toolchain/onDemandImages.ts";
import { runScript, SetUpProblem } from "./toolchain/problem.ts";
import { Progress } from "./toolchain/progress.ts";

await runScript(async () => {
  const asked = process.argv[2];
  const progress = new Progress({ quiet: true });
  process.stdout.write(`${await ensure(asked, progress)}\n`);
  return 0;
});

function ensure(asked: string | undefined, progress: Progress): Promise<string> {
  const name = imageNames.find((known) => known === asked);
  if (name !== undefined) return ensureImage(name, progress);
  const onDemand = onDemandImageNames.find((known) => known === asked);
  if (onDemand !== undefined) return ensureOnDemandImage(onDemand, progress);
  throw new SetUpProblem(
    `There is no image ${asked ?? "(none given)"}.`,
    `Known: ${[...imageNames, ...onDemandImageNames].join(", ")}`,
  );
}
