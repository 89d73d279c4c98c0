import { killedSuite } from "../suites/killed.ts";

killedSuite({ name: "test-killed", target: "containers", net: 91, port: 16632 });
killedSuite({ name: "test-mkilled", target: "machines", net: 94, port: 16652 });
