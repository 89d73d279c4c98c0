/**
 * The deployment as the rest of the package sees it: validated, every default filled in, plain data.
 *
 * `parse` (see `parse.ts`) is the only producer. Whatever is in here has passed every rule of `rules/`,
 * so a consumer never checks again. No Pulumi type appears: topology is known at preview.
 */

/** How far an acknowledged commit has travelled. See `synchronous` in the configuration reference. */
export type Synchronous = "strict" | "available" | "off";

export type SettingValue = string | number | boolean;

export interface Deployment {
  /** Prefix of every physical name (container, volume, network). */
  readonly name: string;
  /** DNS zone that the deployment serves, without a trailing dot. */
  readonly domain: string;
  /** The site that takes writes. */
  readonly active: string;
  /** The statement that allows a failover without the old site; undefined: there is none. */
  readonly failover: Failover | undefined;
  readonly database: StreamingDatabase;
  /** In the order in which the user wrote them. */
  readonly sites: readonly Site[];
  readonly names: Names;
  readonly certificates: Certificates;
  readonly containers: ContainersTarget;
}

/** See `failover` in the configuration reference. */
export interface Failover {
  readonly from: string;
  readonly to: string;
  readonly fenceConfirmed: string;
  readonly at: string;
  readonly validForMinutes: number;
  readonly acceptDataLoss: boolean;
}

export interface StreamingDatabase {
  readonly kind: "streaming";
  /** PostgreSQL's major version. */
  readonly version: number;
  readonly synchronous: Synchronous;
  /** `synchronous: available`: how long commits wait for a missing standby before they stop waiting. */
  readonly degradeAfterSeconds: number;
  /** Clients may log in on a standby. False: they are turned away there, while it can still be observed. */
  readonly standbyReads: boolean;
  /** Settings of the user, merged over our defaults and under what we own. */
  readonly settings: Readonly<Record<string, SettingValue>>;
  /** Rules of the user's own for pg_hba.conf, between ours and the final reject. */
  readonly clientAccess: readonly ClientAccess[];
  readonly roles: readonly Role[];
  readonly databases: readonly Database[];
  /** Size to which WAL kept for an absent standby may grow, in MiB (`max_slot_wal_keep_size`). */
  readonly slotWalKeepMiB: number;
  /** Longest time for a fast stop, a start or a promotion before the step is given up, in seconds. */
  readonly stepTimeoutSeconds: number;
}

export interface ClientAccess {
  readonly databases: readonly string[];
  readonly roles: readonly string[];
  /** CIDR block. */
  readonly network: string;
  readonly method: "scram-sha-256" | "cert";
}

export interface Role {
  readonly name: string;
  /** A login role gets a generated password (a secret), in a file on each node. */
  readonly login: boolean;
  readonly createDb: boolean;
  readonly createRole: boolean;
  readonly connectionLimit: number;
  readonly memberOf: readonly string[];
  /** `ALTER ROLE … SET`. */
  readonly settings: Readonly<Record<string, SettingValue>>;
}

export interface Database {
  readonly name: string;
  readonly owner: string;
  readonly extensions: readonly string[];
  /** `ALTER DATABASE … SET`. */
  readonly settings: Readonly<Record<string, SettingValue>>;
}

export interface Site {
  readonly name: string;
  readonly target: "containers";
  /** The one node of a streaming site; its name is the site's. */
  readonly node: Node;
}

export interface Node {
  /** Lower case, unique, a DNS label; also the node's `application_name`. */
  readonly name: string;
  readonly site: string;
  /** How the other nodes reach it. */
  readonly address: string;
  /** The port that PostgreSQL listens on, at `address`. */
  readonly port: number;
  /** Published on 127.0.0.1 of the Docker host for clients there. */
  readonly publishedPort: number;
  /** Replication slot that this node uses on its peer: `name` with `-` as `_`. */
  readonly slot: string;
  readonly memoryMiB: number;
  /** Image of the user's; undefined: the image that we build for `database.version`. */
  readonly image: string | undefined;
  /** Settings for this node alone (memory, paths of its disks), merged over `database.settings`. */
  readonly settings: Readonly<Record<string, SettingValue>>;
}

export interface Names {
  /** Fully qualified floating name, e.g. `db.ha.example.test`. */
  readonly floating: string;
  readonly ttlSeconds: number;
  /** The name server's address on the deployment's network. */
  readonly serverAddress: string;
  /** Its port on 127.0.0.1 of the Docker host. */
  readonly publishedPort: number;
}

export interface Certificates {
  readonly caValidityDays: number;
  readonly validityHours: number;
  /** A leaf is reissued by the first `up` that finds less than this left of it. */
  readonly renewBeforeHours: number;
  /** The user's own CA: its certificate here, its key as the secret `caPrivateKey`. */
  readonly ownCaCertificate: string | undefined;
}

export interface ContainersTarget {
  /** CIDR of the deployment's network. */
  readonly subnet: string;
  /** Docker host, e.g. `unix:///var/run/docker.sock`; undefined: the one that `docker` uses. */
  readonly dockerHost: string | undefined;
}
