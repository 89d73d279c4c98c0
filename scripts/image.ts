/**
 * `node scripts/image.ts NAME`: makes the image `images/NAME` be there, in the engine that DOCKER_HOST names.
 * The Pulumi program runs this; it does nothing when the image is there, and two at once build it once.
 */
import { imageNames } from "../components/hosts/containers/images.ts";
import { ensureImage } from "./toolchain/nodeImages.ts";
import { runScript, SetUpProblem } from "./toolchain/problem.ts";
import { Progress } from "./toolchain/progress.ts";

await runScript(async () => {
  const asked = process.argv[2];
  const name = imageNames.find((known) => known === asked);
  if (name === undefined) {
    throw new SetUpProblem(
      `There is no image ${asked ?? "(none given)"}.`,
      `Known: ${imageNames.join(", ")}`,
    );
  }
  process.stdout.write(`${await ensureImage(name, new Progress({ quiet: true }))}\n`);
  return 0;
});
