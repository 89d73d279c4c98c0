/**
 * `(observed, desired) → steps or refusals`: pure, no I/O. The plan is a list of concerns, in the order in which their
 * steps must run. Each sees the regions as the earlier ones will leave them, so none knows of another, and a new one
 * is a new line here.
 */
import type { RegionsDesired } from "../desired.ts";
import type { RegionsObserved } from "../facts.ts";
import type { RegionStep, RegionsPlan } from "../steps.ts";
import { assume, comesUp } from "./assume.ts";
import { loadsByHand } from "./byHand.ts";
import { catalog } from "./catalog.ts";
import { clocks, switchoverClocks } from "./clocks.ts";
import { configuration } from "./configuration.ts";
import { consul } from "./consul.ts";
import { alone, failover } from "./failover.ts";
import { files, patroniFiles } from "./files.ts";
import {
  activeOf,
  type Concern,
  type Fleet,
  type HostView,
  hostsOf,
  type Moment,
  type Notice,
  type Refusal,
} from "./fleet.ts";
import { leaders, members } from "./members.ts";
import { notices as told } from "./notices.ts";
import { paused, pausedRefusals } from "./paused.ts";
import { refusals } from "./refusals.ts";
import { regionChange, settle } from "./regionChange.ts";
import { leaderRestart, restarts } from "./restarts.ts";
import { returning, silence } from "./returning.ts";
import { leaderBeforeChange, leaderOfActive, leaderOfStandbys } from "./switchover.ts";
import { hostWords, locked, programs, units } from "./units.ts";
import { fleetOf } from "./views.ts";
import { watchdogRefusals, watchdogs } from "./watchdog.ts";

/** Until the active region leads. */
const beforeItLeads: readonly Concern[] = [
  locked,
  paused,
  told,
  clocks,
  watchdogs,
  alone,
  silence,
  units,
  programs,
  consul,
  settle,
  leaderBeforeChange,
  regionChange,
  failover,
];
/**
 * Everything else rests on that: without an expected primary there is nothing to expect. Who is new copies from those that
 * are there: they admit it (their files) and keep WAL for it (their configuration) before it is waited for.
 */
const onceItLeads: readonly Concern[] = [
  returning,
  patroniFiles,
  configuration,
  leaders,
  members,
  files,
  restarts,
  leaderRestart,
  leaderOfStandbys,
  leaderOfActive,
  catalog,
].map((concern) => (fleet) => (mayLead(fleet) ? concern(fleet) : {}));
const concerns: readonly Concern[] = [...beforeItLeads, ...onceItLeads];

export function planRegions(
  observed: RegionsObserved,
  desired: RegionsDesired,
  moment: Moment = "apply",
): RegionsPlan {
  const found = fleetOf(observed, desired, moment);
  const refused = [...refusals(found), ...watchdogRefusals(found)];
  const kept = found.regions.flatMap((region) => hostsOf(region).filter(isKept));
  const steps: RegionStep[] = [];
  const late: Refusal[] = [];
  const notices: Notice[] = kept.map(keptData);
  let lookAgainAfter: number | null = kept.length > 0 ? -1 : null;
  let fleet: Fleet = kept.reduce((before, view) => comesUp(before, view.name), found);
  for (const concern of refused.length > 0 ? [] : concerns) {
    const added = concern(fleet);
    steps.push(...(added.steps ?? []));
    // What is expected to be otherwise by then is judged when it can be seen.
    if (lookAgainAfter === null) late.push(...(added.refusals ?? []));
    notices.push(...(added.notices ?? []));
    if (added.lookAgain) lookAgainAfter ??= steps.length - 1;
    fleet = (added.steps ?? []).reduce(assume, fleet);
  }
  const all = [
    ...refused,
    ...late,
    ...pausedRefusals(found, steps),
    ...switchoverClocks(found, steps),
    ...loadsByHand(found, steps),
  ];
  if (all.length > 0) return { steps: [], lookAgainAfter: null, refusals: all, notices };
  return { steps, lookAgainAfter, refusals: [], notices };
}

/** `none`: its Patroni makes it one. */
function mayLead(fleet: Fleet): boolean {
  const { role } = activeOf(fleet);
  return role === "primary" || role === "none";
}

function isKept({ facts }: HostView): boolean {
  return facts.reach === "absent" && facts.data === "kept";
}

function keptData({ name, wish }: HostView): Notice {
  const { data, unit } = hostWords(wish);
  return {
    code: "N_DATA_KEPT",
    message: `${name} has a ${data} and no ${unit}: this update makes one, and what is in the ${data} is seen then. It is never overwritten unseen.`,
  };
}
