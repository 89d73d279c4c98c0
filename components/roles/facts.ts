/**
 * What `observe` finds, as data. The node's own report comes from `components/postgres/node/node.py`
 * (verb `observe`); what can be said of a node that does not answer comes from its host.
 *
 * The plan reads nothing else: a fact that is not in here does not exist for it.
 */

/** A position in the WAL as PostgreSQL prints it, e.g. `0/3000148`. */
export type Lsn = string;

export interface Observed {
  /** When the observation began, ISO 8601, by the clock of the machine that runs `converge`. */
  readonly at: string;
  /** When the last answer was there; absent: at once. The nodes' clocks were read somewhere in between. */
  readonly until?: string;
  readonly nodes: Readonly<Record<string, NodeFacts>>;
}

export type NodeFacts =
  /** Neither the host nor the node answered: nothing is known, and nothing may be assumed. */
  | { readonly reach: "unreachable"; readonly reason: string }
  /** The host answers and has no such container or unit. `data`: whether its data volume is there nevertheless. */
  | {
      readonly reach: "absent";
      readonly data: "none" | "kept";
      /** What is in the data directory that it is to adopt, as its machine says while nothing of ours is on it. */
      readonly adoption?: ForeseenAdoption;
    }
  /**
   * The host answers; the container or unit exists and does not run. `report`: what its volumes say, read by an agent
   * that runs beside it (`node.py serve --offline`); null where they cannot be read.
   */
  | { readonly reach: "stopped"; readonly reason: string; readonly report?: NodeReport | null }
  | {
      readonly reach: "up";
      readonly report: NodeReport;
      /** What the container was made from, where the node runs in one. */
      readonly image?: string;
      /** Names of configuration files that somebody changed on a machine and that this update leaves as they are. */
      readonly changedByHand?: readonly string[];
      /** As above, until the agent has started it. */
      readonly adoption?: ForeseenAdoption;
    };

/** The answer of the node's verb `observe`. */
export interface NodeReport {
  readonly node: string;
  /** The node's clock, ISO 8601 with microseconds. */
  readonly clock: string;
  /** First 12 hex digits of a hash over the agent's modules as they run as PID 1, and as they are installed. */
  readonly agent: { readonly running: string; readonly installed: string };
  /** The value that the last completed converge left; see `roleChange.ts`. */
  readonly generation: string | null;
  readonly data: DataFacts;
  readonly server: ServerFacts;
  /** Configuration files by name (`postgresql.conf`, `pg_hba.conf`, `pg_ident.conf`, `clients.conf`, `node.json`,
   *  `certificate.json`): as installed now, as they were at the last reload, and at the last start. */
  readonly files: {
    readonly installed: Readonly<Record<string, string>>;
    readonly loaded: Readonly<Record<string, string>>;
    readonly started: Readonly<Record<string, string>>;
  };
  readonly certificate: {
    /** Absent: by an agent that does not tell it yet. */
    readonly notBefore?: string;
    readonly notAfter: string;
    readonly sans: readonly string[];
  } | null;
  /** The last role change that this node knows of; it is replicated, so the standby of the new primary knows it too. */
  readonly promotion?: PromotionFacts | null;
  /** What a standby knew of its primary when it last heard from it: the ground for saying what a failover may lose. */
  readonly received?: ReceivedFacts | null;
  /** The timelines before the present one, oldest first, and where each ended. */
  readonly history?: readonly { readonly timeline: number; readonly switchLsn: Lsn }[];
  /** Who holds the deployment's lock on this node; `alive`: its converge still runs. */
  readonly lock?: LockFacts | null;
  /** Set while commits are acknowledged without the standby, and until it has caught up. */
  readonly degraded: { readonly since: string; readonly lsn: Lsn } | null;
  /** What could not be read, and is null or empty above, with the reason. Absent: everything was read. */
  readonly problems?: readonly string[];
}

/** Written by the promoted node (table `understudy.promotion` in database `postgres`), before clients can write. */
export interface PromotionFacts {
  readonly mode: "switchover" | "failover";
  readonly from: string;
  readonly to: string;
  readonly at: string;
  /** The timeline that it began, and where. */
  readonly timeline: number;
  readonly switchLsn: Lsn;
  /** `failover.at` of the statement that it used up; null after a switchover. */
  readonly statementAt: string | null;
}

export interface ReceivedFacts {
  /** As its primary recorded it (table `understudy.state`, replicated like everything else). null: no record yet. */
  readonly policy: "strict" | "available" | "off" | null;
  /** The primary's degrade marker as replicated. */
  readonly degraded: { readonly since: string; readonly lsn: Lsn } | null;
  /** When the primary was last heard of, and how far its WAL was then. Durable. */
  readonly lastContactAt: string | null;
  readonly primaryEndLsn: Lsn | null;
  /** Everything up to here is on this node's disk. */
  readonly receivedLsn: Lsn | null;
}

export interface LockFacts {
  readonly owner: string;
  readonly since: string;
  readonly alive: boolean;
}

export interface DataFacts {
  /**
   * `empty`: no data directory. `building`: a first build was cut off; nothing in it is of value.
   * `ready`: a whole data directory. `rewinding`: pg_rewind was cut off; it must never be started.
   */
  readonly state: "empty" | "building" | "ready" | "rewinding";
  /** pg_controldata of a `ready` or `rewinding` data directory. */
  readonly control: ControlFacts | null;
  /** `standby.signal` is there: whoever starts this data directory gets a standby. */
  readonly standbySignal: boolean;
  /** The node that `primary_conninfo` names, if it is written. */
  readonly follows: string | null;
  /** The end of the WAL of a server that is down, where it was read to its end; the bound of what a failover loses. */
  readonly endLsn?: Lsn | null;
  readonly freeBytes: number;
  readonly sizeBytes: number;
  /** Of a data directory that was somebody else's; absent: it is the volume's own, and there is no other. */
  readonly adopted?: AdoptionFacts | null;
}

/** Everything that speaks for or against making somebody's data directory a node's. Names only, never a value. */
export interface AdoptionFacts {
  readonly directory: string;
  /** The agent has started it. Until then nothing in it has been changed, and the agent does not start it by itself. */
  readonly taken: boolean;
  /** Why no base backup could be built beside it and take its name; null: it can. */
  readonly obstacle: string | null;
  /** Where this node's data is already, if it is somewhere else. */
  readonly elsewhere: string | null;
  /** Process of a server that runs on it and is not the agent's. */
  readonly otherServer: number | null;
  /** Settings in its postgresql.auto.conf, which wins over the rendered configuration. */
  readonly autoConf: readonly string[];
  /** Directories outside of it that tablespaces are in. */
  readonly tablespaces: readonly string[];
  /** Where its WAL is, if pg_wal is a symbolic link. */
  readonly walDirectory: string | null;
  /** `recovery.signal` is there: whoever starts it begins a recovery from an archive. */
  readonly recoverySignal: boolean;
  readonly preparedTransactions: number;
  /** The settings that a control file remembers, as of the last start. */
  readonly ranWith: Readonly<Record<string, number>>;
  /** Why the agent is not, or is not let in as, the superuser `postgres`; null: it is, or the server does not run. */
  readonly access: string | null;
  /** Roles by the names of ours that are not as ours, and what differs. */
  readonly roles: Readonly<Record<string, string>>;
}

/** The same before the agent is there, and while the old server still runs. */
export interface ForeseenAdoption {
  readonly found: AdoptionFacts;
  readonly data: AdoptedData;
  /** Settings that its own configuration files state. */
  readonly settings: readonly string[];
  /** null: it was not counted in time. */
  readonly sizeBytes: number | null;
}

export interface AdoptedData extends Pick<DataFacts, "state" | "standbySignal"> {
  readonly control: Pick<ControlFacts, "state"> | null;
}

export interface ControlFacts {
  readonly systemIdentifier: string;
  readonly timeline: number;
  /** pg_controldata's words: `shut down`, `shut down in recovery`, `in production`, `in archive recovery`, … */
  readonly state: string;
  readonly checkpointLsn: Lsn;
  readonly redoLsn: Lsn;
  readonly majorVersion: number;
  readonly checksums: boolean;
  readonly walLogHints: boolean;
}

export interface ServerFacts {
  /** `failed`: it ended by itself and the supervisor has given up restarting it. `held`: stopped on demand. */
  readonly state: "held" | "stopped" | "starting" | "running" | "stopping" | "failed";
  /** Why it does not run, from the supervisor or the end of its log; no secret. */
  readonly reason: string | null;
  /** null unless the server answers queries on its local socket. */
  readonly sql: SqlFacts | null;
}

export interface SqlFacts {
  readonly inRecovery: boolean;
  readonly timeline: number;
  readonly systemIdentifier: string;
  /** `server_version_num`. */
  readonly versionNum: number;
  readonly startedAt: string;
  /** On a primary: end of WAL. On a standby: null. */
  readonly currentLsn: Lsn | null;
  readonly receiveLsn: Lsn | null;
  readonly replayLsn: Lsn | null;
  readonly replayPaused: boolean;
  /** A standby whose source answered that the WAL it needs has been removed: only a new base backup helps. */
  readonly walGone?: boolean;
  readonly walReceiver: {
    readonly status: string;
    readonly host: string;
    readonly slot: string | null;
  } | null;
  readonly senders: readonly SenderFacts[];
  readonly slots: readonly SlotFacts[];
  readonly synchronousStandbyNames: string;
  /** Clients are let in (`clients.conf` is in force). False on a strict primary until its standby is in sync. */
  readonly clientsAdmitted: boolean;
  /** Names of the settings whose change needs a restart (`context = 'postmaster'`). */
  readonly restartSettings: readonly string[];
  /** PostgreSQL's own word: installed, and waiting for a restart. */
  readonly pendingRestart: readonly string[];
  readonly backupRunning: boolean;
  /** WAL segments that wait for the archiver. */
  readonly archiveBacklog: number;
  /** Lines of pg_hba_file_rules and pg_file_settings that PostgreSQL could not use. */
  readonly configErrors: readonly string[];
  /** Settings that somebody set with ALTER SYSTEM, by name. */
  readonly alterSystem: Readonly<Record<string, string>>;
  /** null on a standby that does not accept queries yet, and where it was not asked for. */
  readonly catalog: CatalogFacts | null;
}

export interface SenderFacts {
  readonly applicationName: string;
  readonly clientAddress: string;
  readonly state: string;
  readonly syncState: string;
  readonly sentLsn: Lsn | null;
  readonly flushLsn: Lsn | null;
  readonly replayLsn: Lsn | null;
  /** Bytes between the primary's end of WAL and what the standby has replayed. */
  readonly lagBytes: number;
  readonly lagSeconds: number;
}

export interface SlotFacts {
  readonly name: string;
  readonly kind: "physical" | "logical";
  readonly active: boolean;
  readonly walStatus: string | null;
  /** WAL that it holds back. */
  readonly heldBytes: number;
}

export interface CatalogFacts {
  readonly roles: Readonly<Record<string, RoleFacts>>;
  readonly databases: Readonly<Record<string, DatabaseFacts>>;
}

export interface RoleFacts {
  readonly login: boolean;
  readonly superuser: boolean;
  readonly replication: boolean;
  readonly createDb: boolean;
  readonly createRole: boolean;
  readonly connectionLimit: number;
  readonly memberOf: readonly string[];
  readonly settings: Readonly<Record<string, string>>;
  /** The password file on the node matches the stored SCRAM verifier; null: there is no file for this role. */
  readonly passwordMatches: boolean | null;
}

export interface DatabaseFacts {
  readonly owner: string;
  readonly extensions: readonly string[];
  readonly settings: Readonly<Record<string, string>>;
}
