/**
 * One converge of a deployment at a time, whoever starts it and from whichever copy of the state: the lock is on the
 * nodes themselves. It is held by a conversation of its own on each, so that it ends with this process and not with
 * a step that timed out.
 */
import { hostname, userInfo } from "node:os";
import { NodeError, type SessionOf } from "./conversation.ts";
import type { Verbs } from "./session.ts";
import type { Refusal } from "./steps.ts";

/** Whatever else an agent understands: a lock is taken by these. */
type LockVerbs = Pick<Verbs, "lock" | "unlock">;
type Session = SessionOf<LockVerbs>;

/** Nodes of a pair, or hosts of regions. */
export type Lockable = ReadonlyMap<string, { openAnother(): Promise<Session> }>;

const answerMs = 10_000;

export class Locked extends Error {
  readonly refusal: Refusal;
  constructor(node: string, reason: string) {
    super(reason);
    this.refusal = {
      code: "E_LOCKED",
      message: `${node} is being changed by somebody else: ${reason}. Wait until that has ended; a lock whose owner has died counts for nothing.`,
    };
  }
}

export function owner(now: Date): string {
  return `${userInfo().username}@${hostname()} pid ${process.pid} since ${now.toISOString()}`;
}

export class DeploymentLock {
  readonly #held: Session[] = [];

  /**
   * In the order of names, so that of two that begin at once one gets all. A node that does not answer is not
   * locked: what may be done without it is the plan's question.
   */
  async take(access: Lockable, who: string, report: (line: string) => void): Promise<void> {
    const names = [...access.keys()].sort();
    const opened = await Promise.allSettled(names.map((name) => access.get(name)?.openAnother()));
    const sessions = opened.map((result) => (result.status === "fulfilled" ? result.value : undefined));
    this.#held.push(...sessions.filter((session) => session !== undefined));
    for (const [index, name] of names.entries()) {
      const session = sessions[index];
      if (session) await takeOne(name, session, who, report);
    }
  }

  /** `completed`: the note goes, too; otherwise it tells the next that somebody did not get to the end. */
  async release(completed: boolean): Promise<void> {
    const held = this.#held.splice(0);
    if (completed) {
      await Promise.allSettled(held.map((session) => session.call("unlock", {}, { timeoutMs: answerMs })));
    }
    await Promise.allSettled(held.map((session) => session.close()));
  }
}

async function takeOne(
  node: string,
  session: Session,
  who: string,
  report: (line: string) => void,
): Promise<void> {
  try {
    const { tookOver } = await session.call("lock", { owner: who }, { timeoutMs: answerMs });
    if (tookOver) {
      report(
        `${node}: ${tookOver.owner} (since ${tookOver.since}) did not get to the end; this run goes on from there.`,
      );
    }
  } catch (error) {
    const code = error instanceof NodeError ? error.code : "";
    if (code === "E_LOCKED") throw new Locked(node, (error as Error).message);
    if (code !== "E_CHANNEL" && code !== "E_TIMEOUT") throw error;
  }
}
