/** Roles change: every row in containers, the short ones on machines. The others on machines: `npm run test:faults`. */
import { roleChangeSuite } from "../suites/roleChange.ts";

roleChangeSuite({ name: "test-roles", target: "containers", net: 90, port: 16532, rounds: 10, all: true });
// The writers as fast as they go: here and in the faults ring, where they take the cores from all that is beside them.
roleChangeSuite({
  name: "test-mroles",
  target: "machines",
  net: 90,
  port: 16532,
  rounds: 4,
  all: false,
  writesPerSecond: Infinity,
});
