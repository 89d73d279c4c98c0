/** What each verb does to a simulated node: just enough of PostgreSQL to see whether a plan leads where it should. */
import type { DesiredNode } from "../../components/roles/desired.ts";
import type { ControlFacts, NodeReport } from "../../components/roles/facts.ts";
import { NodeError, type Verbs } from "../../components/roles/session.ts";
import { control, SYSTEM, slot } from "./facts.ts";
import { checkpointOf, lsn, type SimNode } from "./simNode.ts";

/** What a verb sees of the others. */
export interface SimWorld {
  node(name: string): SimNode;
  wish(name: string): DesiredNode;
  readonly all: Readonly<Record<string, SimNode>>;
  report(name: string): NodeReport;
}

type SimVerbs = { [K in keyof Verbs]: (args: Verbs[K]["args"]) => Verbs[K]["result"] };

export function controlOf(node: SimNode): ControlFacts {
  const at = lsn(checkpointOf(node));
  const { systemIdentifier, timeline } = node;
  return control(node.controlState, { systemIdentifier, timeline, checkpointLsn: at, redoLsn: at });
}

export function startServer(name: string, node: SimNode, world: SimWorld): void {
  if (node.data !== "ready") throw new NodeError(name, "E_NO_DATA", `its data directory is ${node.data}`);
  if (node.server === "running") return;
  const files = { ...node.files, loaded: node.files.installed, started: node.files.installed };
  const controlState = node.standby ? "in archive recovery" : "in production";
  Object.assign(node, { server: "running", controlState, files });
  if (node.standby) return;
  // A primary writes as soon as it is up, and those that followed it have to connect again.
  node.wal.push(`checkpoint ${name} ${node.wal.length}`);
  for (const other of Object.values(world.all)) if (other.follows === name) other.streams = false;
}

function stopServer(name: string, node: SimNode, world: SimWorld): void {
  const followers = Object.values(world.all).filter((other) => other.streams && other.follows === name);
  if (node.server === "running" && !node.standby) {
    node.wal.push(`checkpoint ${name} ${node.wal.length}`);
    for (const other of followers) other.wal = [...node.wal];
  }
  if (node.server === "running") node.controlState = node.standby ? "shut down in recovery" : "shut down";
  for (const other of followers) other.streams = false;
  Object.assign(node, { server: "held", streams: false });
}

/** The standby's records are all its source's: it can go on from where it is. */
export function isPrefix(standby: SimNode, source: SimNode): boolean {
  return standby.wal.every((record, index) => source.wal[index] === record);
}

function copy(node: SimNode, source: SimNode): void {
  node.wal = [...source.wal];
  node.history = [...source.history];
  node.timeline = source.timeline;
  node.promotion = source.promotion;
  node.systemIdentifier = source.systemIdentifier;
}

export function simVerbs(name: string, world: SimWorld): SimVerbs {
  const node = world.node(name);
  const no = (code: string, message: string) => new NodeError(name, code, message);
  const requireDown = () => {
    if (node.server === "running") throw no("E_RUNNING", "the server runs");
  };
  return {
    observe: () => world.report(name),
    initdb: () => {
      if (!["empty", "building"].includes(node.data)) throw no("E_DATA_PRESENT", `it is ${node.data}`);
      Object.assign(node, { data: "ready", standby: false, controlState: "shut down" });
      Object.assign(node, { systemIdentifier: SYSTEM, wal: ["checkpoint 0"], timeline: 1, history: [] });
      return {};
    },
    clone: ({ from, discard }) => {
      requireDown();
      const fits = ["empty", "building"].includes(node.data);
      if (discard === undefined && !fits) throw no("E_DATA_PRESENT", `its data directory is ${node.data}`);
      if (discard !== undefined && discard !== node.systemIdentifier) throw no("E_DATA", "another system");
      const source = world.node(from);
      const held = source.slots.find((s) => s.name === world.wish(name).slot);
      if (!held || held.walStatus === "lost") throw no("E_SLOT", "no slot");
      copy(node, source);
      Object.assign(node, { data: "ready", standby: true, follows: from, slots: [] });
      // As pg_basebackup leaves it: the source's own control file.
      node.controlState = source.controlState;
      return { bytes: 4e7 };
    },
    follow: ({ from }) => {
      requireDown();
      Object.assign(node, { standby: true, follows: from });
      return {};
    },
    lead: () => {
      requireDown();
      Object.assign(node, { standby: false, follows: null });
      return {};
    },
    start: () => {
      startServer(name, node, world);
      return { ms: 1 };
    },
    restart: () => {
      stopServer(name, node, world);
      startServer(name, node, world);
      return { ms: 1 };
    },
    stop: ({ follow }) => {
      stopServer(name, node, world);
      if (follow !== undefined) Object.assign(node, { standby: true, follows: follow });
      return { ms: 1, control: node.data === "ready" ? controlOf(node) : null };
    },
    prepare: () => ({ ended: true, ms: 1 }),
    reload: () => {
      node.files = { ...node.files, loaded: node.files.installed };
      return { errors: [] };
    },
    slots: ({ ensure, drop }) => {
      const kept = node.slots.filter((s) => !drop.includes(s.name));
      const missing = ensure.filter((s) => !kept.some((k) => k.name === s));
      node.slots = [...kept, ...missing.map((s) => slot(s, { active: false }))];
      return {};
    },
    sql: () => ({}),
    password: () => ({}),
    awaitStandby: ({ standby }) => {
      const other = world.node(standby);
      const runs = node.unit === "up" && node.server === "running" && !node.standby;
      const fits =
        other.unit === "up" && other.server === "running" && other.standby && other.follows === name;
      const held = node.slots.find((s) => s.name === world.wish(standby).slot);
      const follows = runs && fits && held && held.walStatus !== "lost" && isPrefix(other, node);
      if (!follows) throw no("E_STANDBY_TIMEOUT", `${standby} does not stream`);
      copy(other, node);
      other.streams = true;
      node.degraded = null;
      node.slots = node.slots.map((s) => (s === held ? { ...s, active: true } : s));
      return { ms: 1 };
    },
    lock: ({ owner }) => {
      if (node.lock?.alive) throw no("E_LOCKED", `the deployment is locked by ${node.lock.owner}`);
      const tookOver = node.lock;
      node.lock = { owner, since: "2026-01-01T00:00:00Z", alive: true };
      return { tookOver };
    },
    unlock: () => {
      node.lock = null;
      return {};
    },
    checkpoint: () => ({ ms: 1 }),
    control: () => {
      requireDown();
      return controlOf(node);
    },
    gate: ({ control: old }) => {
      const own = controlOf(node);
      if (node.server !== "running" || !node.standby) throw no("E_NOT_STANDBY", "it is no standby");
      if (old.state !== "shut down") throw no("E_GATE_OTHER", `it is ${old.state}`);
      if (own.systemIdentifier !== old.systemIdentifier || own.timeline !== old.timeline)
        throw no("E_GATE_OTHER", "another history");
      const stopped = Number.parseInt(old.redoLsn.slice(2), 16);
      const reached = Number.parseInt(lsn(node.wal.length - 1).slice(2), 16);
      if (reached < stopped) throw no("E_GATE_BEHIND", "it lacks WAL");
      if (reached > stopped) throw no("E_GATE_AHEAD", "it has more");
      return { control: own, ms: 1 };
    },
    promote: ({ change, alone }) => {
      const last = node.promotion;
      const same = last?.to === change.to && last.from === change.from && last.mode === change.mode;
      if (!node.standby && same) return { timeline: last.timeline, switchLsn: last.switchLsn, ms: 1 };
      if (node.server !== "running" || !node.standby) throw no("E_NOT_STANDBY", "it is no standby");
      const switchLsn = lsn(node.wal.length);
      node.history = [...node.history, { timeline: node.timeline, switchLsn }];
      node.timeline += 1;
      node.wal.push(`checkpoint ${name} promoted to ${node.timeline}`);
      node.promotion = { ...change, timeline: node.timeline, switchLsn };
      const degraded = alone ? { since: change.at, lsn: switchLsn } : null;
      Object.assign(node, {
        standby: false,
        follows: null,
        streams: false,
        controlState: "in production",
        degraded,
      });
      for (const other of Object.values(world.all)) if (other.follows === name) other.streams = false;
      return { timeline: node.timeline, switchLsn, ms: 1 };
    },
    keepDivergent: () => {
      requireDown();
      node.kept = [...node.wal];
      return { path: "kept/1", bytes: 1 };
    },
    rewind: ({ from }) => {
      requireDown();
      const source = world.node(from);
      if (source.server !== "running" || source.standby) throw no("E_SOURCE", `${from} is no primary`);
      if (node.wal.some((record, index) => source.wal[index] !== record && !node.kept.includes(record)))
        throw no("E_TEST", "what only it had was not kept");
      copy(node, source);
      Object.assign(node, { standby: true, follows: from, controlState: "in archive recovery", slots: [] });
      return { bytes: 1 };
    },
    probeStart: () => ({}),
    probeStop: () => {
      const after = { server: name, timeline: node.timeline };
      return { acknowledged: 10, gapMs: 200, before: { server: "old", timeline: node.timeline - 1 }, after };
    },
    verify: () => {
      if (node.server !== "running" || node.standby) throw no("E_VERIFY", "it takes no write");
      return { server: name, timeline: node.timeline, ms: 1 };
    },
    generation: ({ value }) => {
      node.generation = value;
      return {};
    },
  };
}
