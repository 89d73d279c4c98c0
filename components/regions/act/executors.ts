/**
 * How each step is carried out and proven, one row for each kind. A verb returns when its effect is proven where it
 * took place, so that most rows are one call with its limit. Consul's are in `consul.ts`, those of a change of the
 * active region in `handover.ts`.
 */
import { fenceFromOutside } from "../../roles/act/siteFence.ts";
import type { RegionStep } from "../steps.ts";
import { awaitCopied } from "./awaitMember.ts";
import { consul } from "./consul.ts";
import {
  accessOf,
  answerWithin,
  limit,
  open,
  patroniLimit,
  type RegionExecutor,
  type StepOf,
} from "./context.ts";
import { handover } from "./handover.ts";
import { pause } from "./pause.ts";
import { takenByMembers } from "./takenByMembers.ts";

const sqlTimeoutMs = 10 * 60_000;
/** A copy of WAL on the same disk. */
const keepMs = 10 * 60_000;

export const executors: { readonly [K in RegionStep["kind"]]: RegionExecutor<StepOf<K>> } = {
  async startUnit(step, context) {
    await accessOf(step.host, context).startUnit(limit(context).timeoutSeconds);
    return "its agent answers";
  },

  async restartUnit(step, context) {
    await accessOf(step.host, context).restartUnit(patroniLimit(context).timeoutSeconds);
    return "its agent answers again";
  },

  async startProgram(step, context) {
    const session = await open(step.host, context);
    const args = { program: step.program, ...limit(context) };
    // Patroni rewinds what only this member has, without a word to anybody.
    const kept =
      step.program === "patroni" ? await session.call("keepDivergent", {}, { timeoutMs: keepMs }) : null;
    const { ms } = await session.call("start", args, answerWithin(args));
    const copy = kept?.path ? `; what only it had is kept in ${kept.path} (${kept.bytes} bytes)` : "";
    return `${step.program} runs after ${ms} ms${copy}`;
  },

  async reloadProgram(step, context) {
    const session = await open(step.host, context);
    await session.call("reload", { program: step.program }, answerWithin(limit(context)));
    return "";
  },

  async restartProgram(step, context) {
    const session = await open(step.host, context);
    const args = { program: step.program, ...patroniLimit(context) };
    // A stop and a start, each with the limit of one.
    const { ms } = await session.call(
      "restart",
      args,
      answerWithin({ timeoutSeconds: 2 * args.timeoutSeconds }),
    );
    return `${step.program} works again after ${ms} ms`;
  },

  async hold(step, context) {
    const session = await open(step.host, context);
    const args = { program: step.program, ...limit(context) };
    const { ms } = await session.call("hold", args, answerWithin(args));
    return `${step.program} is down after ${ms} ms, and stays down`;
  },

  async awaitLeader(step, context) {
    const session = await open(step.host, context);
    const args = { as: step.as, ...patroniLimit(context) };
    const { leader, ms } = await session.call("awaitLeader", args, answerWithin(args));
    return `${leader} leads as ${step.as}, after ${ms} ms`;
  },

  awaitMember: awaitCopied,

  async patchConfig(step, context) {
    const session = await open(step.host, context);
    await session.call("patchConfig", { patch: step.patch }, answerWithin(limit(context)));
    await takenByMembers(step, context);
    return step.changes.join("; ");
  },

  async restartMember(step, context) {
    const session = await open(step.host, context);
    const args = patroniLimit(context);
    const { ms } = await session.call("restartMember", args, answerWithin(args));
    return `PostgreSQL answers again after ${ms} ms`;
  },

  async switchover(step, context) {
    const session = await open(step.host, context);
    const args = { leader: step.leader, candidate: step.candidate, ...patroniLimit(context) };
    const { leader, ms } = await session.call("switchover", args, answerWithin(args));
    if (leader !== step.candidate) throw new Error(`${leader} leads now, and ${step.candidate} was to`);
    return `${leader} leads instead of ${step.leader}, after ${ms} ms`;
  },

  async sql(step, context) {
    const session = await open(step.host, context);
    const { database, statements, summary } = step;
    await session.call("sql", { database, statements }, { timeoutMs: sqlTimeoutMs });
    return summary;
  },

  async password(step, context) {
    const session = await open(step.host, context);
    await session.call("password", { role: step.role });
    return "";
  },

  async fenceRegion({ region, command, timeoutSeconds, confirmed }, context) {
    return await fenceFromOutside({ site: region, command, timeoutSeconds, confirmed }, context);
  },

  ...consul,
  ...handover,
  ...pause,
};
