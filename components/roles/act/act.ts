/**
 * Carries out a plan, one step at a time, and stops at the first that fails. Every step is idempotent, so the way
 * on after a failure is always the same: put right what the message says, and run again.
 */

import { describe } from "../plan/consequences.ts";
import type { Step } from "../steps.ts";
import { type ActContext, type Executor, executors } from "./executors.ts";

export interface ActOptions extends Omit<ActContext, "progress"> {
  /** Lines for the operator. */
  readonly report: (line: string) => void;
  /** Milliseconds of a clock that does not jump. */
  readonly clock?: () => number;
  /** Called between two steps, before the line of the one that follows. For tests of what may happen there. */
  readonly beforeStep?: (step: Step) => Promise<void>;
}

export class StepFailed extends Error {
  readonly step: Step;
  constructor(step: Step, reason: string, next: string) {
    super(`${describe(step)} failed on ${step.node}: ${reason}\n${next}`);
    this.name = "StepFailed";
    this.step = step;
  }
}

export async function act(steps: readonly Step[], options: ActOptions): Promise<void> {
  const clock = options.clock ?? (() => performance.now());
  const began = clock();
  const elapsed = () => `+${Math.round(clock() - began)} ms`.padStart(10);
  const context: ActContext = { ...options, progress: (line) => options.report(`${elapsed()}     ${line}`) };
  for (const [index, step] of steps.entries()) {
    await options.beforeStep?.(step);
    const number = `${index + 1}/${steps.length}`;
    options.report(`${elapsed()}  ${number}  ${describe(step)}`);
    try {
      const execute = executors[step.kind] as Executor<Step>;
      const proof = await execute(step, context);
      if (proof !== "") options.report(`${elapsed()}     ${proof}`);
    } catch (error) {
      const done = index === 0 ? "" : `The steps before it are done and stay. `;
      throw new StepFailed(
        step,
        (error as Error).message,
        `${done}${advice[step.kind]} Then run \`pulumi up\` again.`,
      );
    }
  }
}

/** What to look at first when a step of this kind fails. */
const advice: Readonly<Record<Step["kind"], string>> = {
  startUnit: "Look at the container's own log.",
  initdb: "Look at the space and the rights on the data volume.",
  clone:
    "See that the nodes reach each other, that both certificates are valid, and that the volume has room.",
  follow: "Look at the rights on the data volume.",
  start: "PostgreSQL's log on the node says why it does not come up.",
  restart: "PostgreSQL's log on the node says why it does not come up; if it is a setting, set it back.",
  stop: "It was not forced. See what keeps it: a long checkpoint or an archiver that is stuck.",
  slots: "See that max_replication_slots leaves room.",
  reload: "Correct the line.",
  sql: "Correct what PostgreSQL refused.",
  password: "See that the role exists and that its password file is on the node.",
  awaitStandby:
    "The standby's log says why it does not stream; until it does, `strict` lets no client commit.",
};
