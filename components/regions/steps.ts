/**
 * The steps that a plan for regions consists of, as data. Each has one entry in `act/` that carries it out and proves
 * it, and one in `plan/consequences.ts` that says what it does to a client.
 */
import type { ProgramName } from "./desired.ts";

/** `host` is where it is carried out; its region is in the wish. */
export type RegionStep =
  | { readonly kind: "startUnit"; readonly host: string; readonly log: string }
  /**
   * A member's unit, whose file has options that only its next start takes over. One at a time, a replica's or its
   * leader's after a switchover.
   */
  | {
      readonly kind: "restartUnit";
      readonly host: string;
      readonly log: string;
      readonly changed: readonly string[];
    }
  /** A program that is held, superseded, or gave up. */
  | { readonly kind: "startProgram"; readonly host: string; readonly program: ProgramName }
  | {
      readonly kind: "reloadProgram";
      readonly host: string;
      readonly program: ProgramName;
      readonly changed: readonly string[];
    }
  /** One at a time. PostgreSQL stops with its Patroni: that goes by the order of its own restarts, see `plan/restarts.ts`. */
  | {
      readonly kind: "restartProgram";
      readonly host: string;
      readonly program: ProgramName;
      readonly changed: readonly string[];
    }
  | { readonly kind: "awaitConsul"; readonly host: string }
  | { readonly kind: "grant"; readonly host: string; readonly changed: readonly string[] }
  | { readonly kind: "awaitVoters"; readonly host: string; readonly expected: number }
  | { readonly kind: "removeServer"; readonly host: string; readonly node: string }
  | { readonly kind: "forgetNode"; readonly host: string; readonly node: string }
  | { readonly kind: "useGossipKey"; readonly host: string }
  | { readonly kind: "awaitLeader"; readonly host: string; readonly as: "primary" | "standby_leader" }
  /** `sync`: until it is a synchronous standby, because it is to take over. */
  | { readonly kind: "awaitMember"; readonly host: string; readonly sync?: boolean }
  | {
      readonly kind: "patchConfig";
      readonly host: string;
      readonly patch: Readonly<Record<string, unknown>>;
      /** Each change as `name: old → new`, for people. */
      readonly changes: readonly string[];
    }
  /** Replicas first, one at a time. `changed`: the settings that wait for it. */
  | { readonly kind: "restartMember"; readonly host: string; readonly changed: readonly string[] }
  /** `leader`: the member that leads, which may be one that is declared no more; `host`: where it is asked for. */
  | {
      readonly kind: "switchover";
      readonly host: string;
      readonly leader: string;
      readonly candidate: string;
      readonly because: string;
    }
  /**
   * PgBouncer of a proxy holds its clients back between two transactions, and gives up for a transaction that does not
   * end. It goes on by itself after `ttlSeconds`, whatever has become of the run.
   */
  | { readonly kind: "pauseClients"; readonly host: string; readonly ttlSeconds: number }
  /** Once the proxy leads to whoever takes writes; `member`: who is expected to. Also on every way out of a failure. */
  | { readonly kind: "resumeClients"; readonly host: string; readonly member: string }
  | {
      readonly kind: "sql";
      readonly host: string;
      readonly database: string;
      readonly statements: readonly string[];
      readonly summary: string;
    }
  | { readonly kind: "password"; readonly host: string; readonly role: string }
  /** The following belong to a change of the active region. Up to and including `gate` each can be undone. */
  | { readonly kind: "checkpoint"; readonly host: string }
  | { readonly kind: "demoteCluster"; readonly host: string; readonly region: string; readonly to: string }
  /** `of`: the member of the old region whose control file it is held against. */
  | { readonly kind: "gate"; readonly host: string; readonly of: string }
  /** Undoes `demoteCluster`: the region leads again. Nobody else was promoted. `promoteCluster` without a `change`. */
  | { readonly kind: "resumeCluster"; readonly host: string; readonly region: string }
  /** The point of no return. `mode` failover: nobody was asked for the last position. */
  | {
      readonly kind: "promoteCluster";
      readonly host: string;
      readonly region: string;
      readonly from: string;
      readonly mode: "switchover" | "failover";
      readonly statementAt: string | null;
    }
  /** A failover: Patroni is stopped durably on a host of the old region that can still be reached. */
  | { readonly kind: "hold"; readonly host: string; readonly program: ProgramName }
  | {
      readonly kind: "fenceRegion";
      readonly region: string;
      readonly command: readonly string[];
      readonly timeoutSeconds: number;
      readonly confirmed: string | null;
    }
  /**
   * A region that comes back: its configuration in Consul says whom it follows before its Patroni is started. Also
   * beside a Patroni that runs as a standby cluster and is to follow another region, or the same at other addresses.
   */
  | {
      readonly kind: "becomeStandbyCluster";
      readonly host: string;
      readonly region: string;
      readonly of: string;
    };

export interface RegionsPlan {
  readonly steps: readonly RegionStep[];
  /** As in `roles/steps.ts`: the index of the step after which converge looks again; -1: all of it is an expectation. */
  readonly lookAgainAfter: number | null;
  readonly refusals: readonly { readonly code: string; readonly message: string }[];
  readonly notices: readonly { readonly code: string; readonly message: string }[];
}
