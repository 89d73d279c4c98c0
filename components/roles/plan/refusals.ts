/**
 * Why a plan must not act. One rule per hazard, all of them asked, all answers reported together: nothing is
 * changed while any of them has one.
 */
import type { DesiredCatalog } from "../desired.ts";
import type { CatalogFacts } from "../facts.ts";
import type { Refusal } from "../steps.ts";
import { type Words, wordsOf } from "../words.ts";
import { adoptionRefusals } from "./adoption.ts";
import { certificateRefusals } from "./clocks.ts";
import { readConf, sharedWhere } from "./conf.ts";
import { failoverRefusals } from "./failover.ts";
import { everyNode, type Fleet, type NodeView, nodesOf } from "./fleet.ts";
import { switchoverRefusals } from "./preflight.ts";
import { holdsNothing } from "./state.ts";
import { leadersOf, successionOf } from "./succession.ts";

type Rule = (fleet: Fleet) => readonly Refusal[];

const rules: readonly Rule[] = [
  unreachable,
  absentAtApply,
  splitBrain,
  timelineFork,
  systemIdentifiers,
  majorVersions,
  adoptionRefusals,
  noPrimary,
  switchoverRefusals,
  failoverRefusals,
  standbyParameters,
  loweredDurability,
  staleFiles,
  unusableClocks,
];

export function refusals(fleet: Fleet): Refusal[] {
  return rules.flatMap((rule) => rule(fleet));
}

/** In an emergency nobody waits for a clock. */
function unusableClocks(fleet: Fleet): Refusal[] {
  return successionOf(fleet).kind === "failover" ? [] : certificateRefusals(nodesOf(fleet), fleet);
}

/** Unreachable is not stopped: nothing that follows from its absence is done, but by the operator's statement. */
function unreachable(fleet: Fleet): Refusal[] {
  const lost = lostLeader(fleet);
  return nodesOf(fleet).flatMap(({ name, facts }) =>
    name !== lost && facts.reach === "unreachable"
      ? [
          {
            code: "E_NODE_UNREACHABLE",
            message: `${name} does not answer: ${facts.reason}. Bring it or the way to it back, then run again.`,
          },
        ]
      : [],
  );
}

function absentAtApply(fleet: Fleet): Refusal[] {
  if (fleet.moment === "preview") return [];
  const lost = lostLeader(fleet);
  return nodesOf(fleet).flatMap(({ name, facts, wish }) =>
    name !== lost && facts.reach === "absent"
      ? [
          {
            code: "E_NODE_ABSENT",
            message: absent(name, wordsOf(wish)),
          },
        ]
      : [],
  );
}

function absent(name: string, { unit, putBack }: Words): string {
  return `${name} has no ${unit}, although the update has made it. It was removed by somebody else. It is made again by ${putBack}.`;
}

/** Of this one the rules of a failover speak. */
function lostLeader(fleet: Fleet): string | null {
  const succession = successionOf(fleet);
  return succession.kind === "failover" ? succession.from.name : null;
}

function splitBrain(fleet: Fleet): Refusal[] {
  const primaries = leadersOf(fleet);
  if (primaries.length < 2) return [];
  const seen = primaries.map((view) => `${view.name} (${view.state}${position(view)})`).join(" and ");
  return [
    {
      code: "E_SPLIT_BRAIN",
      message:
        `${seen} are primaries, or would be if they were started. Which of them is right cannot be decided by a program: ` +
        `stop the applications, compare the data, keep what is needed of the wrong one, then give it up and run again:${primaries.map(giveUp).join("")}`,
    },
  ];
}

function giveUp({ name, wish }: NodeView): string {
  return `\n      ${name}: ${wordsOf(wish).giveUp}`;
}

function position({ report }: NodeView): string {
  const control = report?.data.control;
  if (!control) return "";
  return `, timeline ${control.timeline}, checkpoint ${control.checkpointLsn}`;
}

/** A standby that has been on a timeline its primary has not reached was promoted, or followed someone else. */
function timelineFork(fleet: Fleet): Refusal[] {
  const [leader, ...others] = leadersOf(fleet);
  const reached = leader?.timeline ?? null;
  if (leader === undefined || others.length > 0 || reached === null) return [];
  return nodesOf(fleet).flatMap((standby) => {
    const own = standby.timeline;
    if (standby.role !== "standby" || own === null || own <= reached) return [];
    return [
      {
        code: "E_SPLIT_BRAIN",
        message:
          `${standby.name} is on timeline ${own}, the primary ${leader.name} on ${reached}: the histories have forked. ` +
          `Find out what ${standby.name} has that ${leader.name} has not, then ${wordsOf(standby.wish).giveUp} and run again.`,
      },
    ];
  });
}

export function systemIdentifier({ report }: NodeView): string | null {
  return report?.server.sql?.systemIdentifier ?? report?.data.control?.systemIdentifier ?? null;
}

function systemIdentifiers(fleet: Fleet): Refusal[] {
  const known = everyNode(fleet).flatMap((view) => {
    const id = systemIdentifier(view);
    return id === null || holdsNothing(view.state) ? [] : [{ name: view.name, id }];
  });
  if (new Set(known.map(({ id }) => id)).size < 2) return [];
  const seen = known.map(({ name, id }) => `${name} has ${id}`).join(", ");
  return [
    {
      code: "E_SYSID_MISMATCH",
      message: `The nodes hold different database systems: ${seen}. Somebody else's data is on one of them; move it away or correct the deployment's name.`,
    },
  ];
}

function majorVersions(fleet: Fleet): Refusal[] {
  return nodesOf(fleet).flatMap((view) => {
    const found = view.report?.data.control?.majorVersion;
    if (found === undefined || found === view.wish.majorVersion) return [];
    return [
      {
        code: "E_PG_VERSION",
        message: `${view.name} holds data of PostgreSQL ${found}, and version ${view.wish.majorVersion} is asked for. A major upgrade is not a change of the number: set it back to ${found}.`,
      },
    ];
  });
}

/** A lost primary must never be replaced by an empty one. */
function noPrimary(fleet: Fleet): Refusal[] {
  if (successionOf(fleet).kind !== "lost") return [];
  const nodes = nodesOf(fleet);
  const seen = nodes.map((view) => `${view.name} is ${view.state}`).join(", ");
  const copies = nodes.filter((view) => view.role === "standby").map((view) => view.name);
  const advice =
    copies.length > 0
      ? `The data is on ${copies.join(" and ")}: make it the active site, or restore ${fleet.active.name} from a backup.`
      : "None of them holds a usable copy: restore one from a backup.";
  return [{ code: "E_NO_PRIMARY", message: `No node can lead: ${seen}. ${advice}` }];
}

function standbyParameters(fleet: Fleet): Refusal[] {
  const primary = readConf(fleet.active.wish.files["postgresql.conf"] ?? "");
  return fleet.standbys.flatMap((view) => {
    const standby = readConf(view.wish.files["postgresql.conf"] ?? "");
    return sharedWhere(primary, standby, (a, b) => b < a).map((name) => ({
      code: "E_STANDBY_PARAM",
      message: `${view.name} is to have ${name} = ${standby[name]}, less than the primary's ${primary[name]}: its recovery would pause. Give both the same.`,
    }));
  });
}

/** `strict` promises that an acknowledged commit is on both sites. */
function loweredDurability({ desired, active }: Fleet): Refusal[] {
  if (desired.policy.synchronous !== "strict" || active.catalog === null) return [];
  return durabilityRefusals(desired.catalog, active.catalog, "on both sites");
}

/** For declared names the catalog resets it. */
export function durabilityRefusals(wish: DesiredCatalog, found: CatalogFacts, promise: string): Refusal[] {
  const declaredRoles = new Set(wish.roles.map((role) => role.name));
  const declaredDatabases = new Set(wish.databases.map((database) => database.name));
  return [
    ...lowered("ROLE", found.roles, declaredRoles, promise),
    ...lowered("DATABASE", found.databases, declaredDatabases, promise),
  ];
}

function lowered(
  kind: "ROLE" | "DATABASE",
  found: Readonly<Record<string, { readonly settings: Readonly<Record<string, string>> }>>,
  declared: ReadonlySet<string>,
  promise: string,
): Refusal[] {
  return Object.entries(found).flatMap(([name, { settings }]) => {
    const value = settings.synchronous_commit?.toLowerCase();
    if (declared.has(name) || value === undefined || value === "on" || value === "remote_apply") return [];
    return [
      {
        code: "E_DURABILITY_LOWERED",
        message: `${kind.toLowerCase()} "${name}" sets synchronous_commit = ${value}, so its commits would not be ${promise}: run ALTER ${kind} … RESET synchronous_commit, or choose synchronous: available.`,
      },
    ];
  });
}

/** What would be loaded is not what was reviewed. */
function staleFiles(fleet: Fleet): Refusal[] {
  if (fleet.moment === "preview") return [];
  return nodesOf(fleet).flatMap(({ name, wish, report }) => {
    // On a machine it matters when something is going to load them: see `byHand.ts`.
    if (report === null || wish.reach.kind === "machine") return [];
    const stale = Object.keys(wish.files).filter((file) => report.files.installed[file] !== wish.files[file]);
    if (stale.length === 0) return [];
    return [
      {
        code: "E_FILES_STALE",
        message: `${name} has another ${stale.join(", ")} than this update installed: another update or a hand has written there. Run ${wordsOf(wish).putBack}.`,
      },
    ];
  });
}
