/**
 * Every verb that the agent on a host of a region understands, over the same conversation as a pair's node (see
 * `roles/session.ts` for the lines). All acting verbs are idempotent; each returns when its effect is proven, or
 * refuses with a code. No secret travels: what is one lies on the host already.
 */
import type { AclPolicy } from "../consul/aclPolicies.ts";
import type { ProbeResult, ProbeTarget } from "../roles/session.ts";
import type { ProgramName } from "./desired.ts";
import type { ControlFacts, Lsn, RegionChangeFacts, UnitReport } from "./facts.ts";

export interface UnitVerbs {
  observe: { args: { catalog?: boolean }; result: UnitReport };
  /** As a pair's: held for as long as this conversation lasts. */
  lock: { args: { owner: string }; result: { tookOver: { owner: string; since: string } | null } };
  unlock: { args: Record<string, never>; result: Record<string, never> };
  generation: { args: { value: string }; result: Record<string, never> };

  /** The program reads its files again; returns when it is known to have taken them. `E_RELOAD` with its words else. */
  reload: { args: { program: ProgramName }; result: Record<string, never> };
  /** Stops and starts one program beside the others, and returns when it does its work again. */
  restart: { args: { program: ProgramName; timeoutSeconds: number }; result: { ms: number } };
  /** Stops a program durably: neither a crash, a restart nor a reboot of the host starts it. */
  hold: { args: { program: ProgramName; timeoutSeconds: number }; result: { ms: number } };
  /** Starts what is held, superseded or has given up. */
  start: { args: { program: ProgramName; timeoutSeconds: number }; result: { ms: number } };

  // ------------------------------------------------------------------------------------------------ Consul

  /** On a server or agent: waits until there is a leader. On a member: until its token is good, too. */
  awaitConsul: { args: { timeoutSeconds: number }; result: { leader: string } };
  /** On a server: makes policies and tokens be as said; the tokens' secrets are in its file `secrets/tokens.json`. */
  grant: {
    args: { policies: readonly AclPolicy[]; tokens: Readonly<Record<string, readonly string[]>> };
    result: { changed: readonly string[] };
  };
  /** On a server: waits until it is a voter, and Autopilot calls `expected` voters healthy, or more. */
  awaitVoters: { args: { expected: number; timeoutSeconds: number }; result: { voters: readonly string[] } };
  /**
   * On a server that stays: removes one that is declared no more, from Raft and from gossip. `E_SERVERS_ILL` where one
   * of those that stay is not a healthy voter.
   */
  removeServer: { args: { node: string; stay: readonly string[] }; result: Record<string, never> };
  /** On a server: has all servers forget a member of gossip that is declared no more, which is down. */
  forgetNode: { args: { node: string }; result: Record<string, never> };
  /** On a server: brings the gossip key of `secrets` into use everywhere and removes others. Idempotent. */
  useGossipKey: { args: { timeoutSeconds: number }; result: { rotated: boolean } };
  /** On a server: saves a snapshot below its data directory, the newest seven are kept. */
  snapshot: { args: Record<string, never>; result: { path: string; bytes: number } };

  // ------------------------------------------------------------------------------------------------ Patroni

  /** On a member: waits until somebody leads, as said. */
  awaitLeader: {
    args: { as: "primary" | "standby_leader"; timeoutSeconds: number };
    result: { leader: string; ms: number };
  };
  /**
   * Waits until this member runs in its cluster: streaming, or leading; a standby leader until it streams from its
   * source. `sync`: until Patroni has it as a synchronous standby.
   */
  awaitMember: { args: { timeoutSeconds: number; sync?: boolean }; result: { role: string; ms: number } };
  /** `PATCH /config`, then reads it back. A key with null is removed. Never touches `standby_cluster`. */
  patchConfig: { args: { patch: Readonly<Record<string, unknown>> }; result: Record<string, never> };
  /** Restarts PostgreSQL of this member through Patroni. */
  restartMember: { args: { timeoutSeconds: number }; result: { ms: number } };
  /** Planned, inside the region; asked of the leader or any member. */
  switchover: {
    args: { leader: string; candidate: string; timeoutSeconds: number };
    result: { leader: string; ms: number };
  };
  /**
   * On the leader of the active region: makes its cluster a standby cluster (PATCH of `standby_cluster`, which Patroni
   * takes as the order for a fast stop with a shutdown checkpoint), and returns what its control file said when the
   * server was down. A PATCH, never a PUT: without the key a standby cluster promotes itself.
   */
  demoteCluster: {
    args: { standbyCluster: Readonly<Record<string, unknown>>; timeoutSeconds: number };
    result: { control: ControlFacts; ms: number };
  };
  /**
   * On the leader of a standby cluster: removes `standby_cluster` and returns when it takes writes on a new timeline.
   * `change` is recorded in the database (table `understudy.region_change`, replicated like everything else) before it
   * returns; absent: the undo of a `demoteCluster`, on the same region.
   */
  promoteCluster: {
    args: { change?: Omit<RegionChangeFacts, "timeline">; timeoutSeconds: number };
    result: { leader: string; timeline: number; ms: number };
  };
  /**
   * On the standby leader: waits until it has replayed past `redoLsn`, makes a restartpoint, and holds its own system
   * identifier, timeline and REDO location against those of the stopped primary. `E_GATE_BEHIND` after the limit,
   * `E_GATE_AHEAD`, `E_GATE_OTHER`.
   */
  gate: {
    args: { control: ControlFacts; timeoutSeconds: number };
    result: { control: ControlFacts; ms: number };
  };
  /**
   * Beside a Patroni that does not run (held, superseded): writes `standby_cluster` into the configuration in Consul,
   * so that whoever starts next follows. Compare-and-set; the rest of the configuration stays as it is.
   */
  becomeStandbyCluster: {
    args: { standbyCluster: Readonly<Record<string, unknown>> };
    result: Record<string, never>;
  };
  /**
   * On a member of a region that another one has superseded, before its Patroni is started: copies what only it has
   * (WAL from the fork on, control file) to `kept/`, because Patroni rewinds by itself and without a word.
   * `becomeStandbyCluster` and `demoteCluster` do it on their own host. `path` null: nothing to keep.
   */
  keepDivergent: { args: Record<string, never>; result: { path: string | null; bytes: number } };
  /**
   * `pg_controldata`, whether the server runs or not. Of a demoted primary `shut down` with what its clean stop left,
   * as long as the WAL proves it, even after it has been started again in recovery.
   */
  control: { args: Record<string, never>; result: ControlFacts };
  /** CHECKPOINT; on a standby a restartpoint. */
  checkpoint: { args: Record<string, never>; result: { ms: number } };
  sql: { args: { database: string; statements: readonly string[] }; result: Record<string, never> };
  password: { args: { role: string }; result: Record<string, never> };

  // ------------------------------------------------------------------------------------------------ HAProxy

  /** On a proxy: waits until the write port has exactly one server up, the named one; or none (null). */
  awaitBackend: { args: { member: string | null; timeoutSeconds: number }; result: { ms: number } };

  // ---------------------------------------------------------------------------------------------- PgBouncer

  /**
   * On a proxy: no client begins a transaction from now on, and returns when none is open any more. `E_CLIENTS_BUSY`
   * after `drainSeconds`: nobody is held back then. The host's supervisor resumes by itself after `ttlSeconds`.
   */
  pauseClients: {
    args: { ttlSeconds: number; drainSeconds: number };
    result: { clients: number; ms: number };
  };
  /** Idempotent. `heldMs` null: nobody was held back any more. */
  resumeClients: { args: Record<string, never>; result: { heldMs: number | null } };

  // ------------------------------------------------------------------------------------------------ Clients

  probeStart: { args: { targets: readonly ProbeTarget[]; everyMs: number }; result: Record<string, never> };
  probeStop: { args: { graceSeconds: number }; result: ProbeResult };
  /** One write and read back as a client with `verify-full` by `name`, at `address`. */
  verify: { args: ProbeTarget; result: { server: string; timeline: number; ms: number } };
}

export type { Lsn };
