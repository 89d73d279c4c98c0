/**
 * What somebody changed by hand on a machine of ours: files against the manifests that were left with them, units and
 * the firewall against what was installed. It is told, and put back when the config asks for it. Pure.
 */
import { CONFIG_DIRECTORY } from "../../../postgres/paths.ts";
import { putBack } from "../../../roles/plan/byHand.ts";
import type { Notice } from "../../../roles/steps.ts";
import type { FileDrift, MachineFacts } from "./facts.ts";
import { isSameMachine } from "./judgeIdentity.ts";
import { isInstalled, isOurs, named, ownerOf } from "./rule.ts";
import { FIREWALL_UNIT, type Surveys } from "./survey.ts";
import type { SurveyWish } from "./wish.ts";

export interface Drift {
  readonly notices: readonly Notice[];
  /** By host: names of configuration files that were changed and that this update leaves as they are. */
  readonly left: Readonly<Record<string, readonly string[]>>;
}

interface Seen {
  readonly wish: SurveyWish;
  readonly facts: MachineFacts;
}

/** `known`: every host has been installed before, so that one on which nothing is was installed anew. */
export function driftOf(wishes: readonly SurveyWish[], surveys: Surveys, known: boolean): Drift {
  const seen = wishes.flatMap((wish): Seen[] => {
    const survey = surveys[wish.host];
    return survey?.reach === "up" ? [{ wish, facts: survey.facts }] : [];
  });
  // The name server may be where a site is: what is wrong there is said once.
  const machines = seen.filter(
    ({ facts }, index) => !seen.slice(0, index).some((earlier) => isSameMachine(earlier.facts, facts)),
  );
  const deployed = known || seen.some(({ wish, facts }) => isInstalled(facts, wish));
  return {
    notices: [
      ...machines.flatMap(filesOf),
      ...seen.flatMap(unitsOf),
      ...(deployed ? seen.flatMap((one) => bare(one, known)) : []),
    ],
    left: Object.fromEntries(seen.map((one) => [one.wish.host, leftAlone(one)])),
  };
}

function filesOf({ wish, facts }: Seen): Notice[] {
  if (!isOurs(facts, wish)) return [];
  const paths = [...new Set(facts.drift.map(({ path }) => path))];
  const ways = paths.map((path) => ({ path, fate: fateOf(path, { wish, facts }) }));
  const of = (fate: Fate) => ways.filter((way) => way.fate === fate).map(({ path }) => path);
  return fates.flatMap((fate) => told(wish, of(fate), facts.drift, outcome(wish, fate)));
}

function outcome({ host }: SurveyWish, fate: Fate): string {
  const repair = `To put it back: ${putBack(host)}, then pulumi up.`;
  return {
    left: repair,
    unsure: `If repair.${host} is new, this update puts it back. ${repair}`,
    written: "This update puts it back.",
  }[fate];
}

function told(
  wish: SurveyWish,
  paths: readonly string[],
  drift: readonly FileDrift[],
  then: string,
): Notice[] {
  if (paths.length === 0) return [];
  const items = paths.map((path) => `${path} was changed by hand (${how(path, drift)})`);
  return [{ code: "N_DRIFT", message: `${named(wish)}: ${items.join("; ")}. ${then}` }];
}

function how(path: string, drift: readonly FileDrift[]): string {
  const found = drift.filter((item) => item.path === path);
  return found.map(({ what, detail }) => (detail === "" ? what : `${what} ${detail}`)).join(", ");
}

/** `unsure`: a repair is asked for, and nobody noted which was the last. */
const fates = ["left", "unsure", "written"] as const;
type Fate = (typeof fates)[number];

/** A resource writes all its files, or none. */
function fateOf(path: string, one: Seen): Fate {
  const { wish, facts } = one;
  const resources = facts.drift.filter((item) => item.path === path).map(({ resource }) => resource);
  const wished = wish.checksums ?? {};
  const changes = facts.recorded.some(
    (file) =>
      resources.includes(file.resource) && wished[file.path] !== undefined && wished[file.path] !== file.sum,
  );
  return changes ? "written" : fateByRepair(one);
}

/** Of what is written again for a repair and for nothing else. */
function fateByRepair({ wish, facts }: Seen): Fate {
  const owner = ownerOf(facts, wish);
  const noted = owner === undefined || owner === "unreadable" ? undefined : owner.repair;
  if (noted === undefined) return wish.repair === undefined ? "left" : "unsure";
  return noted === (wish.repair ?? "") ? "left" : "written";
}

/** Names below the configuration directory, as the node's agent reports them. */
function leftAlone(one: Seen): string[] {
  const { wish, facts } = one;
  const changed = facts.drift.filter(({ what }) => what === "content" || what === "missing");
  return (
    Object.keys(wish.checksums ?? {})
      // What is unsure the update finds out by itself, before it loads anything.
      .filter((path) => changed.some((item) => item.path === path) && fateOf(path, one) === "left")
      .map((path) => path.replace(`${CONFIG_DIRECTORY}/`, ""))
  );
}

function unitsOf(one: Seen): Notice[] {
  const { wish, facts } = one;
  // Without a manifest nothing has been installed to its end. The file of a unit that is gone is among the files.
  if (!isOurs(facts, wish) || facts.manifestFiles === null) return [];
  const loose = facts.packages.filter(({ name, held }) => wish.held.includes(name) && !held);
  const found = [
    ...unitWrong(wish.unit, facts),
    ...loose.map(({ name }) => `the package ${name} is not held: the next upgrade may restart the server`),
    // One that is newly asked for is not there yet.
    ...(wish.firewall && isThere(FIREWALL_UNIT, facts) ? unitWrong(FIREWALL_UNIT, facts) : []),
    ...(wish.firewall && isThere(FIREWALL_UNIT, facts) && facts.firewallTable !== true
      ? [
          "the table inet understudy of nftables is missing, so nothing keeps others from the deployment's ports",
        ]
      : []),
  ];
  if (found.length === 0) return [];
  const then = outcome(wish, fateByRepair(one));
  return [{ code: "N_DRIFT", message: `${named(wish)}: ${found.join("; ")}. ${then}` }];
}

function isThere(unit: string, { units }: MachineFacts): boolean {
  return (units[unit]?.load ?? "not-found") !== "not-found";
}

function unitWrong(name: string, { units }: MachineFacts): string[] {
  const unit = units[name];
  if (!unit || unit.load === "not-found") return [];
  if (unit.load === "masked" || unit.enabled === "masked") {
    return [`${name} is masked: nothing can start it`];
  }
  return [
    ...(unit.enabled === "disabled" ? [`${name} is disabled: a reboot does not start it`] : []),
    ...(unit.dropIns.length > 0 ? [`${name} has drop-ins of somebody's (${unit.dropIns.join(", ")})`] : []),
    ...(unit.needsReload ? [`systemd has not read the present file of ${name}`] : []),
  ];
}

/** Where Pulumi's state has it as installed and the way to it is the old one, an update alone would install nothing. */
function bare({ wish, facts }: Seen, known: boolean): Notice[] {
  const anything =
    ownerOf(facts, wish) !== undefined ||
    isThere(wish.unit, facts) ||
    wish.directories.some((path) => (facts.directories[path] ?? []).length > 0);
  if (anything) return [];
  const what = known
    ? "nothing of ours is on this machine any more: it was installed anew, or it is another one. An update installs everything if its host key is another one too; otherwise it takes"
    : "nothing of ours is on this machine. This update installs everything if the machine is new to the deployment or its host key is another one; otherwise, one that was installed anew takes";
  const copied = wish.database ? "; its data is copied from another host" : "";
  return [{ code: "N_MACHINE_BARE", message: `${named(wish)}: ${what} ${putBack(wish.host)}${copied}.` }];
}
