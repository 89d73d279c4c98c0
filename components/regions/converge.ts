/**
 * Observe, plan, act, for regions: as `roles/converge.ts` does it for a pair, by the same rounds (`roles/rounds.ts`).
 * Two converges of one deployment are kept apart by a lock on the members of all its regions.
 */
import type { RunCommand } from "../roles/act/fenceCommand.ts";
import { type Aside, goRounds, isNothing, nothingAside, underLock, withAside } from "../roles/rounds.ts";
import type { Notice, Refusal } from "../roles/steps.ts";
import { act } from "./act/act.ts";
import type { RegionsDesired } from "./desired.ts";
import type { RegionsObserved } from "./facts.ts";
import { observeRegions } from "./observe.ts";
import { describe } from "./plan/consequences.ts";
import { planRegions } from "./plan/plan.ts";
import { renderPlan } from "./plan/render.ts";
import type { UnitAccess, UnitFleet } from "./session.ts";
import type { RegionStep } from "./steps.ts";
import { allHosts, membersOf } from "./wish.ts";

export interface RegionsPreview {
  /** For the operator. */
  readonly text: string;
  readonly steps: readonly RegionStep[];
  readonly refusals: readonly Refusal[];
  readonly notices: readonly Notice[];
  /** What the RegionChange resource takes as an input: see `generationOf`. */
  readonly generation: string;
  readonly observed: RegionsObserved;
}

export interface Converge {
  readonly desired: RegionsDesired;
  readonly access: UnitFleet;
  readonly now?: () => Date;
}

/** Units, Consul, its access rules, leaders, members, and a change of the active region may each show new work. */
const maximumRounds = 10;

export async function previewRegions({ desired, access, now }: Converge): Promise<RegionsPreview> {
  return foreseeRegions(await observeRegions(access, desired, now ? { now } : {}), desired);
}

export function foreseeRegions(
  observed: RegionsObserved,
  desired: RegionsDesired,
  aside: Aside = nothingAside,
): RegionsPreview {
  const made = withAside(planRegions(observed, desired, "preview"), aside);
  const { steps, refusals, notices } = made;
  const left = isNothing(made) ? generationOf(observed, desired) : null;
  return {
    text: renderPlan(made, observed, desired),
    ...{ steps, refusals, notices, observed },
    generation: left ?? observed.at,
  };
}

/**
 * The value that the last completed converge left, where every host that answers has the same: the input of the
 * resource does not change then, and it does not run. null: one has none or another, so a converge was cut off before
 * it had told everybody, or a host is new.
 */
export function generationOf(observed: RegionsObserved, desired: RegionsDesired): string | null {
  const left = allHosts(desired).flatMap(({ name }) => {
    const facts = observed.hosts[name];
    return facts?.reach === "up" ? [facts.report.generation] : [];
  });
  const [first = null, ...others] = left;
  return others.every((value) => value === first) ? first : null;
}

export interface Apply extends Converge {
  /** What is left on the hosts when everything is done. */
  readonly generation: string;
  readonly report: (line: string) => void;
  /** See `ActOptions.beforeStep`. */
  readonly beforeStep?: (step: RegionStep) => Promise<void>;
  /** See `RegionContext.runCommand`. */
  readonly runCommand?: RunCommand;
}

export async function applyRegions(request: Apply): Promise<void> {
  const { desired, access, now, report, beforeStep, runCommand } = request;
  // Nothing is asked through them before the lock is held. Taking it may mean to wait for a host that is off.
  for (const host of access.values()) host.open().catch(() => undefined);
  const forTests = { ...(beforeStep ? { beforeStep } : {}), ...(runCommand ? { runCommand } : {}) };
  await underLock(lockable(request), report, () =>
    goRounds({
      look: () => observeRegions(access, desired, now ? { now } : {}),
      plan: (observed: RegionsObserved) => planRegions(observed, desired, "apply"),
      render: (made, observed) => renderPlan(made, observed, desired),
      describe,
      act: (steps: readonly RegionStep[]) => act(steps, { access, desired, report, ...forTests }),
      mayShowUp: ({ kind }) => waits.has(kind),
      complete: (observed) => complete(request, observed),
      report,
      maximum: maximumRounds,
    }),
  );
}

/**
 * A leader that changed, a member that streams anew, a Consul that did not tell its access rules in time, a server that has
 * not heard yet that somebody is to be forgotten: these act by themselves, and are waited for.
 */
const waits = new Set<RegionStep["kind"]>([
  "awaitConsul",
  "awaitVoters",
  "awaitLeader",
  "awaitMember",
  "grant",
  "forgetNode",
]);

/** The members of all regions: whoever changes anything changes it with one of them looking on. */
function lockable({ desired, access }: Apply): Map<string, UnitAccess> {
  const members = desired.regions.flatMap((region) => region.members.map(({ name }) => name));
  return new Map([...access].filter(([name]) => members.includes(name)));
}

/**
 * Whoever takes writes makes sure of what clients of ours are checked by (a role and a table), which no plan can see. It
 * does so when it is asked whether it leads, and here it is asked itself, whoever was waited for before.
 */
async function prepareLeader(
  desired: RegionsDesired,
  access: UnitFleet,
  observed: RegionsObserved,
): Promise<void> {
  const leaders = membersOf(desired, desired.active).filter(({ name }) => {
    const facts = observed.hosts[name];
    return facts?.reach === "up" && facts.report.patroni?.role === "primary";
  });
  for (const { name } of leaders) {
    const session = await access.get(name)?.open();
    const timeoutSeconds = desired.policy.stepTimeoutSeconds;
    await session?.call(
      "awaitLeader",
      { as: "primary", timeoutSeconds },
      { timeoutMs: timeoutSeconds * 1000 },
    );
  }
}

/** A kill in between leaves two values, so that the next run finds work; see `generationOf`. */
async function complete(
  { desired, access, generation, report }: Apply,
  observed: RegionsObserved,
): Promise<void> {
  await prepareLeader(desired, access, observed);
  const hosts = allHosts(desired).filter(({ name }) => observed.hosts[name]?.reach === "up");
  const told = hosts.map(async ({ name }) => {
    const session = await access.get(name)?.open();
    await session?.call("generation", { value: generation });
  });
  await Promise.all(told);
  report(`${desired.active} is active; everything is as desired.`);
}
