/** The executors of what is Consul's. */
import { regionOfHost } from "../wish.ts";
import { answerWithin, limit, open, patroniLimit, type RegionExecutor, type StepOf } from "./context.ts";

type Kinds = "awaitConsul" | "grant" | "awaitVoters" | "removeServer" | "forgetNode" | "useGossipKey";

export const consul: { readonly [K in Kinds]: RegionExecutor<StepOf<K>> } = {
  async awaitConsul(step, context) {
    const session = await open(step.host, context);
    // A cluster whose servers start all at once elects after a time-out or two.
    const args = patroniLimit(context);
    const { leader } = await session.call("awaitConsul", args, answerWithin(args));
    return `its servers are led by ${leader}`;
  },

  async grant(step, context) {
    const session = await open(step.host, context);
    const { access } = regionOfHost(context.desired, step.host);
    const { changed } = await session.call("grant", access, answerWithin(limit(context)));
    return changed.length === 0 ? "as it was" : changed.join(", ");
  },

  async awaitVoters(step, context) {
    const session = await open(step.host, context);
    const args = { expected: step.expected, ...patroniLimit(context) };
    const { voters } = await session.call("awaitVoters", args, answerWithin(args));
    return `voters: ${[...voters].sort().join(", ")}`;
  },

  async removeServer(step, context) {
    const session = await open(step.host, context);
    const stay = regionOfHost(context.desired, step.host).servers.map(({ name }) => name);
    await session.call("removeServer", { node: step.node, stay }, answerWithin(limit(context)));
    return "";
  },

  async forgetNode(step, context) {
    const session = await open(step.host, context);
    await session.call("forgetNode", { node: step.node }, answerWithin(limit(context)));
    return "";
  },

  async useGossipKey(step, context) {
    const session = await open(step.host, context);
    const args = limit(context);
    const { rotated } = await session.call("useGossipKey", args, answerWithin(args));
    return rotated ? "in use everywhere, and the old one is gone" : "in use already";
  },
};
