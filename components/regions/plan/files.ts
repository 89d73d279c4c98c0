/**
 * Rendered files and the programs that read them: what is taken over by a reload, and what by a restart of that
 * program alone. Servers one at a time and Raft's leader last, members the same way. With Patroni PostgreSQL stops: its
 * restarts are in `restarts.ts`.
 */
import { parse } from "yaml";
import type { DesiredProgram, ProgramName } from "../desired.ts";
import type { RegionStep } from "../steps.ts";
import { changedByHand } from "./byHand.ts";
import {
  activeOf,
  type Concern,
  type Fleet,
  type HostView,
  hostsOf,
  type MemberView,
  type Moment,
  othersOf,
  programOf,
  type Refusal,
  type RegionView,
} from "./fleet.ts";
import { isRestartSetting } from "./restartSettings.ts";
import { hostWords } from "./units.ts";

export const patroniFile = "patroni/patroni.yml";

/**
 * Before anybody is waited for: whoever is new copies from those that are there, whose Patroni has to admit it first.
 * Readers first and writers last, so that what is wrong with a change shows where it costs least.
 */
export const patroniFiles: Concern = (fleet) => {
  const steps = [...othersOf(fleet), activeOf(fleet)].flatMap((region) =>
    membersInOrder(region).flatMap((host) =>
      reload(host, "patroni", changedFiles(host, "patroni", fleet.moment).reloads),
    ),
  );
  // It may have brought a setting that waits for a restart.
  return { steps, lookAgain: steps.length > 0 };
};

/** Of everything else. Readers first here, too. */
export const files: Concern = (fleet) => {
  const steps = [...othersOf(fleet), activeOf(fleet)].flatMap((region) => [
    ...serversInOrder(region).flatMap((host) => [
      ...takeOver(host, "consul", fleet.moment, [
        { kind: "awaitVoters", host: host.name, expected: region.servers.length },
      ]),
    ]),
    ...region.members.flatMap((host) =>
      takeOver(host, "consul", fleet.moment, [{ kind: "awaitConsul", host: host.name }]),
    ),
    ...region.proxies.flatMap((host) =>
      (["haproxy", "pgbouncer"] as const).flatMap((program) => takeOver(host, program, fleet.moment, [])),
    ),
  ]);
  return { steps };
};

/** `after`: what has to hold again before the next one's turn comes. */
function takeOver(
  host: HostView,
  program: ProgramName,
  moment: Moment,
  after: readonly RegionStep[],
): RegionStep[] {
  const { restarts, reloads } = changedFiles(host, program, moment);
  const changed = [...restarts, ...reloads];
  if (restarts.length > 0) return [{ kind: "restartProgram", host: host.name, program, changed }, ...after];
  return reload(host, program, reloads);
}

function reload({ name }: HostView, program: ProgramName, changed: readonly string[]): RegionStep[] {
  return changed.length > 0 ? [{ kind: "reloadProgram", host: name, program, changed }] : [];
}

export function changedFiles(
  host: HostView,
  name: ProgramName,
  moment: Moment,
): Pick<DesiredProgram, "reloads" | "restarts"> {
  const program = host.wish.programs.find((each) => each.name === name);
  const facts = programOf(host, name);
  // One that does not run reads its files when it is started.
  const runs = facts?.state === "running" || facts?.state === "starting";
  if (program === undefined || !runs || host.report === null) return { reloads: [], restarts: [] };
  const left = changedByHand(host, moment);
  const isChanged = (path: string) => {
    const [wished, found] = [host.wish.files[path], host.report?.files[path]];
    // The update will install it, or take it away. What is secret is in neither, and a certificate's note not in each wish.
    const isForeseen = wished !== found && (wished !== undefined || program.restarts.includes(path));
    const isLoaded = facts.loaded[path] === facts.installed[path];
    return !left.includes(path) && (!isLoaded || (moment === "preview" && isForeseen));
  };
  return { reloads: program.reloads.filter(isChanged), restarts: program.restarts.filter(isChanged) };
}

function serversInOrder({ servers, consul }: RegionView): readonly HostView[] {
  const leads = ({ name }: HostView) => consul.peers.some((peer) => peer.leader && peer.node === name);
  return [...servers].sort((a, b) => Number(leads(a)) - Number(leads(b)));
}

export function membersInOrder({ members, leader }: RegionView): readonly MemberView[] {
  return [...members].sort((a, b) => Number(a.name === leader) - Number(b.name === leader));
}

/** The member's own settings that its new file changes and only a restart brings into force; at preview alone. */
export function foreseenRestarts(member: MemberView): readonly string[] {
  const { wish, report } = member;
  if (changedByHand(member, "preview").includes(patroniFile)) return [];
  const [found, wanted] = [report?.files[patroniFile], wish.files[patroniFile]];
  if (found === undefined || wanted === undefined || found === wanted) return [];
  const [from, to] = [parametersIn(found), parametersIn(wanted)];
  const names = [...new Set([...Object.keys(from), ...Object.keys(to)])].sort();
  return names.filter((name) => isRestartSetting(name) && String(from[name]) !== String(to[name]));
}

function parametersIn(text: string): Readonly<Record<string, unknown>> {
  const read = parse(text) as { postgresql?: { parameters?: Record<string, unknown> } } | null;
  return read?.postgresql?.parameters ?? {};
}

/** `tags` of patroni.yml, as this update has them. */
export function tagsOf({ wish }: MemberView): Readonly<Record<string, unknown>> {
  const read = parse(wish.files[patroniFile] ?? "") as { tags?: Record<string, unknown> } | null;
  return read?.tags ?? {};
}

/** What would be loaded is not what was reviewed. On machines: see `loadsByHand`. */
export function staleFiles(fleet: Fleet): Refusal[] {
  if (fleet.moment === "preview") return [];
  return fleet.regions.flatMap((region) =>
    hostsOf(region).flatMap(({ name, wish, facts, report }) => {
      if (facts.reach !== "up" || report === null || wish.reach.kind === "machine") return [];
      const stale = Object.keys(wish.files).filter((file) => report.files[file] !== wish.files[file]);
      if (stale.length === 0) return [];
      return [
        {
          code: "E_FILES_STALE",
          message: `${name} has another ${stale.join(", ")} than this update installed: another update or a hand has written there. Run ${hostWords(wish).putBack}.`,
        },
      ];
    }),
  );
}
