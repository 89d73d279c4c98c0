/** One simulated node's state, and how it comes from facts; `fleet.ts` makes it obey the verbs. */
import type { Desired, DesiredNode } from "../../components/roles/desired.ts";
import type {
  LockFacts,
  NodeFacts,
  NodeReport,
  PromotionFacts,
  SlotFacts,
} from "../../components/roles/facts.ts";
import { SYSTEM, slot } from "./facts.ts";

export interface SimNode {
  unit: "up" | "stopped" | "absent" | "unreachable";
  data: "empty" | "building" | "ready" | "rewinding";
  /** What `standby.signal` says. */
  standby: boolean;
  follows: string | null;
  controlState: string;
  systemIdentifier: string;
  server: NodeReport["server"]["state"];
  streams: boolean;
  slots: SlotFacts[];
  files: NodeReport["files"];
  generation: string | null;
  /** Its WAL, record by record; a position is an index. */
  wal: string[];
  timeline: number;
  history: { timeline: number; switchLsn: string }[];
  promotion: PromotionFacts | null;
  degraded: NodeReport["degraded"];
  lock: LockFacts | null;
  /** What `keepDivergent` put aside. */
  kept: string[];
  /** A stopped unit's volumes can be looked into. */
  readable: boolean;
  /** From where the converge runs; clients and the other nodes still reach it. */
  cutOff: boolean;
}

const walStart = 0x3000000;
const recordBytes = 0x100;

export function lsn(position: number): string {
  return `0/${(walStart + position * recordBytes).toString(16).toUpperCase()}`;
}

/** The last checkpoint's record. */
export function checkpointOf(node: SimNode): number {
  return node.wal.findLastIndex((record) => record.startsWith("checkpoint"));
}

const newborn = {
  timeline: 1,
  history: [],
  promotion: null,
  degraded: null,
  lock: null,
  kept: [],
  readable: false,
  cutOff: false,
} satisfies Partial<SimNode>;

/** A stopped container hides what it was in its role: the active one a primary, the others standbys. */
export function nodeFromFacts(facts: NodeFacts, wish: DesiredNode, desired: Desired): SimNode {
  const leads = wish.name === desired.active;
  const content = { installed: wish.files, loaded: wish.files, started: wish.files };
  if (facts.reach !== "up") {
    return {
      ...newborn,
      wal: ["checkpoint 0"],
      unit: facts.reach === "stopped" ? "stopped" : facts.reach,
      data: facts.reach === "absent" ? "empty" : "ready",
      standby: !leads,
      follows: leads ? null : desired.active,
      controlState: leads ? "in production" : "in archive recovery",
      systemIdentifier: SYSTEM,
      server: "stopped",
      streams: false,
      slots: leads ? desired.nodes.filter((node) => node !== wish).map((node) => slot(node.name)) : [],
      files: content,
      generation: null,
    };
  }
  const { data, server, files } = facts.report;
  const standby =
    server.sql?.inRecovery ?? (data.standbySignal || data.control?.state === "in archive recovery");
  const kept = desired.nodes
    .filter((node) => node !== wish)
    .map((node) => slot(node.name, { active: false }));
  return {
    ...newborn,
    wal: data.state === "ready" ? ["checkpoint 0"] : [],
    unit: "up",
    data: data.state,
    standby,
    follows: data.follows,
    controlState: data.control?.state ?? "",
    systemIdentifier: data.control?.systemIdentifier ?? SYSTEM,
    server: server.state,
    streams: server.sql?.walReceiver?.status === "streaming",
    slots: server.sql ? [...server.sql.slots] : data.state === "ready" && !standby ? kept : [],
    files,
    generation: facts.report.generation,
  };
}
