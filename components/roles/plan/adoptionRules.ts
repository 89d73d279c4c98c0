/** Why a data directory of somebody's own must not become a node's: one rule per hazard. */
import { ownedSettings } from "../../spec/ownedSettings.ts";
import type { DesiredNode } from "../desired.ts";
import type { AdoptedData, AdoptionFacts } from "../facts.ts";
import type { Refusal } from "../steps.ts";
import { type Conf, readConf, type sharedSettings } from "./conf.ts";

export type AdoptionRule = (found: AdoptionFacts, wish: DesiredNode, data: AdoptedData) => readonly Refusal[];

/** Whenever they are found: somebody's data would be left behind, or two servers would have one directory. */
export const always: readonly AdoptionRule[] = [elsewhere, otherServer];
/** Until the first converge has come to its end; from then on it is a node's data directory like any other. */
export const untilItIsOurs: readonly AdoptionRule[] = [
  noDataDirectory,
  standbys,
  place,
  tablespaces,
  autoConf,
  preparedTransactions,
  superuser,
  roles,
];

/** Before anything is stopped: that its old server runs is as it should be. */
export const whileItsServerRuns: readonly AdoptionRule[] = [elsewhere, ...untilItIsOurs];

/** PostgreSQL's own values, of the settings that a control file remembers. */
export const builtIn: Readonly<Record<(typeof sharedSettings)[number], number>> = {
  max_connections: 100,
  max_locks_per_transaction: 64,
  max_prepared_transactions: 0,
  max_wal_senders: 10,
  max_worker_processes: 8,
};

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

export function confOf({ files }: DesiredNode): Conf {
  return readConf(files["postgresql.conf"] ?? "");
}

export function refusal(code: string, message: string): Refusal {
  return { code, message };
}
