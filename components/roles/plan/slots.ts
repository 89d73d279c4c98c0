/**
 * Physical slots: on the primary one for each standby, on a standby none. A slot that nobody reads keeps WAL until
 * the disk or `max_slot_wal_keep_size` is reached, so leftovers that are ours go; what is not ours is only named.
 */
import type { SlotFacts } from "../facts.ts";
import type { Notice, Step } from "../steps.ts";
import { type Contribution, type Fleet, type NodeView, nodesOf } from "./fleet.ts";
import { answers } from "./state.ts";

export function slots(fleet: Fleet): Contribution {
  return {
    steps: [
      ...onPrimary(fleet),
      ...fleet.standbys.flatMap((view) => (answers(view.state) ? dropUnused(view, fleet) : [])),
    ],
    notices: nodesOf(fleet).flatMap((view) => foreign(view, fleet)),
  };
}

/** A lost slot is dropped and made anew: its standby is cloned again, see `isLost`. */
function onPrimary(fleet: Fleet): Step[] {
  const { active, standbys } = fleet;
  if (active.slots === null) return [];
  const wanted = standbys.map((view) => view.wish.slot);
  const lost = active.slots.filter(
    (slot) => wanted.includes(slot.name) && slot.walStatus === "lost" && !slot.active,
  );
  const own = active.slots.filter((slot) => slot.name === active.wish.slot && !slot.active);
  const drop = names([...lost, ...own]);
  const present = names(active.slots).filter((name) => !drop.includes(name));
  const ensure = wanted.filter((name) => !present.includes(name));
  return [...step(active, [], drop), ...step(active, ensure, [])];
}

function dropUnused(view: NodeView, fleet: Fleet): Step[] {
  const ours = fleet.desired.nodes.map(({ slot }) => slot);
  const unused = (view.slots ?? []).filter(
    (slot) => isPhysical(slot) && !slot.active && ours.includes(slot.name),
  );
  return step(view, [], names(unused));
}

function foreign(view: NodeView, fleet: Fleet): Notice[] {
  const ours = fleet.desired.nodes.map(({ slot }) => slot);
  return (view.slots ?? [])
    .filter((slot) => isPhysical(slot) && !slot.active && !ours.includes(slot.name))
    .map((slot) => ({
      code: "N_SLOT_FOREIGN",
      message: `${view.name} has the physical slot "${slot.name}", which no node of this deployment uses and nobody reads; it keeps ${slot.heldBytes} bytes of WAL. If it is a leftover: SELECT pg_drop_replication_slot('${slot.name}').`,
    }));
}

function step(view: NodeView, ensure: readonly string[], drop: readonly string[]): Step[] {
  return ensure.length + drop.length === 0 ? [] : [{ kind: "slots", node: view.name, ensure, drop }];
}

function isPhysical(slot: SlotFacts): boolean {
  return slot.kind === "physical";
}

function names(list: readonly SlotFacts[]): string[] {
  return list.map((slot) => slot.name);
}
