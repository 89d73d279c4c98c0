/**
 * Why a change of the active region is not begun. Everything that could make it fail or lose after the old region was
 * stopped is asked before, and all answers are reported together. Once it is stopped, only what the gate cannot pass
 * counts: then the way forward is the shortest one back to somebody who leads.
 */
import { bytesBetween, furthest } from "../../roles/plan/lsn.ts";
import { changeClocks } from "./clocks.ts";
import { changesOf } from "./configuration.ts";
import { leaving } from "./consul.ts";
import { restartChanges, shortName } from "./dynamicDiff.ts";
import { changedFiles } from "./files.ts";
import { activeOf, type Fleet, hostsOf, leaderView, type Refusal, type RegionView } from "./fleet.ts";
import { pendingOf } from "./restarts.ts";
import { isAhead, positionOf, successionOf, writerOf } from "./succession.ts";
import { diskSpace, quorum, refusal, unfitTarget } from "./target.ts";

type Rule = (from: RegionView, to: RegionView, fleet: Fleet) => readonly Refusal[];

const whileItRuns: readonly Rule[] = [
  primaryAlive,
  patroniVersion,
  (from, to) => [...quorum(from), ...quorum(to)],
  notStreaming,
  lag,
  (_from, to) => diskSpace(to),
  changeClocks,
  tooWide,
];

export function changeRefusals(fleet: Fleet): Refusal[] {
  const succession = successionOf(fleet);
  const to = activeOf(fleet);
  if (succession.kind === "resume") return behind(to, succession.from, "");
  if (succession.kind === "finish") {
    const { from } = succession;
    const unfit = unfitTarget(to, from);
    return unfit
      ? [unfit]
      : [...primaryAlive(from, to, fleet), ...quorum(to), ...behind(to, from, from.name)];
  }
  if (succession.kind !== "switchover") return [];
  const { from } = succession;
  const unfit = unfitTarget(to, from);
  if (unfit) return [...primaryAlive(from, to, fleet), unfit];
  return whileItRuns.flatMap((rule) => rule(from, to, fleet));
}

function primaryAlive(from: RegionView, to: RegionView, { desired }: Fleet): Refusal[] {
  if (desired.failover === undefined) return [];
  const seen = writerOf(from) === null ? "answers" : `answers (${writerOf(from)} takes writes)`;
  return [
    refusal(
      "E_PRIMARY_ALIVE",
      `${from.name} ${seen}, and a failover without it is stated: it would lose what a change with it keeps. Remove the statement (pulumi config rm failover), then ${to.name} becomes active without loss; or stop ${from.name} for good first.`,
    ),
  ];
}

/** 4.1 made the demotion of a cluster a clean one. */
function patroniVersion(from: RegionView, to: RegionView): Refusal[] {
  const old = [...from.members, ...to.members].filter(
    ({ patroni }) => patroni !== null && !isFrom41(patroni.version),
  );
  if (old.length === 0) return [];
  const seen = old.map(({ name, patroni }) => `${name} runs ${patroni?.version}`).join(", ");
  return [
    refusal(
      "E_PATRONI_VERSION",
      `Patroni demotes a cluster without loss from 4.1.0 on, and ${seen}. Update them first (a newer image), then change active.`,
    ),
  ];
}

function isFrom41(version: string): boolean {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  return major > 4 || (major === 4 && minor >= 1);
}

function notStreaming(from: RegionView, to: RegionView): Refusal[] {
  const target = leaderView(to)?.patroni;
  const sender = leaderView(from)?.patroni?.replication.find(({ name }) => name === to.leader);
  if (target?.source?.streaming === true && to.follows === from.name && sender?.state === "streaming")
    return [];
  const seen = [
    `it follows ${to.follows ?? "nobody who is declared"}`,
    `its source is ${target?.source?.host ?? "unknown"}${target?.source?.streaming ? "" : ", not streaming"}`,
    `${from.leader} sees it ${sender?.state ?? "not connected"}`,
  ].join(", ");
  return [
    refusal(
      "E_STANDBY_NOT_SYNC",
      `${to.leader}, which leads ${to.name}, does not stream from ${from.name}: ${seen}. Set active back to ${from.name} and run \`pulumi up\` until \`npm run status\` shows it streaming.`,
    ),
  ];
}

function lag(from: RegionView, to: RegionView, { desired }: Fleet): Refusal[] {
  const written = leaderView(from)?.patroni?.lsn.written ?? null;
  const lsn = leaderView(to)?.patroni?.lsn;
  const has = lsn?.replayed ?? lsn?.received ?? null;
  const limit = desired.policy.lagLimitBytes;
  const bytes = written === null || has === null ? 0 : bytesBetween(has, written);
  if (bytes <= limit) return [];
  return [
    refusal(
      "E_STANDBY_LAG",
      `${to.name} is ${bytes} bytes behind ${from.name}, more than ${limit}: writes would stop until it has replayed them. Wait until it has caught up.`,
    ),
  ];
}

function tooWide(from: RegionView, to: RegionView, fleet: Fleet): Refusal[] {
  const found = [from, to].flatMap((region) => {
    const settings = [
      ...restartChanges(changesOf(region)).map(({ path }) => shortName(path)),
      ...region.members.flatMap((view) => pendingOf(view, region, fleet)),
    ];
    const restarted = hostsOf(region).flatMap((host) =>
      (["consul", "patroni"] as const).flatMap((program) =>
        changedFiles(host, program, fleet.moment).restarts.length > 0 ? [`${program} on ${host.name}`] : [],
      ),
    );
    return [
      ...(settings.length > 0
        ? [`${[...new Set(settings)].join(", ")} in ${region.name}, which needs restarts`]
        : []),
      ...restarted.map((what) => `the files of ${what}, which needs a restart`),
      ...leaving(region).map((node) => `the Consul of ${region.name}, which ${node} leaves`),
    ];
  });
  if (found.length === 0) return [];
  return [
    refusal(
      "E_CHANGE_TOO_WIDE",
      `This update changes the active region and also ${found.join("; ")}. If it failed, nobody could say by which. Make it two updates.`,
    ),
  ];
}

/** Both are final, because nobody writes: the further one has everything, the other one would lose something. */
function behind(to: RegionView, other: RegionView, led: string): Refusal[] {
  if (!isAhead(other, to)) return [];
  const [own, has] = [furthest([positionOf(to)]), positionOf(other)];
  return [
    refusal(
      "E_STANDBY_NOT_SYNC",
      `A change was cut off and nobody takes writes: ${to.name} has ${own}, and ${other.name}${led === "" ? "" : ", which led before,"} ${has}. Set active to ${other.name} and run \`pulumi up\`.`,
    ),
  ];
}
