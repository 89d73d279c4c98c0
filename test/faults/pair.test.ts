/** Every fault of a pair, in containers and on machines. `FAULT_ROUNDS` says how often each is repeated. */
import { faultSuite } from "../suites/faults.ts";

const rounds = Number(process.env["FAULT_ROUNDS"] ?? 2);

faultSuite({ target: "containers", prefix: "test-fault", rounds });
faultSuite({ target: "machines", prefix: "test-mfault", rounds });
