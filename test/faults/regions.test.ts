import { afterAll, beforeAll, describe } from "vitest";
import { regionClocks } from "../suites/clocks.ts";
import { regionFaults } from "../suites/regionFaults.ts";
import { regionLoss } from "../suites/regionLoss.ts";
import { regionProxies } from "../suites/regionProxies.ts";
import { regionSecurity } from "../suites/regionSecurity.ts";
import { regionStandby } from "../suites/regionStandby.ts";
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
  regionStandby(regions);
  regionProxies(regions);
  regionClocks(regions);
  regionLoss(regions);
});
