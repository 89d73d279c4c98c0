import { afterAll, beforeAll, describe } from "vitest";
import { regionFaults } from "../suites/regionFaults.ts";
import { regionLoss } from "../suites/regionLoss.ts";
import { regionSecurity } from "../suites/regionSecurity.ts";
import { RegionStack } from "../support/regionStack.ts";

describe("faults of two regions", () => {
  const regions = new RegionStack({ name: "test-fregions", net: 175, port: 17330 });

  beforeAll(async () => {
    await regions.bringUp();
  });

  afterAll(async () => {
    await regions.remove();
  });

  regionSecurity(regions);
  regionFaults(regions);
  regionLoss(regions);
});
