/**
 * What each step is expected to make true, so that the next concern can build on it. This is an expectation and
 * no proof: `act` proves each step, and converge observes again at the end.
 */
import type { CatalogFacts, SlotFacts } from "../facts.ts";
import type { Step } from "../steps.ts";
import { type Fleet, type NodeView, withNode } from "./fleet.ts";

type Assumption<S extends Step> = (step: S, fleet: Fleet) => Fleet;

const assumptions: { readonly [K in Step["kind"]]: Assumption<Extract<Step, { kind: K }>> } = {
  startUnit: (step, fleet) => comesUp(fleet, step.node),
  initdb: (step, fleet) =>
    withNode(fleet, step.node, () => ({
      state: "stopped-clean",
      role: "primary",
      signal: false,
      slots: [],
      catalog: newCatalog,
    })),
  clone: (step, fleet) =>
    withNode(fleet, step.node, () => ({
      state: "stopped-clean-standby",
      role: "standby",
      signal: true,
      follows: step.from,
      slots: [],
    })),
  follow: (step, fleet) =>
    withNode(fleet, step.node, () => ({ role: "standby", signal: true, follows: step.from })),
  stop: (step, fleet) =>
    withNode(fleet, step.node, () => ({ state: "stopped-clean-standby", inSync: false })),
  start: (step, fleet) => runs(fleet, step.node, step.as),
  restart: (step, fleet) => runs(fleet, step.node, step.as),
  reload: (step, fleet) => withNode(fleet, step.node, () => ({ configured: true })),
  slots: (step, fleet) =>
    withNode(fleet, step.node, (view) => {
      const kept = (view.slots ?? []).filter((slot) => !step.drop.includes(slot.name));
      const missing = step.ensure.filter((name) => !kept.some((slot) => slot.name === name));
      return { slots: [...kept, ...missing.map(newSlot)] };
    }),
  sql: (_step, fleet) => fleet,
  password: (_step, fleet) => fleet,
  awaitStandby: (step, fleet) =>
    withNode(fleet, step.standby, () => ({ state: "standby-streaming", inSync: true })),
};

export function assume(fleet: Fleet, step: Step): Fleet {
  const assumption = assumptions[step.kind] as Assumption<Step>;
  return assumption(step, fleet);
}

/**
 * A node whose inside cannot be seen is expected to come back in the role that the deployment gives it. Whoever
 * builds on this has to say `lookAgain`.
 */
export function comesUp(fleet: Fleet, name: string): Fleet {
  const leads = fleet.active.name === name;
  return withNode(runs(fleet, name, leads ? "primary" : "standby"), name, () => ({
    signal: !leads,
    follows: leads ? null : fleet.active.name,
  }));
}

/** A server that has just been started has read its files; a primary's standbys have to connect again. */
function runs(fleet: Fleet, name: string, as: "primary" | "standby"): Fleet {
  if (as === "standby") {
    return withNode(fleet, name, () => ({
      state: "standby-lagging",
      role: "standby",
      configured: true,
      inSync: false,
    }));
  }
  const disconnected = (view: NodeView): NodeView =>
    view.state === "standby-streaming" ? { ...view, state: "standby-lagging", inSync: false } : view;
  const others = { ...fleet, standbys: fleet.standbys.map(disconnected) };
  return withNode(others, name, () => ({ state: "primary", role: "primary", configured: true }));
}

function newSlot(name: string): SlotFacts {
  return { name, kind: "physical", active: false, walStatus: "reserved", heldBytes: 0 };
}

/** What initdb leaves. */
const newCatalog: CatalogFacts = {
  roles: {},
  databases: { postgres: { owner: "postgres", extensions: ["plpgsql"], settings: {} } },
};
