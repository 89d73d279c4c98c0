import { answerWithin, open, type RegionContext } from "./context.ts";

/** How long a proxy may need to see who leads, beside Patroni's own time: a check or two. */
const checksSeconds = 15;

/** Until the proxy's own checks have found that the member leads. */
export async function awaitBackend(proxy: string, member: string, context: RegionContext): Promise<void> {
  const args = { member, timeoutSeconds: checksSeconds };
  await (await open(proxy, context)).call("awaitBackend", args, answerWithin(args));
}
