import { afterAll, afterEach } from "vitest";
import type { Faults } from "../support/faults.ts";
import type { RegionStack } from "../support/regionStack.ts";

/** Inside a `describe`: what a test did is undone after it, and everything is removed in the end. */
export function tidyUp(regions: RegionStack, faults: Faults): void {
  afterEach(async ({ task }) => {
    await faults.healAll();
    regions.endLedgers();
    if (task.result?.state === "fail") await regions.recover();
  });

  afterAll(async () => {
    await regions.remove();
  });
}
