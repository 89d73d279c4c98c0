/**
 * Observe, plan, act. `preview` does the first two and changes nothing; `apply` does all three and is done when
 * a fresh observation leaves nothing to plan; see `rounds.ts`. Two converges of one deployment are kept apart by a
 * lock on its nodes, see `lock.ts`.
 */
import { act } from "./act/act.ts";
import type { RunCommand } from "./act/fenceCommand.ts";
import type { Desired } from "./desired.ts";
import type { Observed } from "./facts.ts";
import { observe } from "./observe.ts";
import { describe } from "./plan/consequences.ts";
import { plan } from "./plan/plan.ts";
import { renderPlan } from "./plan/render.ts";
import {
  type Aside,
  goRounds,
  isNothing,
  nothingAside,
  type Rounds,
  underLock,
  withAside,
} from "./rounds.ts";
import type { NodeAccess } from "./session.ts";
import type { Notice, Refusal, Step } from "./steps.ts";

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

/** Stopped units, then a stopped primary, then stopped standbys may each show new work; and one look at the end. */
const maximumRounds = 6;

export async function preview({ desired, access, now }: Converge): Promise<Preview> {
  return foresee(await observe(access, { catalogOf: desired.active, ...(now ? { now } : {}) }), desired);
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
  const { desired, access, now, report, beforeStep, runCommand } = request;
  // Nothing is asked through them before the lock is held. Taking it may mean to wait for a host that is off.
  for (const node of access.values()) node.open().catch(() => undefined);
  const forTests = { ...(beforeStep ? { beforeStep } : {}), ...(runCommand ? { runCommand } : {}) };
  const timeoutSeconds = desired.policy.stepTimeoutSeconds;
  const clients = { nodes: desired.nodes, floating: desired.floating?.name };
  const rounds: Rounds<Observed, Step> = {
    look: () => observe(access, { catalogOf: desired.active, ...(now ? { now } : {}) }),
    plan: (observed) => plan(observed, desired, "apply"),
    render: (made, observed) => renderPlan(made, observed, desired),
    describe,
    act: (steps) => act(steps, { access, timeoutSeconds, report, clients, ...forTests }),
    complete: (observed) => complete(request, observed),
    report,
    maximum: maximumRounds,
  };
  await underLock(access, report, () => goRounds(rounds));
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
