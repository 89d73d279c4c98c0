/**
 * `database.kind: patroni`: regions that fail over by themselves inside, and of which one is active. As `model.ts`,
 * validated and with every default filled in; `parseRegional` (see `regional/`) is the only producer.
 */
import type { PatroniTags } from "../patroni/patroniYml.ts";
import type { Timing, TimingProfile } from "../patroni/timing.ts";
import type { Watchdog } from "../patroni/watchdog.ts";
import type {
  DatabaseBase,
  Deployment,
  DeploymentBase,
  Endpoint,
  FenceCommand,
  Place,
  SettingValue,
} from "./model.ts";

/** A deployment of either kind. */
export type AnyDeployment = Deployment | RegionalDeployment;

export interface RegionalDeployment extends DeploymentBase {
  readonly database: PatroniDatabase;
  /** In the order in which the user wrote them. `active` names one; the others are standby clusters of it. */
  readonly regions: readonly Region[];
}

export interface PatroniDatabase extends DatabaseBase {
  readonly kind: "patroni";
  /** Name of the Patroni cluster in every region's Consul, and of its service there. Default: the deployment's name. */
  readonly scope: string;
  /** Folder of Consul's keys that scopes lie in, with a `/` at both ends. */
  readonly namespace: string;
  /** The profile, or "custom" where single times were given. */
  readonly profile: TimingProfile | "custom";
  readonly timing: Timing;
  /** Without a synchronous standby: a node further behind does not take over. */
  readonly maximumLagMiB: number;
  /** Consul's health checks that a leader's session depends on. Empty: only its own time ends it. */
  readonly sessionChecks: readonly "serfHealth"[];
  /** Undefined: nothing was written; see `watchdogOf`. */
  readonly watchdog: Watchdog | undefined;
  /** PgBouncer beside every HAProxy; undefined: there is none. */
  readonly pooling: Pooling | undefined;
}

/** Transaction pooling in front of the write port. Pooled are the declared databases, for the declared login roles. */
export interface Pooling {
  readonly port: number;
  /** Connections to the server that a proxy keeps, for each database. */
  readonly poolSize: number;
  /** More of them, for clients that have waited for a while. */
  readonly reservePoolSize: number;
  /** Clients of one proxy at once. */
  readonly maxClients: number;
  /** Prepared statements kept on each server connection; 0: none. */
  readonly preparedStatements: number;
  /** The longest that a planned change of who takes writes holds clients back. */
  readonly pauseSeconds: number;
}

export interface Region {
  readonly name: string;
  /** Consul's name for it. */
  readonly datacenter: string;
  /** The member that is to lead, by a planned switchover where another one does; undefined: whoever leads stays. */
  readonly leader: string | undefined;
  /** 3 or 5, on hosts of their own. */
  readonly servers: readonly ConsulServerHost[];
  /** Hosts of PostgreSQL, Patroni and a Consul client agent. */
  readonly members: readonly Member[];
  /** Hosts of HAProxy. */
  readonly proxies: readonly Proxy[];
  readonly consul: {
    /** A server whose last snapshot is this old takes one. */
    readonly snapshotEveryHours: number;
    readonly snapshotsKept: number;
    /** Another text makes another gossip key. */
    readonly gossipKeyRotation?: string | undefined;
  };
  /** Makes certain, from outside, that the region takes no writes; undefined: only a person can say so. */
  readonly fenceCommand: FenceCommand | undefined;
  /** Members that are declared no more and that may go, but for their data. */
  readonly retired: readonly string[];
}

/** A host of a region. Names are unique over all regions, addresses too. */
export interface RegionalHost {
  /** Lower case, a DNS label; also the name of its unit, and Consul's name of the node. */
  readonly name: string;
  readonly region: string;
  readonly place: Place;
  /** How the others reach it, and what its programs listen on. */
  readonly address: string;
  readonly memoryMiB: number;
}

export interface ConsulServerHost extends RegionalHost {
  readonly role: "server";
}

export interface Member extends RegionalHost {
  readonly role: "member";
  /** PostgreSQL's, at `address`. */
  readonly port: number;
  /** Patroni's REST interface. */
  readonly restPort: number;
  /** Settings for this member alone, over `database.settings`. */
  readonly settings: Readonly<Record<string, SettingValue>>;
  readonly tags: PatroniTags;
}

export interface Proxy extends RegionalHost {
  readonly role: "proxy";
  /** Reaches whoever takes writes, in whichever region. */
  readonly writePort: number;
  /** Reaches the replicas of its own region. */
  readonly readPort: number;
  /** PgBouncer's, in front of the write port; undefined: there is none. */
  readonly pooledPort: number | undefined;
  /** Where clients on the machine that runs Pulumi reach them: on a machine, at its address. */
  readonly client: { readonly write: Endpoint; readonly read: Endpoint; readonly pooled?: Endpoint };
  /** Ports of the Docker host; undefined where nothing has to be published. */
  readonly published: { readonly write: number; readonly read: number; readonly pooled?: number } | undefined;
}

export function hostsOf(region: Region): readonly (ConsulServerHost | Member | Proxy)[] {
  return [...region.servers, ...region.members, ...region.proxies];
}
