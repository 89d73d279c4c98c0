/**
 * The wish: who leads, who follows, and with which configuration. Plain data without a secret, so that
 * `preview` can always plan and the diff of it can be read in a pull request. `converge` gets it on stdin.
 */
import type { Database, FenceCommand, Role, Synchronous } from "../spec/model.ts";

export interface Desired {
  readonly deployment: string;
  /** Name of the node that takes writes. */
  readonly active: string;
  readonly nodes: readonly DesiredNode[];
  readonly policy: Policy;
  readonly catalog: DesiredCatalog;
  /** The operator's statement that allows a failover without the old site. Absent: only a switchover is allowed. */
  readonly failover?: FailoverStatement;
  /** The floating name and where it is served, for the check by a real client. */
  readonly floating?: { readonly name: string };
}

/** Config `failover`: bound to one event. See the configuration reference. */
export interface FailoverStatement {
  readonly from: string;
  readonly to: string;
  /**
   * Why the old site is certain not to take writes any more, in the operator's words. Absent: its fence command has
   * to make that certain.
   */
  readonly fenceConfirmed?: string;
  /** When it was said, ISO 8601. Valid for `validForMinutes`, and used up by the promotion that it allowed. */
  readonly at: string;
  readonly validForMinutes: number;
  /** Says yes to losing acknowledged writes, where the preview says that some may be lost. */
  readonly acceptDataLoss: boolean;
}

export interface Policy {
  readonly synchronous: Synchronous;
  readonly degradeAfterSeconds: number;
  /** Limit for one stop, start or promotion. */
  readonly stepTimeoutSeconds: number;
  /** A standby that is further behind does not take over; absent: 16 MiB. */
  readonly lagLimitBytes?: number;
}

export interface DesiredNode {
  readonly name: string;
  readonly site: string;
  /** The name in its certificate that a client would use for this node alone. */
  readonly clientName: string;
  readonly address: string;
  readonly port: number;
  /** The slot that this node uses on whichever node it follows. */
  readonly slot: string;
  readonly majorVersion: number;
  /** Data directory of a hand-made primary that becomes the node's. Absent: the node's data is made by the plan. */
  readonly adopt?: string;
  readonly reach: Reach;
  /** Makes certain, from outside, that the node's site takes no writes. Absent: only a person can say so. */
  readonly fenceCommand?: FenceCommand;
  /** The rendered, secret-free files, by the names of `NodeReport.files`. */
  readonly files: Readonly<Record<string, string>>;
}

/** How `converge` gets to a node's agent. A new target adds a member here and a session in its `hosts/` room. */
export type Reach = DockerReach | MachineReach;

export interface MachineReach {
  readonly kind: "machine";
  readonly ssh: SshRoute;
  /** systemd unit of the node. */
  readonly unit: string;
  /** The account that runs it. */
  readonly account: string;
}

/** A way over SSH with everything that it takes, but no secret: keys stay in their files. */
export interface SshRoute extends SshStop {
  readonly jump?: SshStop;
}

export interface SshStop {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  /** Public keys of which the host must show one. None: the host is not known, and nothing is sent to it. */
  readonly hostKeys: readonly string[];
  /** Why there are none, in words for whoever has to add one. */
  readonly whyUnknown?: string;
  /** File with the private key; absent: the agent at SSH_AUTH_SOCK. */
  readonly keyFile?: string;
}

export interface DockerReach {
  readonly kind: "docker";
  readonly container: string;
  /** Named volume with the data directory: a fence can be written to it while the container is stopped. */
  readonly dataVolume: string;
  readonly image: string;
  /** `DOCKER_HOST`; absent: the default engine. */
  readonly dockerHost?: string;
}

export interface DesiredCatalog {
  readonly roles: readonly Role[];
  readonly databases: readonly Database[];
}
