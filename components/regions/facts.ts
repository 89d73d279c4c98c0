/**
 * What a look at the hosts of all regions finds, as data. A host's own report comes from the agent
 * (`components/regions/agent`, verb `observe`). The plan reads nothing else.
 */
import type { CatalogFacts, ControlFacts, LockFacts, Lsn } from "../roles/facts.ts";
import type { ProgramName } from "./desired.ts";

export interface RegionsObserved {
  /** When the observation began, ISO 8601, by the clock of the machine that runs `converge`. */
  readonly at: string;
  readonly until: string;
  /** By the host's name. */
  readonly hosts: Readonly<Record<string, HostFacts>>;
}

export type HostFacts =
  /** Nothing is known, and nothing may be assumed. */
  | { readonly reach: "unreachable"; readonly reason: string }
  /** The host answers and has no such container or unit. `data`: whether its data is there nevertheless. */
  | { readonly reach: "absent"; readonly data: "none" | "kept" }
  /** The container or unit exists and does not run. `report`: what its volumes say; null where they cannot be read. */
  | { readonly reach: "stopped"; readonly reason: string; readonly report: UnitReport | null }
  | {
      readonly reach: "up";
      readonly report: UnitReport;
      /**
       * On a machine: files that somebody changed and the update leaves, by their path below `/etc/understudy`, of the
       * unit's by its whole path; see `plan/byHand.ts`.
       */
      readonly changedByHand?: readonly string[];
    };

/** The answer of the agent's verb `observe`. */
export interface UnitReport {
  readonly name: string;
  /** The host's clock, ISO 8601. */
  readonly clock: string;
  /** First 12 hex digits of a hash over the agent's modules as they run, and as they are installed. */
  readonly agent: { readonly running: string; readonly installed: string };
  /**
   * Of a unit of a machine: its file as the supervisor found it at its start (null: nobody knows), and as it is
   * installed. Undefined from an agent that does not tell yet, and null from one that told of members alone.
   */
  readonly unit?: { readonly running: string | null; readonly installed: string } | null;
  /** The value that the last completed converge left here. */
  readonly generation: string | null;
  readonly lock: LockFacts | null;
  /** The installed one; null: there is none that can be read. Undefined from an agent that does not tell yet. */
  readonly certificate?: CertificateFacts | null;
  /** Content of the secret-free files below `/etc/understudy`, by path: as they are installed. */
  readonly files: Readonly<Record<string, string>>;
  readonly programs: Readonly<Partial<Record<ProgramName, ProgramFacts>>>;
  /** On a server and on a member; null: its Consul does not answer. */
  readonly consul: ConsulFacts | null;
  /** On a server. Undefined from an agent that does not tell yet. */
  readonly snapshots?: SnapshotFacts | null;
  /** On a member; null: its Patroni does not answer (`programs.patroni` says more). */
  readonly patroni: PatroniFacts | null;
  /** On a member whose Patroni is to use a watchdog. `denied`: the account of the agent may not open the device. */
  readonly watchdog?: { readonly device: string; readonly state: "usable" | "missing" | "denied" } | null;
  /** On a member. */
  readonly data: MemberDataFacts | null;
  /** Of a member that leads, when it was asked for. */
  readonly catalog?: CatalogFacts | null;
  /** On a member whose server answers: the last change of the active region that its database knows of. */
  readonly change?: RegionChangeFacts | null;
  /** On a proxy with pooled clients; null: its PgBouncer does not answer. */
  readonly pooler?: PoolerFacts | null;
  /** What could not be read, and is null above, with the reason. */
  readonly problems: readonly string[];
}

export interface ProgramFacts {
  /**
   * `held`: stopped by `hold`, durably: nobody but a converge starts it again. `superseded`: another region was seen
   * to lead on a later timeline of the same cluster, so Patroni was not started.
   */
  readonly state: "running" | "starting" | "backoff" | "held" | "superseded" | "stopped";
  readonly reason: string | null;
  /** How often it ended by itself since the agent started. */
  readonly restarts: number;
  /** SHA-256 of every file that it reads, as of its last reload (`reloads`) or start (`restarts`); by path. */
  readonly loaded: Readonly<Record<string, string>>;
  /** The same, as installed. Of secret files a keyed hash: equal or not is all that it tells. */
  readonly installed: Readonly<Record<string, string>>;
}

export interface ConsulFacts {
  readonly leader: string | null;
  /** Raft peers as the leader has them. On a server with the management token; else empty. */
  readonly peers: readonly {
    readonly node: string;
    readonly address: string;
    readonly voter: boolean;
    readonly leader: boolean;
  }[];
  /** Gossip: `alive`, `failed`, `left`. */
  readonly members: readonly { readonly node: string; readonly status: string; readonly server: boolean }[];
  /** Autopilot's word for the servers; null: not known here. */
  readonly healthy: boolean | null;
  /** On a server: rules by policy, and policies by token, of those that are ours; null: the ACLs cannot be read yet. */
  readonly access: {
    readonly policies: Readonly<Record<string, string>>;
    readonly tokens: Readonly<Record<string, readonly string[]>>;
  } | null;
  /** This agent's token is known to the servers: without it nothing works on this host. */
  readonly tokenValid: boolean | null;
}

export interface CertificateFacts {
  /** ISO 8601. Absent: by an agent that does not tell it yet. */
  readonly notBefore?: string;
  /** ISO 8601. */
  readonly notAfter: string;
  readonly sans: readonly string[];
}

/** Of Consul's state, as this server has them on its disk. */
export interface SnapshotFacts {
  readonly everyHours: number;
  readonly held: number;
  /** ISO 8601; null: there is none yet. */
  readonly newestAt: string | null;
  /** Why the last attempt failed; null: it did not. */
  readonly failure: string | null;
}

/** From Patroni's REST interface on the member itself. */
export interface PatroniFacts {
  readonly version: string;
  readonly role: "primary" | "standby_leader" | "replica" | "uninitialized";
  /** Patroni's word, and `rewinding` where it says `stopped` and pg_rewind is at work. */
  readonly state: string;
  readonly timeline: number | null;
  readonly systemIdentifier: string | null;
  /** Written by a primary, else replayed and received. */
  readonly lsn: {
    readonly written: Lsn | null;
    readonly received: Lsn | null;
    readonly replayed: Lsn | null;
  };
  /** PostgreSQL's settings that wait for a restart. */
  readonly pendingRestart: readonly string[];
  /** Of those, the values as they are in force and as they will be, where Patroni says so. */
  readonly pendingValues?: Readonly<Record<string, { readonly from: string; readonly to: string }>>;
  readonly paused: boolean;
  /** The cluster as this member's DCS has it. */
  readonly cluster: {
    /** Holder of the leader's key; null: nobody. */
    readonly leader: string | null;
    readonly members: readonly {
      readonly name: string;
      readonly role: string;
      readonly state: string;
      readonly timeline: number | null;
      readonly lagBytes: number | null;
      readonly syncStandby: boolean;
    }[];
  };
  /** The dynamic configuration in the DCS, as it is; null: it could not be read. */
  readonly config: Readonly<Record<string, unknown>> | null;
  /** On a leader: who streams from it, by application_name. */
  readonly replication: readonly {
    readonly name: string;
    readonly state: string;
    readonly syncState: string;
    readonly flushLsn: Lsn | null;
  }[];
  /** On a standby leader: where it streams from, and whether it does. */
  readonly source: { readonly host: string | null; readonly streaming: boolean } | null;
}

export interface PoolerFacts {
  /** Clients are held back; `resumesInMs`: until it goes on by itself, null: it does not, somebody's hand paused it. */
  readonly paused: { readonly resumesInMs: number | null } | null;
  /** Clients at work, those that wait for a connection, and the longest of these times. */
  readonly clients: { readonly active: number; readonly waiting: number; readonly longestWaitMs: number };
  /** Connections to the server, used and idle. */
  readonly servers: { readonly active: number; readonly idle: number };
}

export interface RegionChangeFacts {
  readonly mode: "switchover" | "failover";
  /** Regions. */
  readonly from: string;
  readonly to: string;
  readonly at: string;
  readonly timeline: number;
  /** `failover.at` of the statement that it used up; null after a switchover. */
  readonly statementAt: string | null;
}

export interface MemberDataFacts {
  /** `copy`: made of another member's data, or being made; no server has run on it, so it says nothing of its own. */
  readonly state: "empty" | "copy" | "ready";
  /** null: there is none, or it is the one that came with the copy. */
  readonly control: ControlFacts | null;
  readonly freeBytes: number;
}

export type { CatalogFacts, ControlFacts, LockFacts, Lsn };
