/**
 * Why a plan must not act. One rule per hazard, all of them asked, all answers reported together: nothing is changed
 * while any of them has one.
 */
import { durabilityRefusals } from "../../roles/plan/refusals.ts";
import { unusableClocks } from "./clocks.ts";
import { configurationRefusals } from "./configuration.ts";
import { failoverRefusals } from "./failover.ts";
import { staleFiles } from "./files.ts";
import {
  activeOf,
  everyRegion,
  type Fleet,
  hostsOf,
  type MemberView,
  othersOf,
  type Refusal,
  type RegionView,
} from "./fleet.ts";
import { changeRefusals } from "./preflight.ts";
import { knows, leadersOf, positionOfMember, successionOf, writerOf } from "./succession.ts";
import { condition, refusal } from "./target.ts";
import { hostWords, workable } from "./units.ts";

type Rule = (fleet: Fleet) => readonly Refusal[];

const rules: readonly Rule[] = [
  unreachable,
  absentAtApply,
  splitBrain,
  standbyClusterGone,
  timelineFork,
  systemIdentifiers,
  majorVersions,
  noPrimary,
  changeRefusals,
  failoverRefusals,
  configurationRefusals,
  loweredDurability,
  staleFiles,
  unusableClocks,
];

export function refusals(fleet: Fleet): Refusal[] {
  return rules.flatMap((rule) => rule(fleet));
}

/**
 * Unreachable is not stopped: nothing that follows from its absence is done, but by the operator's statement. In a
 * failover only the region's leader counts; whoever else is missing there comes back by itself.
 */
function unreachable(fleet: Fleet): Refusal[] {
  const failing = successionOf(fleet).kind === "failover";
  return workable(fleet).flatMap((region) =>
    hostsOf(region).flatMap(({ name, facts }) => {
      if (facts.reach !== "unreachable" || failing) return [];
      return [
        refusal(
          "E_NODE_UNREACHABLE",
          `${name} does not answer: ${facts.reason}. Bring it or the way to it back, then run again.`,
        ),
      ];
    }),
  );
}

function absentAtApply(fleet: Fleet): Refusal[] {
  if (fleet.moment === "preview") return [];
  return workable(fleet).flatMap((region) =>
    hostsOf(region).flatMap(({ name, facts, wish }) => {
      if (facts.reach !== "absent") return [];
      const { unit, putBack } = hostWords(wish);
      return [
        refusal(
          "E_NODE_ABSENT",
          `${name} has no ${unit}, although the update has made it. It was removed by somebody else. It is made again by ${putBack}.`,
        ),
      ];
    }),
  );
}

function splitBrain(fleet: Fleet): Refusal[] {
  const primaries = leadersOf(fleet);
  const writers = primaries.filter((region) => writerOf(region) !== null || region.config === null);
  if (primaries.length < 2 || writers.length < 2) return [];
  const seen = writers.map(
    (region) =>
      `${region.name} (${writerOf(region) ?? condition(region)}, timeline ${region.timeline ?? "unknown"})`,
  );
  return [
    refusal(
      "E_SPLIT_BRAIN",
      `${seen.join(" and ")} take writes, or would if they were started. Which of them is right cannot be decided by a program: ` +
        `stop the applications, compare the data, keep what is needed of the wrong one, then make that a standby cluster again and run again.`,
    ),
  ];
}

/** Without it a standby cluster promotes itself (patroni#2814), so it is never taken away but by a change of ours. */
function standbyClusterGone(fleet: Fleet): Refusal[] {
  const primaries = leadersOf(fleet);
  if (primaries.length < 2) return [];
  const right = fleet.change?.to ?? fleet.desired.active;
  return (
    primaries
      .filter(({ name, config }) => name !== right && config !== null)
      // One that does not know who took its role never followed it: it came back as what it was.
      .filter((region) => fleet.change === null || knows(region, fleet.change))
      .map((region) => {
        const writer = writerOf(region);
        const seen =
          writer === null
            ? "nobody takes writes there yet, and Patroni will let somebody as soon as it can"
            : `${writer} takes writes there on timeline ${region.timeline}`;
        return refusal(
          "E_STANDBY_CLUSTER_GONE",
          `${region.name} follows ${right}, and \`standby_cluster\` is gone from its Patroni's configuration: ${seen}. Somebody took it away by hand. Put it back on one of its members, which gives up what was written there:\n${putBack(region, right)}`,
        );
      })
  );
}

function putBack({ wish }: RegionView, of: string): string {
  const section = Object.entries(wish.standbyClusterOf[of] ?? {});
  const settings = section.map(([name, value]) => `-s 'standby_cluster.${name}=${plain(value)}'`);
  return `      patronictl edit-config --force ${settings.join(" ")}`;
}

/** patronictl reads each value as YAML. */
function plain(value: unknown): string {
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

/** A standby that has been on a timeline its primary has not reached was promoted, or followed someone else. */
function timelineFork(fleet: Fleet): Refusal[] {
  const [leader, ...more] = leadersOf(fleet);
  if (leader === undefined || more.length > 0 || writerOf(leader) === null) return [];
  const reached = leader.timeline;
  return everyRegion(fleet).flatMap(({ name, role, timeline }) => {
    if (role !== "standby" || timeline === null || reached === null || timeline <= reached) return [];
    return [
      refusal(
        "E_SPLIT_BRAIN",
        `${name} is on timeline ${timeline}, ${leader.name}, which takes writes, on ${reached}: the histories have forked. Find out what ${name} has that ${leader.name} has not, then have its members copied anew (patronictl reinit) and run again.`,
      ),
    ];
  });
}

function membersOf(fleet: Fleet): readonly MemberView[] {
  return everyRegion(fleet).flatMap(({ members }) => members);
}

function systemIdentifiers(fleet: Fleet): Refusal[] {
  const known = membersOf(fleet).flatMap(({ name, patroni, report }) => {
    const id = patroni?.systemIdentifier ?? report?.data?.control?.systemIdentifier;
    return id == null ? [] : [{ name, id }];
  });
  if (new Set(known.map(({ id }) => id)).size < 2) return [];
  const seen = known.map(({ name, id }) => `${name} has ${id}`).join(", ");
  return [
    refusal(
      "E_SYSID_MISMATCH",
      `The members hold different database systems: ${seen}. Somebody else's data is on one of them; move it away or correct the deployment's name.`,
    ),
  ];
}

function majorVersions(fleet: Fleet): Refusal[] {
  return membersOf(fleet).flatMap(({ name, wish, report }) => {
    const found = report?.data?.control?.majorVersion;
    if (found === undefined || found === wish.majorVersion) return [];
    return [
      refusal(
        "E_PG_VERSION",
        `${name} holds data of PostgreSQL ${found}, and version ${wish.majorVersion} is asked for. A major upgrade is not a change of the number: set it back to ${found}.`,
      ),
    ];
  });
}

/** A lost region must never be replaced by an empty one. */
function noPrimary(fleet: Fleet): Refusal[] {
  if (successionOf(fleet).kind !== "lost") return [];
  const active = activeOf(fleet);
  const copies = othersOf(fleet).filter(({ role }) => role === "standby" || role === "primary");
  const held = copies.flatMap(({ members }) => members.filter((view) => positionOfMember(view) !== null));
  const advice =
    copies.length > 0
      ? `The data is in ${copies.map(({ name }) => name).join(" and ")}${held.length > 0 ? ` (${held.map(({ name }) => name).join(", ")})` : ""}: make it the active region, or restore ${active.name} from a backup.`
      : "No region holds a usable copy: restore one from a backup.";
  return [refusal("E_NO_PRIMARY", `${active.name} cannot lead: ${condition(active)}. ${advice}`)];
}

function loweredDurability(fleet: Fleet): Refusal[] {
  const { policy, catalog } = fleet.desired;
  const found = activeOf(fleet).catalog;
  if (policy.synchronous !== "strict" || found === null) return [];
  return durabilityRefusals(catalog, found, "on two members");
}
