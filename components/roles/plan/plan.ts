/**
 * `(observed, desired) → steps or refusals`: pure, no I/O, and the heart of the package. The plan is a list of
 * concerns, in the order in which their steps must run. Each sees the fleet as the earlier ones will leave it,
 * so none knows of another, and a new one is a new line here.
 */
import type { Desired } from "../desired.ts";
import type { Observed } from "../facts.ts";
import type { Notice, Plan, Refusal, Step } from "../steps.ts";
import { wordsOf } from "../words.ts";
import { adoption, isToBeAdopted } from "./adoption.ts";
import { assume, comesUp } from "./assume.ts";
import { bootstrap } from "./bootstrap.ts";
import { loadsByHand } from "./byHand.ts";
import { catalog } from "./catalog.ts";
import { clockNotices } from "./clocks.ts";
import { configuration, lowering } from "./configuration.ts";
import { alone, failover } from "./failover.ts";
import { type Concern, type Fleet, fleetOf, type Moment, type NodeView, nodesOf } from "./fleet.ts";
import { locked } from "./locked.ts";
import { refusals } from "./refusals.ts";
import { leader, standbys, units } from "./repair.ts";
import { returning, silence } from "./returning.ts";
import { slots } from "./slots.ts";
import { resume, settle, standoff, switchover } from "./switchover.ts";

/** Until the active node leads. */
const beforeThereIsAPrimary: readonly Concern[] = [
  locked,
  (found) => ({ notices: clockNotices(nodesOf(found), found) }),
  adoption,
  resume,
  units,
  bootstrap,
  leader,
  settle,
  switchover,
  standoff,
  failover,
];
/** Everything else rests on that: without an expected primary there is nothing to expect. */
const onceThereIsAPrimary: readonly Concern[] = [
  silence,
  slots,
  lowering,
  returning,
  standbys,
  configuration,
  catalog,
  alone,
].map((concern) => (fleet) => (fleet.active.state === "primary" ? concern(fleet) : {}));
const concerns: readonly Concern[] = [...beforeThereIsAPrimary, ...onceThereIsAPrimary];

export function plan(observed: Observed, desired: Desired, moment: Moment = "apply"): Plan {
  const found = fleetOf(observed, desired, moment);
  const refused = refusals(found);
  const kept = nodesOf(found).filter((view) => view.state === "absent-kept");
  const steps: Step[] = [];
  const late: Refusal[] = [];
  const notices: Notice[] = kept.map(keptVolume);
  const unseen = [...kept, ...nodesOf(found).filter((view) => isToBeAdopted(view, found))];
  let lookAgainAfter: number | null = unseen.length > 0 ? -1 : null;
  let fleet: Fleet = unseen.reduce((before, view) => comesUp(before, view.name), found);
  for (const concern of refused.length > 0 ? [] : concerns) {
    const added = concern(fleet);
    steps.push(...(added.steps ?? []));
    late.push(...(added.refusals ?? []));
    notices.push(...(added.notices ?? []));
    if (added.lookAgain) lookAgainAfter ??= steps.length - 1;
    fleet = (added.steps ?? []).reduce(assume, fleet);
  }
  const all = [...refused, ...late, ...loadsByHand(found, steps)];
  if (all.length > 0) return { steps: [], lookAgainAfter: null, refusals: all, notices };
  return { steps, lookAgainAfter, refusals: [], notices };
}

function keptVolume({ name, wish }: NodeView): Notice {
  const { data, unit } = wordsOf(wish);
  return {
    code: "N_DATA_KEPT",
    message: `${name} has a ${data} and no ${unit}: this update makes one, and what is in the ${data} is seen then. It is taken for that of a node in its own role; it is never overwritten unseen.`,
  };
}
