import { sessionChecks } from "../suites/sessionChecks.ts";

const often = { restarts: 7, rounds: 2 };

sessionChecks({ name: "test-noserf", net: 178, port: 17370, checks: [], ...often });
sessionChecks({ name: "test-serf", net: 179, port: 17380, checks: ["serfHealth"], ...often });
