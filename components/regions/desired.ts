/**
 * The wish for regions of Patroni: which one is active, who is in each, with which configuration. Plain data without
 * a secret, so that a preview can always plan. `convergeRegions` gets it on stdin.
 */
import type { AclPolicy } from "../consul/aclPolicies.ts";
import type { DesiredCatalog, FailoverStatement, Reach } from "../roles/desired.ts";
import type { FenceCommand, Synchronous } from "../spec/model.ts";

export interface RegionsDesired {
  readonly deployment: string;
  /** Name of the region that takes writes. */
  readonly active: string;
  readonly regions: readonly DesiredRegion[];
  readonly policy: RegionsPolicy;
  readonly catalog: DesiredCatalog;
  /** The operator's statement that allows a failover without the old region. Absent: only a switchover is allowed. */
  readonly failover?: FailoverStatement;
  /** The floating name and where it is served, for the check by a real client. */
  readonly floating?: { readonly name: string };
}

export interface RegionsPolicy {
  readonly synchronous: Synchronous;
  /** Limit for one stop, start or promotion. */
  readonly stepTimeoutSeconds: number;
  /** A region that is further behind does not take over by a switchover. */
  readonly lagLimitBytes: number;
  /** How long a leader's lock lives: the limit for whatever waits for Patroni to notice something. */
  readonly ttlSeconds: number;
}

export interface DesiredRegion {
  readonly name: string;
  readonly datacenter: string;
  readonly scope: string;
  /** e.g. `/service/`. */
  readonly namespace: string;
  /** Member that is to lead; absent: whoever leads stays. */
  readonly leader?: string;
  readonly servers: readonly DesiredHost[];
  readonly members: readonly DesiredMember[];
  readonly proxies: readonly DesiredProxy[];
  /** Policies of Consul, and by the name of each token the policies that it has. Its secret lies with the servers. */
  readonly access: {
    readonly policies: readonly AclPolicy[];
    readonly tokens: Readonly<Record<string, readonly string[]>>;
  };
  /**
   * Patroni's dynamic configuration without `standby_cluster`: what the region has while it is active, and without
   * `standby_cluster` also while it is not. `slots` has one for each other region, kept on a primary only.
   */
  readonly dynamic: Readonly<Record<string, unknown>>;
  /** `standby_cluster` of this region while it follows the named one; by region. */
  readonly standbyClusterOf: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  readonly fenceCommand?: FenceCommand;
}

export interface DesiredHost {
  readonly name: string;
  readonly region: string;
  readonly address: string;
  readonly reach: Reach;
  /** Text of its systemd unit's file. Absent: it runs in a container. */
  readonly unitFile?: string;
  /** Rendered, secret-free files by their path below `/etc/understudy`; see `UnitReport.files`. */
  readonly files: Readonly<Record<string, string>>;
  /** Which of the files, secret ones too, each program reads, and whether it takes a change of them by a reload. */
  readonly programs: readonly DesiredProgram[];
}

export interface DesiredProgram {
  readonly name: ProgramName;
  readonly reloads: readonly string[];
  readonly restarts: readonly string[];
}

export type ProgramName = "consul" | "patroni" | "haproxy" | "pgbouncer";

export interface DesiredMember extends DesiredHost {
  readonly port: number;
  readonly restPort: number;
  readonly majorVersion: number;
  /** Absent: its Patroni is to use none. */
  readonly watchdog?: { readonly mode: "automatic" | "required"; readonly device: string };
}

export interface DesiredProxy extends DesiredHost {
  readonly writePort: number;
  readonly readPort: number;
  /** The name in the members' certificates that a client of this proxy verifies. */
  readonly clientName: string;
  /** PgBouncer's port, and the longest that a planned change may hold its clients back. Absent: there is none. */
  readonly pooled?: { readonly port: number; readonly pauseSeconds: number };
}
