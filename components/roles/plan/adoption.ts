/**
 * A hand-made primary's data directory becomes a node's. The agent starts nothing on it before the plan has looked
 * into it; until then its old server can be started again as if nothing had been.
 */
import { ownedSettings } from "../../spec/ownedSettings.ts";
import type { DesiredNode } from "../desired.ts";
import type { AdoptedData, AdoptionFacts, ForeseenAdoption, NodeFacts } from "../facts.ts";
import type { Notice, Refusal } from "../steps.ts";
import { type Conf, readConf, sharedSettings } from "./conf.ts";
import { type Contribution, everyNode, type Fleet, type NodeView, nodesOf } from "./fleet.ts";
import { holdsNothing, stateOf } from "./state.ts";

type Rule = (found: AdoptionFacts, wish: DesiredNode, data: AdoptedData) => readonly Refusal[];

/** Whenever they are found: somebody's data would be left behind, or two servers would have one directory. */
const always: readonly Rule[] = [elsewhere, otherServer];
/** Until the first converge has come to its end; from then on it is a node's data directory like any other. */
const untilItIsOurs: readonly Rule[] = [
  noDataDirectory,
  standbys,
  place,
  tablespaces,
  autoConf,
  preparedTransactions,
  superuser,
  roles,
];

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
  // The old server still runs, as it should.
  return [elsewhere, ...untilItIsOurs].flatMap((rule) => rule(found, wish, data));
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

/** PostgreSQL's own values, of the settings that a control file remembers. */
const builtIn: Readonly<Record<(typeof sharedSettings)[number], number>> = {
  max_connections: 100,
  max_locks_per_transaction: 64,
  max_prepared_transactions: 0,
  max_wal_senders: 10,
  max_worker_processes: 8,
};

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

// ------------------------------------------------------------------------------------------------------- the rules

function noDataDirectory(
  { directory }: AdoptionFacts,
  { name, adopt }: DesiredNode,
  data: AdoptedData,
): Refusal[] {
  // One that is empty may be a node's that is made anew; see `nothingToAdopt`.
  if (adopt === undefined || data.state !== "ready" || data.control !== null) return [];
  return [
    refusal(
      "E_ADOPT_EMPTY",
      `${name} is to adopt ${directory}, which is no data directory that the agent can read. It is the one with PG_VERSION in it (SHOW data_directory).`,
    ),
  ];
}

function elsewhere({ directory, elsewhere }: AdoptionFacts, { name }: DesiredNode): Refusal[] {
  if (elsewhere === null) return [];
  return [
    refusal(
      "E_ADOPT_PLACE",
      `${name} has its data in ${elsewhere}, and ${directory} is configured. Set \`adopt\` back${elsewhere.endsWith("/understudy/pgdata") ? " (leave it out)" : ""}, or move away what is not wanted any more.`,
    ),
  ];
}

function otherServer({ directory, otherServer }: AdoptionFacts, { name }: DesiredNode): Refusal[] {
  if (otherServer === null) return [];
  return [
    refusal(
      "E_ADOPT_RUNNING",
      `A server that is not the agent's runs on ${directory} of ${name} (process ${otherServer}). Stop it, and disable its unit, so that it does not come back.`,
    ),
  ];
}

function standbys(
  { directory, taken, recoverySignal }: AdoptionFacts,
  { name }: DesiredNode,
  data: AdoptedData,
) {
  // One that was taken is a standby by the plan's own doing.
  if (taken) return [];
  const recovering = data.standbySignal || data.control?.state.includes("recovery");
  if (!recovering && !recoverySignal) return [];
  const what = recoverySignal ? "is in the middle of a recovery from an archive" : "is a standby's";
  return [
    refusal(
      "E_ADOPT_STANDBY",
      `${directory} of ${name} ${what}. Only a primary's can be adopted: let it become one first, or name the primary's.`,
    ),
  ];
}

/** Where its tablespaces are on one machine says nothing of another one. */
function tablespaces({ directory, tablespaces }: AdoptionFacts, { name }: DesiredNode): Refusal[] {
  if (tablespaces.length === 0) return [];
  return [
    refusal(
      "E_TABLESPACE",
      `${directory} of ${name} has tablespaces outside of it, in ${tablespaces.join(", ")}: a standby would need the same directories. Move what is in them (ALTER DATABASE … SET TABLESPACE pg_default, or ALTER TABLE ALL IN TABLESPACE … SET TABLESPACE pg_default), then DROP TABLESPACE.`,
    ),
  ];
}

function place({ directory, obstacle }: AdoptionFacts, { name }: DesiredNode): Refusal[] {
  if (obstacle === null) return [];
  return [
    refusal(
      "E_ADOPT_PLACE",
      `${directory} of ${name} cannot be adopted: ${obstacle}. A copy is built beside it and takes its name when the node has to be made anew, so it must be a directory of the account \`postgres\` in one that this account can write to.`,
    ),
  ];
}

/** Of settings that we state, the last word would be a file's that nobody reviews; all others are named as notices. */
function autoConf({ directory, autoConf }: AdoptionFacts, wish: DesiredNode): Refusal[] {
  const conf = confOf(wish);
  const ours = autoConf.filter(
    (setting) => Object.hasOwn(ownedSettings, setting) || Object.hasOwn(conf, setting),
  );
  if (ours.length === 0) return [];
  const resets = ours.map((setting) => `ALTER SYSTEM RESET ${setting}`).join("; ");
  return [
    refusal(
      "E_AUTO_CONF",
      `${directory}/postgresql.auto.conf of ${wish.name} sets ${ours.join(", ")} and would win over the rendered configuration, there and on every copy. Take them out (${resets}; while no server runs, with an editor), and write what should stay into \`database.settings\`.`,
    ),
  ];
}

function preparedTransactions(
  { directory, preparedTransactions }: AdoptionFacts,
  wish: DesiredNode,
): Refusal[] {
  const setting = Number(confOf(wish).max_prepared_transactions ?? builtIn.max_prepared_transactions);
  if (preparedTransactions <= setting) return [];
  return [
    refusal(
      "E_PREPARED",
      `${directory} of ${wish.name} has ${preparedTransactions} prepared transactions, and max_prepared_transactions is ${setting}: PostgreSQL would not start. End them (pg_prepared_xacts), or raise it in \`database.settings\`.`,
    ),
  ];
}

function superuser({ access }: AdoptionFacts, { name }: DesiredNode): Refusal[] {
  if (access === null) return [];
  if (!/does not exist|not permitted|no superuser/.test(access)) {
    return [
      refusal(
        "E_ADOPT_ACCESS",
        `Nobody can look into the database of ${name}: its server does not let the account postgres in over its socket (${access}). Make \`local postgres postgres peer\` the first line of its pg_hba.conf, and reload it (SELECT pg_reload_conf()).`,
      ),
    ];
  }
  return [
    refusal(
      "E_NO_SUPERUSER",
      `The agent of ${name} works as the superuser "postgres" in the database "postgres", over the local socket: ${access}. Make them (CREATE ROLE postgres SUPERUSER LOGIN; CREATE DATABASE postgres) with the superuser that there is; while no server runs, with \`postgres --single\`.`,
    ),
  ];
}

/** Nothing of a role that somebody made is changed: what it may do is its owner's business. */
function roles({ roles }: AdoptionFacts, { name }: DesiredNode): Refusal[] {
  return Object.entries(roles).map(([role, differs]) =>
    refusal(
      "E_ROLE_TAKEN",
      `${name} has a role "${role}" that is not as the deployment's own of that name: it ${differs}. Rename it (ALTER ROLE "${role}" RENAME TO …); the deployment then makes its own.`,
    ),
  );
}

function confOf({ files }: DesiredNode): Conf {
  return readConf(files["postgresql.conf"] ?? "");
}

function refusal(code: string, message: string): Refusal {
  return { code, message };
}
