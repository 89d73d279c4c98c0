/**
 * A hand-made primary's data directory becomes a node's. The agent starts nothing on it before the plan has looked
 * into it; until then its old server can be started again as if nothing had been.
 */
import { ownedSettings } from "../../spec/ownedSettings.ts";
import type { DesiredNode } from "../desired.ts";
import type { AdoptedData, AdoptionFacts, ForeseenAdoption, NodeFacts } from "../facts.ts";
import type { Notice, Refusal } from "../steps.ts";
import { always, builtIn, confOf, refusal, untilItIsOurs, whileItsServerRuns } from "./adoptionRules.ts";
import { sharedSettings } from "./conf.ts";
import { type Contribution, everyNode, type Fleet, type NodeView, nodesOf } from "./fleet.ts";
import { holdsNothing, stateOf } from "./state.ts";

export function adoptionRefusals(fleet: Fleet): Refusal[] {
  return nodesOf(fleet).flatMap(({ wish, report, facts }) => {
    const foreseen = foreseenOf(facts);
    if (foreseen) return unfitForAdoption(foreseen.found, wish, foreseen.data);
    const found = report?.data.adopted;
    if (!report || !found) return [];
    const rules = report.generation === null ? [...always, ...untilItIsOurs] : always;
    return rules.flatMap((rule) => rule(found, wish, report.data));
  });
}

/** The same before the old server is stopped, by what the machine or `node.py adoption` says. */
export function unfitForAdoption(found: AdoptionFacts, wish: DesiredNode, data: AdoptedData): Refusal[] {
  return whileItsServerRuns.flatMap((rule) => rule(found, wish, data));
}

/** Nobody holds anything, and data was to be there: an empty database must not take its place. */
export function nothingToAdopt(fleet: Fleet): Refusal | undefined {
  const named = everyNode(fleet).find(({ wish }) => wish.adopt !== undefined);
  if (!named) return undefined;
  return refusal(
    "E_ADOPT_EMPTY",
    `${named.name} is to adopt ${named.wish.adopt}, and no data directory is there. Correct \`adopt\`, or remove it for a new, empty database.`,
  );
}

/** At preview nobody has looked: the update installs the agent. */
export function isToBeAdopted(view: NodeView, fleet: Fleet): boolean {
  if (fleet.moment !== "preview" || view.wish.adopt === undefined || view.name !== fleet.active.name)
    return false;
  // As observed: a concern sees it as it is expected to come up.
  return view.facts.reach === "absent" && everyNode(fleet).every(({ facts }) => holdsNothing(stateOf(facts)));
}

export function adoption(fleet: Fleet): Contribution {
  return { notices: nodesOf(fleet).flatMap((view) => noticesOf(view, fleet)) };
}

function noticesOf(view: NodeView, fleet: Fleet): Notice[] {
  const foreseen = foreseenOf(view.facts);
  const found = foreseen?.found ?? view.report?.data.adopted;
  if (!found) return isToBeAdopted(view, fleet) ? [unseen(view)] : [];
  if (found.taken) return [];
  return [
    found.otherServer === null ? takesOver(view, found) : stopsFor(view, found, fleet),
    ...lowered(view, found),
    ...notRead(view, foreseen?.settings ?? []),
    ...walElsewhere(view, found),
  ];
}

/** At preview, until the agent has started it; converge looks through the agent's eyes. */
function foreseenOf(facts: NodeFacts): ForeseenAdoption | undefined {
  return facts.reach === "absent" || facts.reach === "up" ? facts.adoption : undefined;
}

const oldConfiguration =
  "Its old configuration stays as it is and is not read any more; who may connect is for `clientAccess` to say.";

function takesOver({ name }: NodeView, { directory }: AdoptionFacts): Notice {
  return {
    code: "N_ADOPT",
    message: `${name} takes over ${directory} in place; its old server stays stopped. ${oldConfiguration}`,
  };
}

function unseen({ name, wish }: NodeView): Notice {
  return {
    code: "N_ADOPT",
    message: `${name} takes over ${wish.adopt} in place; it is looked into when the agent is there. ${oldConfiguration}`,
  };
}

/** What its clients notice. */
function stopsFor({ name }: NodeView, { directory }: AdoptionFacts, { desired }: Fleet): Notice {
  const alone =
    desired.policy.synchronous === "off"
      ? ""
      : " Until a copy of it is in sync, commits are on this site alone, as they were, and a marker says so.";
  return {
    code: "N_ADOPT",
    message: `${name} takes over ${directory} in place: this update stops the server that runs on it and keeps it from starting again. Its clients are disconnected, and writes stop for some seconds, until ours runs.${alone} ${oldConfiguration}`,
  };
}

/** Names only: a value may be a password. */
function notRead({ name, wish }: NodeView, settings: readonly string[]): Notice[] {
  const conf = confOf(wish);
  const lost = settings.filter(
    (setting) => !Object.hasOwn(conf, setting) && !Object.hasOwn(ownedSettings, setting),
  );
  if (lost.length === 0) return [];
  return [
    {
      code: "N_ADOPT_SETTINGS",
      message: `The old configuration of ${name} sets ${lost.join(", ")}, and ours does not. What it should keep belongs into \`database.settings\`.`,
    },
  ];
}

/** A primary may have less than it had; who connects should know it before they find out. */
function lowered({ name, wish }: NodeView, { ranWith }: AdoptionFacts): Notice[] {
  const gets: Readonly<Record<string, number | string>> = { ...builtIn, ...confOf(wish) };
  const less = sharedSettings.filter((setting) => Number(gets[setting]) < (ranWith[setting] ?? 0));
  if (less.length === 0) return [];
  const seen = less
    .map((setting) => `${setting} = ${ranWith[setting]}, and gets ${gets[setting]}`)
    .join("; ");
  return [
    {
      code: "N_ADOPT_LOWERED",
      message: `${name} ran with ${seen}. What it should keep belongs into \`database.settings\`.`,
    },
  ];
}

function walElsewhere({ name }: NodeView, { walDirectory }: AdoptionFacts): Notice[] {
  if (walDirectory === null) return [];
  return [
    {
      code: "N_WAL_ELSEWHERE",
      message: `The WAL of ${name} is in ${walDirectory} and stays there. Copies of it, also a later one on ${name} itself, have theirs in the data directory.`,
    },
  ];
}
