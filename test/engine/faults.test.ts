/** The faults of a pair that are short enough for every run; all of them, and in containers: `npm run test:faults`. */
import { faultSuite } from "../suites/faults.ts";

faultSuite({ target: "machines", prefix: "test-sfault", rounds: 1, all: false });
