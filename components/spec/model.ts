/**
 * The deployment as the rest of the package sees it: validated, every default filled in, plain data.
 *
 * `parse` (see `parse.ts`) is the only producer. Whatever is in here has passed every rule of `rules/`,
 * so a consumer never checks again. No Pulumi type appears: topology is known at preview.
 */

/** How far an acknowledged commit has travelled. See `synchronous` in the configuration reference. */
export type Synchronous = "strict" | "available" | "off";

export type SettingValue = string | number | boolean;

/** What deployments of every kind have. */
export interface DeploymentBase {
  /** Prefix of every physical name (container, volume, network). */
  readonly name: string;
  /** DNS zone that the deployment serves, without a trailing dot. */
  readonly domain: string;
  /** The site or region that takes writes. */
  readonly active: string;
  /** The statement that allows a failover without the old site or region; undefined: there is none. */
  readonly failover: Failover | undefined;
  /** By the host on a machine (a site's name, a region's host's, or `dns`): another text has everything there written again. */
  readonly repair: Readonly<Record<string, string>>;
  readonly names: Names;
  readonly certificates: Certificates;
  readonly containers: ContainersTarget;
}

/** `database.kind: streaming`. The other kind is in `regionalModel.ts`. */
export interface Deployment extends DeploymentBase {
  readonly database: StreamingDatabase;
  /** In the order in which the user wrote them. */
  readonly sites: readonly Site[];
}

/** See `failover` in the configuration reference. */
export interface Failover {
  readonly from: string;
  readonly to: string;
  /** Undefined: the site `from` has a fence command, whose success says it. */
  readonly fenceConfirmed: string | undefined;
  readonly at: string;
  readonly validForMinutes: number;
  readonly acceptDataLoss: boolean;
}

/** What is said of the database whichever way it is replicated. */
export interface DatabaseBase {
  /** PostgreSQL's major version. */
  readonly version: number;
  readonly synchronous: Synchronous;
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

export interface StreamingDatabase extends DatabaseBase {
  readonly kind: "streaming";
  /** `synchronous: available`: how long commits wait for a missing standby before they stop waiting. */
  readonly degradeAfterSeconds: number;
  /** Clients may log in on a standby. False: they are turned away there, while it can still be observed. */
  readonly standbyReads: boolean;
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
  readonly place: Place;
  /** The one node of a streaming site; its name is the site's. */
  readonly node: Node;
  /** Makes certain, from outside, that the site takes no writes; undefined: only a person can say so. */
  readonly fenceCommand: FenceCommand | undefined;
}

/** Where a site's node, or a region's host, runs. */
export type Place = ContainerPlace | MachinePlace;

export interface ContainerPlace {
  readonly target: "containers";
  /** The site's Docker engine; undefined: the one that `docker` uses. */
  readonly dockerHost: string | undefined;
  /**
   * The engine is the site's own, on another machine than the others': the node's `address` is that machine's, and
   * its port is published there. False: the engine and its network are shared with the other sites without one.
   */
  readonly ownEngine: boolean;
}

export interface MachinePlace {
  readonly target: "machines";
  readonly machine: Machine;
}

/** A machine that exists already: how it is reached, and what is done to it. See `machine` in the reference. */
export interface Machine {
  readonly ssh: SshTarget;
  /** Where packages come from; undefined: the sources that the machine has. */
  readonly packageMirror: PackageMirror | undefined;
  /** A table of nftables of our own that admits the deployment's ports from declared addresses only. */
  readonly firewall: boolean;
  /** What becomes of the data when it leaves the stack. */
  readonly onDestroy: "keep" | "wipe";
  /** Data directory of a running primary of the machine's own that becomes the site's; undefined: none. */
  readonly adopt: string | undefined;
}

/** As the user said it. What a connection needs beyond it (keys) is looked up at the edge; see `hosts/machines/ssh`. */
export interface SshTarget extends SshHop {
  /** A host to go through. */
  readonly jump: SshHop | undefined;
}

export interface SshHop {
  readonly host: string;
  readonly port: number;
  /** root, or a user with sudo and without a password. */
  readonly user: string;
  /** Private key on the machine that runs Pulumi; undefined: the secret `sshPrivateKey`, or else the agent. */
  readonly keyFile: string | undefined;
  /** Public key that the host must show, e.g. `ssh-ed25519 AAAA…`; undefined: what `knownHostsFile` says. */
  readonly hostKey: string | undefined;
  readonly knownHostsFile: string;
}

export interface PackageMirror {
  readonly url: string;
  /** e.g. `trixie-pgdg`. */
  readonly suite: string;
  readonly components: readonly string[];
  /** ASCII-armoured OpenPGP key that signs it. */
  readonly key: string;
}

export interface FenceCommand {
  /** Program and arguments, run on the machine that runs Pulumi. No shell. Holds no secret: it is shown. */
  readonly command: readonly string[];
  readonly timeoutSeconds: number;
}

export interface Node {
  /** Lower case, unique, a DNS label; also the node's `application_name`. */
  readonly name: string;
  readonly site: string;
  /** How the other nodes reach it. */
  readonly address: string;
  /** The port that PostgreSQL listens on, at `address`. */
  readonly port: number;
  /** Where clients on the machine that runs Pulumi reach it. */
  readonly client: Endpoint;
  /** Port that `client` is published on by the Docker engine; undefined where nothing has to be published. */
  readonly publishedPort: number | undefined;
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
  readonly server: NameServerPlace;
}

/** Who serves the deployment's names. See `names.server` in the reference. */
export type NameServerPlace =
  /** Ours, in a container: `address` on the deployment's network, `publishedPort` on 127.0.0.1 of the Docker host. */
  | { readonly kind: "container"; readonly address: string; readonly publishedPort: number }
  /** Ours, on a machine, which may be a site's. */
  | { readonly kind: "machine"; readonly address: string; readonly machine: Machine }
  /** The user's own, which takes updates after RFC 2136 signed with the secret `dnsKey`. */
  | { readonly kind: "external"; readonly host: string; readonly port: number; readonly keyName: string }
  /** Nobody: clients list the sites. */
  | { readonly kind: "none" };

export interface Endpoint {
  readonly host: string;
  readonly port: number;
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
