/**
 * A converge that something happens to between two of its steps. It knows of no topology: whatever steps a plan has,
 * the given function is called before each of them, so a new topology gets the same treatment.
 */
import { fork } from "node:child_process";
import type { Desired } from "../../components/roles/desired.ts";
import type { BeforeStep, ConvergeOrder } from "./convergeWithFaults.ts";
import { monotonicMs } from "./ledgerHistory.ts";
import type { Outcome } from "./stack.ts";

export interface SteppedOutcome extends Outcome {
  readonly steps: readonly BeforeStep["step"][];
  readonly killed: boolean;
  readonly seconds: number;
}

/** What is done before a step; "kill": SIGKILL to the converge itself, which then has not begun the step. */
export type Intervene = (before: BeforeStep) => Promise<"kill" | undefined> | "kill" | undefined;

export async function steppedConverge(
  desired: Desired,
  intervene: Intervene = () => undefined,
): Promise<SteppedOutcome> {
  const began = monotonicMs();
  const child = fork(new URL("./convergeWithFaults.ts", import.meta.url), [], {
    stdio: ["ignore", "pipe", "pipe", "ipc"],
  });
  const steps: BeforeStep["step"][] = [];
  let text = "";
  let failure: Error | undefined;
  let killed = false;
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on("data", (chunk) => {
      text += chunk;
    });
  }
  child.on("message", async (message: BeforeStep) => {
    steps.push(message.step);
    try {
      if ((await intervene(message)) === "kill") {
        killed = true;
        child.kill("SIGKILL");
      } else if (child.connected) child.send("go on");
    } catch (error) {
      failure = error as Error;
      child.kill("SIGKILL");
    }
  });
  child.send({ desired, generation: `stepped-${Date.now()}` } satisfies ConvergeOrder);
  const code = await new Promise<number>((resolve) => child.on("close", (status) => resolve(status ?? 137)));
  if (failure) throw failure;
  return { code, text, steps, killed, seconds: (monotonicMs() - began) / 1000 };
}
