/**
 * The steps that a plan consists of, as data. Each has one entry in `act/` that carries it out and proves it,
 * and one in `consequences.ts` that says what it does to a client. A new topology adds members here.
 */

import type { Lsn } from "./facts.ts";

export type Step =
  /** `unit`: the container or the systemd unit, with its node; `log`: the command that shows why it does not run. */
  | { readonly kind: "startUnit"; readonly node: string; readonly unit: string; readonly log: string }
  | { readonly kind: "initdb"; readonly node: string }
  /**
   * `reason`: why there is nothing to keep (`empty`, `half-built`, …). `discard`: the system identifier of a whole
   * data directory that is given up, a standby's that its primary cannot serve any more; absent: none is there.
   */
  | {
      readonly kind: "clone";
      readonly node: string;
      readonly from: string;
      readonly reason: string;
      readonly discard?: string;
    }
  /** A standby, so that it can be given another source; or a primary that hands over, or that has been superseded. */
  | { readonly kind: "stop"; readonly node: string }
  | { readonly kind: "follow"; readonly node: string; readonly from: string }
  | { readonly kind: "start"; readonly node: string; readonly as: "primary" | "standby" }
  | {
      readonly kind: "slots";
      readonly node: string;
      readonly ensure: readonly string[];
      readonly drop: readonly string[];
    }
  | { readonly kind: "reload"; readonly node: string; readonly changed: readonly string[] }
  | {
      readonly kind: "restart";
      readonly node: string;
      readonly as: "primary" | "standby";
      readonly changed: readonly string[];
    }
  | {
      readonly kind: "sql";
      readonly node: string;
      readonly database: string;
      readonly statements: readonly string[];
      readonly summary: string;
    }
  | { readonly kind: "password"; readonly node: string; readonly role: string }
  | { readonly kind: "awaitStandby"; readonly node: string; readonly standby: string }
  /** The following belong to a role change. Up to and including `gate` each can be undone. */
  | { readonly kind: "checkpoint"; readonly node: string }
  /** The old primary cannot come up as one any more: it is down, and its data directory is a standby's of `to`. */
  | { readonly kind: "fence"; readonly node: string; readonly to: string }
  /**
   * `command`, run on the machine that runs converge, makes certain that `site` takes no writes: the proof that a
   * failover needs. `confirmed`: the operator's own word for it, which still holds when the command fails; null: none.
   */
  | {
      readonly kind: "fenceSite";
      readonly node: string;
      readonly site: string;
      readonly command: readonly string[];
      readonly timeoutSeconds: number;
      readonly confirmed: string | null;
    }
  /** Undoes `fence`: the old primary may come up as one again. Its server is down, and nobody else was promoted. */
  | { readonly kind: "lead"; readonly node: string }
  /** The three equalities: the standby has all that the stopped primary had. */
  | { readonly kind: "gate"; readonly node: string; readonly of: string }
  /** The point of no return. `rejoin`: the old primary, which is started as a standby at the same moment. */
  | {
      readonly kind: "promote";
      readonly node: string;
      readonly from: string;
      readonly mode: "switchover" | "failover";
      readonly alone: boolean;
      readonly rejoin: string | null;
      readonly statementAt: string | null;
    }
  | { readonly kind: "keepDivergent"; readonly node: string; readonly switchLsn: Lsn }
  | { readonly kind: "rewind"; readonly node: string; readonly from: string };

/** Why the plan does not act. A plan with a refusal has no steps. */
export interface Refusal {
  /** As in `protocols`: `E_SYSID_MISMATCH`, `E_SPLIT_BRAIN`, … */
  readonly code: string;
  /** What was seen, with the values, and what to do. */
  readonly message: string;
}

/** Something that does not stop the plan and that the operator should know. */
export interface Notice {
  readonly code: string;
  readonly message: string;
}

export interface Plan {
  readonly steps: readonly Step[];
  /**
   * The index of the step after which converge looks again, because what follows is an expectation: nobody can
   * see into a stopped container or a stopped server (-1: all of it is). null: every step follows from facts.
   */
  readonly lookAgainAfter: number | null;
  readonly refusals: readonly Refusal[];
  readonly notices: readonly Notice[];
}
