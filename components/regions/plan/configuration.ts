/**
 * Patroni's dynamic configuration, by `PATCH /config`. The regions that follow come first: what is wrong with a
 * change then shows where nobody writes, and no standby ever has less than its primary.
 */
import { sharedSettings } from "../../roles/plan/conf.ts";
import {
  type DynamicChange,
  dynamicChanges,
  inWords,
  patchOf,
  restartChanges,
  shortName,
} from "./dynamicDiff.ts";
import {
  activeOf,
  type Concern,
  type Fleet,
  type MemberView,
  othersOf,
  type Refusal,
  type RegionView,
  spokesman,
} from "./fleet.ts";

/** What the cluster of a region still has to take over. Nothing where it is not made yet: it begins with the wish. */
export function changesOf({ config, wish }: RegionView): DynamicChange[] {
  return config === null ? [] : dynamicChanges(wish.dynamic, config);
}

export const configuration: Concern = (fleet) => {
  const regions = [...othersOf(fleet), activeOf(fleet)];
  const steps = regions.flatMap((region) => {
    const changes = changesOf(region);
    const host = spokesman(region)?.name;
    if (changes.length === 0 || host === undefined || region.leader === null) return [];
    return [{ kind: "patchConfig", host, patch: patchOf(changes), changes: changes.map(inWords) } as const];
  });
  const restarts = regions.some((region) => restartChanges(changesOf(region)).length > 0);
  // Which members have to be restarted for it is Patroni's to say.
  return { steps, lookAgain: restarts };
};

export function configurationRefusals(fleet: Fleet): Refusal[] {
  return [...raisedAndLowered(fleet), ...lessThanTheActive(fleet)];
}

export interface Moves {
  readonly raised: readonly string[];
  readonly lowered: readonly string[];
}

/** Settings that a standby must not have less of than its primary, and in which direction they are about to go. */
export function sharedMoves(fleet: Fleet): Moves {
  const seen = fleet.regions.flatMap((region) =>
    region.members.flatMap((member) => movesOf(member, changesOf(region))),
  );
  const of = (up: boolean) =>
    [...new Set(seen.filter((move) => move.up === up).map(({ name }) => name))].sort();
  return { raised: of(true), lowered: of(false) };
}

/** From what the member runs with, which a change that was cut off may have left behind, to what is wished. */
function movesOf(
  { patroni }: MemberView,
  changes: readonly DynamicChange[],
): { name: string; up: boolean }[] {
  const pending = patroni?.pendingValues ?? {};
  const changed = Object.fromEntries(changes.map(({ path, from, to }) => [shortName(path), { from, to }]));
  return Object.entries({ ...pending, ...changed }).flatMap(([name, { from, to }]) =>
    moves(name, pending[name]?.from ?? from, to),
  );
}

function moves(name: string, from: unknown, to: unknown): { name: string; up: boolean }[] {
  if (!(sharedSettings as readonly string[]).includes(name)) return [];
  const [was, will] = [Number(from), Number(to)];
  return Number.isFinite(was) && Number.isFinite(will) && to !== null && was !== will
    ? [{ name, up: will > was }]
    : [];
}

/** One order of restarts cannot be right for both. */
function raisedAndLowered(fleet: Fleet): Refusal[] {
  const { raised, lowered } = sharedMoves(fleet);
  if (raised.length === 0 || lowered.length === 0) return [];
  return [
    {
      code: "E_CHANGE_TOO_WIDE",
      message: `${raised.join(", ")} goes up, which must reach the standbys first, and ${lowered.join(", ")} goes down, which must reach the primary first. Make it two updates.`,
    },
  ];
}

function lessThanTheActive(fleet: Fleet): Refusal[] {
  const primary = parametersOf(activeOf(fleet));
  return othersOf(fleet).flatMap((region) => {
    const standby = parametersOf(region);
    return sharedSettings
      .filter((name) => Number(standby[name]) < Number(primary[name]))
      .map((name) => ({
        code: "E_STANDBY_PARAM",
        message: `${region.name} is to have ${name} = ${standby[name]}, less than the ${primary[name]} of ${fleet.desired.active}: its recovery would pause. Give both the same.`,
      }));
  });
}

function parametersOf({ wish }: RegionView): Readonly<Record<string, unknown>> {
  const postgresql = (wish.dynamic.postgresql ?? {}) as { parameters?: Record<string, unknown> };
  return postgresql.parameters ?? {};
}
