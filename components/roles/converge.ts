/**
 * Observe, plan, act. `preview` does the first two and changes nothing; `apply` does all three and is done when
 * a fresh observation leaves nothing to plan. State is observed and never remembered, so a run that was killed
 * at any step is finished by the next.
 * Two converges of one deployment are kept apart by a lock on its nodes, see `lock.ts`.
 */
import { act } from "./act/act.ts";
import type { RunCommand } from "./act/fenceCommand.ts";
import type { Desired } from "./desired.ts";
import type { Observed } from "./facts.ts";
import { DeploymentLock, Locked, owner } from "./lock.ts";
import { observe } from "./observe.ts";
import { describe } from "./plan/consequences.ts";
import { plan } from "./plan/plan.ts";
import { renderPlan, renderRefusals } from "./plan/render.ts";
import type { NodeAccess } from "./session.ts";
import type { Notice, Plan, Refusal, Step } from "./steps.ts";

export interface Preview {
  /** For the operator. */
  readonly text: string;
  readonly steps: readonly Step[];
  readonly refusals: readonly Refusal[];
  readonly notices: readonly Notice[];
  /**
   * What the RoleChange resource takes as an input. Nothing to do: the value that the last completed converge left
   * on the active node, so the input does not change and the resource does not run. Otherwise a new value, so it
   * does, however often that was tried before.
   */
  readonly generation: string;
  readonly observed: Observed;
}

export interface Converge {
  readonly desired: Desired;
  readonly access: ReadonlyMap<string, NodeAccess>;
  readonly now?: () => Date;
}

/** A reason not to go on that is meant for the operator as it is. */
export class Refused extends Error {
  override readonly name = "Refused";
}

/** Stopped units, then a stopped primary, then stopped standbys may each show new work; and one look at the end. */
const maximumRounds = 6;

export async function preview({ desired, access, now }: Converge): Promise<Preview> {
  return foresee(await observe(access, { catalogOf: desired.active, ...(now ? { now } : {}) }), desired);
}

/** What was found out beside the nodes' own facts: what speaks against the update, and what is to be known. */
export interface Aside {
  readonly refusals: readonly Refusal[];
  readonly notices: readonly Notice[];
}

export function foresee(observed: Observed, desired: Desired, aside: Aside = nothingAside): Preview {
  const made = withAside(plan(observed, desired, "preview"), aside);
  const active = observed.nodes[desired.active];
  const left = active?.reach === "up" ? active.report.generation : null;
  const { steps, refusals, notices } = made;
  return {
    text: renderPlan(made, observed, desired),
    steps,
    refusals,
    notices,
    generation: isNothing(made) && left !== null ? left : observed.at,
    observed,
  };
}

const nothingAside: Aside = { refusals: [], notices: [] };

function withAside(planned: Plan, aside: Aside): Plan {
  const refusals = [...aside.refusals, ...planned.refusals];
  const notices = [...aside.notices, ...planned.notices];
  if (refusals.length > 0) return { steps: [], lookAgainAfter: null, refusals, notices };
  return { ...planned, notices };
}

export interface Apply extends Converge {
  /** What is left on the nodes when everything is done. */
  readonly generation: string;
  readonly report: (line: string) => void;
  /** See `ActOptions.beforeStep`. */
  readonly beforeStep?: (step: Step) => Promise<void>;
  /** See `ActContext.runCommand`. */
  readonly runCommand?: RunCommand;
}

export async function apply(request: Apply): Promise<void> {
  const lock = new DeploymentLock();
  let completed = false;
  // Nothing is asked through them before the lock is held. Taking it may mean to wait for a host that is off.
  for (const node of request.access.values()) node.open().catch(() => undefined);
  try {
    await lock.take(request.access, owner(new Date()), request.report);
    await converge(request);
    completed = true;
  } catch (error) {
    // A refusal has left nothing half done.
    completed = error instanceof Refused || error instanceof Locked;
    throw error instanceof Locked ? new Refused(renderRefusals({ refusals: [error.refusal] })) : error;
  } finally {
    await lock.release(completed);
  }
}

async function converge(request: Apply): Promise<void> {
  const { desired, access, now, report, beforeStep, runCommand } = request;
  const forTests = { ...(beforeStep ? { beforeStep } : {}), ...(runCommand ? { runCommand } : {}) };
  const timeoutSeconds = desired.policy.stepTimeoutSeconds;
  const clients = { nodes: desired.nodes, floating: desired.floating?.name };
  let expected = true;
  for (let round = 0; round < maximumRounds; round += 1) {
    const observed = await observe(access, { catalogOf: desired.active, ...(now ? { now } : {}) });
    const made = plan(observed, desired, "apply");
    if (made.refusals.length > 0) throw new Refused(renderRefusals(made));
    if (isNothing(made)) return await complete(request, observed);
    if (!expected) throw new Refused(unfinished(made));
    report(renderPlan(made, observed, desired));
    const last = made.lookAgainAfter;
    const steps = last === null ? made.steps : made.steps.slice(0, last + 1);
    await act(steps, { access, timeoutSeconds, report, clients, ...forTests });
    expected = last !== null;
  }
  throw new Refused(`The nodes still showed something new after ${maximumRounds} looks. Run again.`);
}

function isNothing({ steps, refusals, lookAgainAfter }: Plan): boolean {
  return steps.length === 0 && refusals.length === 0 && lookAgainAfter === null;
}

/** The active node is the one that is asked; it learns last, so that a kill in between means work is left. */
async function complete({ desired, access, generation, report }: Apply, observed: Observed): Promise<void> {
  const others = desired.nodes.map((node) => node.name).filter((name) => name !== desired.active);
  for (const name of [...others, desired.active]) {
    if (observed.nodes[name]?.reach !== "up") continue;
    const session = await access.get(name)?.open();
    await session?.call("generation", { value: generation });
  }
  report(`${desired.active} leads; everything is as desired.`);
}

function unfinished({ steps }: Plan): string {
  const left = steps.map((step) => `  ${describe(step)}`);
  return [
    "Every step was carried out, and a new look at the nodes still finds work:",
    ...left,
    "Something else changes these nodes, or a step does not do what it says. Run `npm run status`, then again.",
  ].join("\n");
}
