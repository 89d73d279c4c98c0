/**
 * A conversation with one node's agent (`components/postgres/node/node.py serve`): one JSON request a line,
 * one JSON answer a line, over a kept `docker exec -i` or ssh channel. The channel is opened once per converge,
 * because opening one costs more than most steps (about 60 ms for a docker exec).
 *
 *     ← {"ready": true, "protocol": 1}                                          once, first
 *     → {"id": 7, "verb": "clone", "args": {"from": "site-a"}}
 *     ← {"id": 7, "progress": "12 % of 41 MB"}                                  any number, or none
 *     ← {"id": 7, "result": {"bytes": 43012096}}                                or
 *     ← {"id": 7, "error": {"code": "E_DATA_PRESENT", "message": "…"}}          no secret in it
 */
import type { AccessOf, SessionOf } from "./conversation.ts";
import type { ControlFacts, Lsn, NodeFacts, NodeReport, PromotionFacts } from "./facts.ts";

export { type CallLimits, NodeError } from "./conversation.ts";

export type Session = SessionOf<Verbs>;

/** Every verb that a node understands. All acting verbs are idempotent; each returns when its effect is proven. */
export interface Verbs {
  observe: { args: { catalog?: boolean }; result: NodeReport };
  /** Makes a new data directory. Refuses when one is there. Discards a half-built one. */
  initdb: { args: Record<string, never>; result: Record<string, never> };
  /**
   * Base backup from the peer over TLS; leaves a standby that is not started. Discards a half-built one, and a
   * whole one only when `discard` names its system identifier and it is a standby's (`standby.signal`) or a
   * half-rewound one; the server must be down.
   */
  clone: { args: { from: string; discard?: string }; result: { bytes: number } };
  /** Writes `standby.signal` and `primary_conninfo`, durably. The server must be down. */
  follow: { args: { from: string }; result: Record<string, never> };
  /** Starts the server and waits until it answers. `holdClients` is decided by the node from its policy. */
  start: { args: { timeoutSeconds: number }; result: { ms: number } };
  /**
   * Fast stop; never escalates. The server stays down (`held`) until `start`. `control`: the control file that it
   * left (null without a data directory). `follow`: the durable fence right afterwards, as the verb `follow` does.
   */
  stop: {
    args: { timeoutSeconds: number; follow?: string };
    result: { ms: number; control: ControlFacts | null };
  };
  restart: { args: { timeoutSeconds: number }; result: { ms: number } };
  reload: { args: Record<string, never>; result: { errors: readonly string[] } };
  /** Creates physical slots (reserving WAL) and drops those named. */
  slots: { args: { ensure: readonly string[]; drop: readonly string[] }; result: Record<string, never> };
  /** Runs statements in one database, each in its own transaction, with `synchronous_commit = local`. */
  sql: { args: { database: string; statements: readonly string[] }; result: Record<string, never> };
  /** Sets the role's password from its file on the node. The password does not travel. */
  password: { args: { role: string }; result: Record<string, never> };
  /**
   * Waits until the named standby streams, has replayed what the primary had written when it was asked, and is
   * synchronous where the policy asks for it.
   */
  awaitStandby: { args: { standby: string; timeoutSeconds: number }; result: { ms: number } };
  /**
   * Takes the deployment's lock on this node for as long as this conversation lasts (flock: a killed owner holds
   * nothing). `E_LOCKED` names the owner and the lock's age. `tookOver`: a dead owner's note was found.
   */
  lock: { args: { owner: string }; result: { tookOver: { owner: string; since: string } | null } };
  /**
   * Gives the lock back and takes its note away. A conversation that ends without it, whatever the reason, gives the
   * lock back too and leaves the note: its owner did not get to the end, which is what `tookOver` tells the next.
   */
  unlock: { args: Record<string, never>; result: Record<string, never> };
  /**
   * CHECKPOINT: a shutdown after it is short; on a standby a restartpoint, so that the gate's one is. A primary also
   * begins a new WAL segment: it will be sent its last one from the start when it comes back as a standby.
   */
  checkpoint: { args: Record<string, never>; result: { ms: number } };
  /**
   * On a standby, called at the same moment as the primary's `stop`: notes what is meant, waits until the primary has
   * sent its last record, and makes the restartpoint that `gate` would make. `ended`: the stream has. It decides
   * nothing and can be left out; it takes work out of the write gap. Withdrawn by itself when the stream goes on.
   */
  prepare: {
    args: { change: Omit<PromotionFacts, "timeline" | "switchLsn">; timeoutSeconds: number };
    result: { ended: boolean; ms: number };
  };
  /** Takes `standby.signal` and `primary_conninfo` away again, durably. The server must be down. Undoes `follow`. */
  lead: { args: Record<string, never>; result: Record<string, never> };
  /** The control file of a server that is down, as it is on disk. */
  control: { args: Record<string, never>; result: ControlFacts };
  /**
   * On a standby: waits until it has replayed past `redoLsn`, makes a restartpoint, and holds its own system
   * identifier, timeline and REDO location against those of the stopped primary. `E_GATE_BEHIND` after the limit,
   * `E_GATE_AHEAD`, `E_GATE_OTHER`.
   */
  gate: {
    args: { control: ControlFacts; timeoutSeconds: number };
    result: { control: ControlFacts; ms: number };
  };
  /**
   * Makes this standby the primary and returns when it takes writes on a new timeline. Before: writes whom commits
   * wait for. `alone`: nobody (a failover under `strict` or `available`), with a marker that says so, until a standby
   * has caught up. Records the promotion. Idempotent: a primary that this very change promoted answers at once.
   */
  promote: {
    args: { change: Omit<PromotionFacts, "timeline" | "switchLsn">; alone: boolean; timeoutSeconds: number };
    result: { timeline: number; switchLsn: Lsn; ms: number };
  };
  /** Copies what only this node has (WAL from the fork on, control file) to `kept/`. The server must be down. */
  keepDivergent: { args: { switchLsn: Lsn }; result: { path: string; bytes: number } };
  /** pg_rewind from the new primary, over TLS; leaves a standby of it that is not started. Marks itself first. */
  rewind: { args: { from: string }; result: { bytes: number } };
  /**
   * Writes, once in `everyMs`, through `targets` as a client with `target_session_attrs=read-write` does, from now
   * until `probeStop`; runs beside other verbs of other conversations.
   */
  probeStart: { args: { targets: readonly ProbeTarget[]; everyMs: number }; result: Record<string, never> };
  probeStop: { args: { graceSeconds: number }; result: ProbeResult };
  /** One write and read back as a client with `verify-full` by `name`, at `address`. */
  verify: { args: ProbeTarget; result: { server: string; timeline: number; ms: number } };
  /** Leaves the value that tells the next `up` that this converge was completed. */
  generation: { args: { value: string }; result: Record<string, never> };
}

export interface ProbeTarget {
  /** What the server's certificate has to carry. */
  readonly name: string;
  readonly address: string;
  readonly port: number;
}

export interface ProbeResult {
  readonly acknowledged: number;
  /** The longest time between two acknowledged writes, and around it who acknowledged. */
  readonly gapMs: number;
  readonly before: { readonly server: string; readonly timeline: number } | null;
  readonly after: { readonly server: string; readonly timeline: number } | null;
}

export type NodeAccess = AccessOf<Verbs, NodeFacts>;
