/** Every row of a role change on machines, and with one site in a container and the other on a machine. */
import { roleChangeSuite } from "../suites/roleChange.ts";

roleChangeSuite({
  name: "test-fmroles",
  target: "machines",
  net: 90,
  port: 16532,
  rounds: 10,
  all: true,
  writesPerSecond: Infinity,
});
roleChangeSuite({
  name: "test-fxroles",
  target: "mixed",
  net: 90,
  port: 16532,
  rounds: 10,
  all: true,
  writesPerSecond: Infinity,
});
