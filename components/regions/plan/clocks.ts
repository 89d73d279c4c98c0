/** Hosts whose clock is wrong: told always, and refused where a planned change of roles or TLS would meet it. */
import {
  certificateRefusals,
  clockNotices,
  clockRefusal,
  inWords,
  wrongClocks,
} from "../../roles/plan/clocks.ts";
import type { RegionStep } from "../steps.ts";
import { type Concern, type Fleet, hostsOf, type Refusal, type RegionView } from "./fleet.ts";
import { successionOf } from "./succession.ts";

export const clocks: Concern = (fleet) => ({ notices: clockNotices(fleet.regions.flatMap(hostsOf), fleet) });

/** In an emergency nobody waits for a clock: the old region's hosts need not answer at all. */
export function unusableClocks(fleet: Fleet): Refusal[] {
  if (successionOf(fleet).kind === "failover") return [];
  return certificateRefusals(fleet.regions.flatMap(hostsOf), fleet);
}

/** All hosts of both, because each of them has a part in the change. */
export function changeClocks(from: RegionView, to: RegionView, fleet: Fleet): Refusal[] {
  return refused([...hostsOf(from), ...hostsOf(to)], fleet);
}

/** Inside a region Patroni does it, among its members. */
export function switchoverClocks(fleet: Fleet, steps: readonly RegionStep[]): Refusal[] {
  const candidates = steps.flatMap((step) => (step.kind === "switchover" ? [step.candidate] : []));
  const moved = fleet.regions.filter(({ members }) => members.some(({ name }) => candidates.includes(name)));
  return refused(
    moved.flatMap(({ members }) => members),
    fleet,
  );
}

function refused(hosts: Parameters<typeof wrongClocks>[0], fleet: Fleet): Refusal[] {
  const wrong = wrongClocks(hosts, fleet);
  return wrong.length === 0 ? [] : [clockRefusal(wrong.map(inWords), fleet)];
}
