/**
 * Waits until a member runs in its cluster. One that has no data yet copies it from its leader first, which takes as
 * long as the data is large, and one that has data of its own is rewound, which takes as long as the way is narrow (over
 * some 30 kB/s it took minutes): it is waited for as long as it says that it does.
 */
import { NodeError } from "../../roles/conversation.ts";
import { answerWithin, open, patroniLimit, type RegionExecutor, type StepOf } from "./context.ts";

/** Patroni's words for a member that makes its data directory, and its agent's for one whose data is rewound. */
const copying = /creating replica|running custom bootstrap|initializing new cluster|rewinding/;
/** A copy that takes longer than this is not waited for: the next `up` finds it, done or not. */
const longestCopyMs = 12 * 60 * 60_000;

export const awaitCopied: RegionExecutor<StepOf<"awaitMember">> = async (step, context) => {
  const args = { ...patroniLimit(context), ...(step.sync ? { sync: true } : {}) };
  const until = performance.now() + longestCopyMs;
  for (;;) {
    const session = await open(step.host, context);
    try {
      const { role, ms } = await session.call("awaitMember", args, answerWithin(args));
      return `${role} after ${ms} ms`;
    } catch (error) {
      if (!(error instanceof NodeError) || error.code === "E_CHANNEL" || error.code === "E_TIMEOUT")
        throw error;
      const { patroni } = await session.call("observe", {});
      if (!copying.test(patroni?.state ?? "") || performance.now() > until) throw error;
      context.progress(`${step.host} still copies the data (${patroni?.state})`);
    }
  }
};
