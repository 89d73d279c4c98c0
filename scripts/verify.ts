/**
 * `node scripts/verify.ts`, with a `VerifyRequest` (a pair) or a `RegionsVerifyRequest` as JSON on stdin: one write and
 * its read back over the published name, as a client does it. The name is looked up at the deployment's own server; the
 * client is a node that is not active, where one answers, so that the way is the one over the network. Exit 1 and the
 * reason on stderr.
 */
import { text } from "node:stream/consumers";
import type { RegionsVerifyRequest } from "../components/regions/regionsVerification.ts";
import type { VerifyRequest } from "../components/roles/verification.ts";
import { verifyPair } from "./toolchain/verifyPair.ts";
import { verifyRegions } from "./toolchain/verifyRegions.ts";

try {
  const request = JSON.parse(await text(process.stdin)) as VerifyRequest | RegionsVerifyRequest;
  console.log(await ("regions" in request ? verifyRegions(request) : verifyPair(request)));
} catch (error) {
  console.error((error as Error).message);
  process.exitCode = 1;
}
