/**
 * The same `apply` as `scripts/converge.ts apply`, in a process of its own that asks its parent before every step
 * and waits for the answer. The parent lets it go on, breaks something first, or kills it. See `steppedConverge.ts`.
 */
import { once } from "node:events";
import { accessTo, closeAll } from "../../components/hosts/access.ts";
import { apply } from "../../components/roles/converge.ts";
import type { Desired } from "../../components/roles/desired.ts";
import type { Step } from "../../components/roles/steps.ts";

export interface ConvergeOrder {
  readonly desired: Desired;
  readonly generation: string;
}

/** `index`: of the steps of this run, from 0, also when it looks again in between. */
export interface BeforeStep {
  readonly index: number;
  readonly step: Step;
}

const [order] = (await once(process, "message")) as [ConvergeOrder];
const { desired, generation } = order;
const access = accessTo(desired.nodes);
let index = 0;
try {
  const beforeStep = async (step: Step) => {
    const goOn = once(process, "message");
    process.send?.({ index, step } satisfies BeforeStep);
    index += 1;
    await goOn;
  };
  await apply({ desired, access, generation, report: (line) => console.log(line), beforeStep });
} catch (error) {
  console.error((error as Error).message);
  process.exitCode = 1;
} finally {
  await closeAll(access);
  process.disconnect();
}
