/**
 * What each step is expected to make true, so that the next concern can build on it. This is an expectation and
 * no proof: `act` proves each step, and converge observes again at the end.
 */
import type { CatalogFacts, SlotFacts } from "../facts.ts";
import type { Step } from "../steps.ts";
import { type Fleet, type NodeView, nodesOf, withNode } from "./fleet.ts";

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
  stop: (step, fleet) => stops(fleet, step.node),
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
  checkpoint: (_step, fleet) => fleet,
  fence: (step, fleet) =>
    withNode(fleet, step.node, () => ({ role: "standby", signal: true, follows: step.to })),
  // Whatever is left of the site, the promotion takes it out of this plan's sight.
  fenceSite: (_step, fleet) => fleet,
  lead: (step, fleet) =>
    withNode(fleet, step.node, ({ state }) => ({
      // What is in a stopped container is started with it, and comes up as what it is now.
      state: state === "unit-stopped" ? state : "stopped-clean",
      role: "primary",
      signal: false,
      follows: null,
    })),
  gate: (_step, fleet) => fleet,
  promote: (step, fleet) => promoted(fleet, step),
  keepDivergent: (_step, fleet) => fleet,
  rewind: (step, fleet) =>
    withNode(fleet, step.node, () => ({
      state: "stopped-clean-standby",
      role: "standby",
      signal: true,
      follows: step.from,
      slots: [],
      timeline: nodesOf(fleet).find(({ name }) => name === step.from)?.timeline ?? null,
    })),
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
  return withNode(withoutStreams(fleet), name, () => ({
    state: "primary",
    role: "primary",
    configured: true,
  }));
}

function withoutStreams(fleet: Fleet): Fleet {
  const disconnected = (view: NodeView): NodeView =>
    view.state === "standby-streaming" ? { ...view, state: "standby-lagging", inSync: false } : view;
  return { ...fleet, active: disconnected(fleet.active), standbys: fleet.standbys.map(disconnected) };
}

/** Nobody reads a slot of a server that is down, and nobody streams from it. */
function stops(fleet: Fleet, name: string): Fleet {
  const view = nodesOf(fleet).find((candidate) => candidate.name === name);
  const down = withNode(fleet, name, ({ role, slots }) => ({
    state: role === "primary" ? "stopped-clean" : "stopped-clean-standby",
    inSync: false,
    slots: slots?.map((slot) => ({ ...slot, active: false })) ?? null,
  }));
  return view?.role === "primary" ? withoutStreams(down) : down;
}

/** The old primary of a switchover is there again at once; that of a failover is out of this plan's sight. */
function promoted(fleet: Fleet, step: Extract<Step, { kind: "promote" }>): Fleet {
  const leads = withNode(withoutReader(withoutStreams(fleet), step.node), step.node, (view) => ({
    state: "primary",
    role: "primary",
    signal: false,
    follows: null,
    timeline: view.timeline === null ? null : view.timeline + 1,
  }));
  if (step.rejoin !== null) return runs(leads, step.rejoin, "standby");
  if (step.mode === "switchover") return leads;
  return {
    ...leads,
    standbys: leads.standbys.filter(({ name }) => name !== step.from),
    away: [...leads.away, ...leads.standbys.filter(({ name }) => name === step.from)],
  };
}

/** Who leads reads from nobody; a standby may have read from another one until then. */
function withoutReader(fleet: Fleet, name: string): Fleet {
  const slot = nodesOf(fleet).find((view) => view.name === name)?.wish.slot;
  const free = (view: NodeView): NodeView => ({
    ...view,
    slots: view.slots?.map((each) => (each.name === slot ? { ...each, active: false } : each)) ?? null,
  });
  return { ...fleet, active: free(fleet.active), standbys: fleet.standbys.map(free) };
}

function newSlot(name: string): SlotFacts {
  return { name, kind: "physical", active: false, walStatus: "reserved", heldBytes: 0 };
}

/** What initdb leaves. */
export const newCatalog: CatalogFacts = {
  roles: {},
  databases: { postgres: { owner: "postgres", extensions: ["plpgsql"], settings: {} } },
};
