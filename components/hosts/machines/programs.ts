/** What a machine has to have for a program, as opposed to an image that is built with it. Debian's and Ubuntu's names. */
import type { Account, Program } from "../host.ts";

/** Root-only notes of ours. */
export const BOOKS_DIRECTORY = "/var/lib/understudy-host";
export const LOCK_FILE = `${BOOKS_DIRECTORY}/lock`;

export function manifestFile(resource: string): string {
  return `${BOOKS_DIRECTORY}/manifests/${resource}`;
}

export interface MachineProgram {
  readonly account: Account;
  readonly directories: Readonly<Record<"config" | "data", string>>;
  /** Octal, of `directories.data`. */
  readonly dataMode: string;
  /**
   * Whose machine it is, one line of JSON. A machine may carry one program of each note: a name server beside anything
   * else, and of all the others one.
   */
  readonly ownerFile: string;
  readonly packages: readonly string[];
  /** Installed where the machine's sources have them. */
  readonly optional: readonly string[];
  /** Stay at their version: what an upgrade of these replaces is the running server. */
  readonly held: readonly string[];
  /** May come from a `packageMirror` though the machine's own sources have them as well. */
  readonly preferred: readonly string[];
  /** By package: an older version is refused before anything is installed. */
  readonly minimums: Readonly<Record<string, string>>;
  /** Services of the distribution's packages that must not come up by being installed. */
  readonly notStarted: readonly string[];
  /** The data directory holds what nobody else has: it stays when the host leaves, unless it is to be wiped. */
  readonly keepsData: boolean;
  /**
   * Directories below the data directory that go with the host though its data stays: they belong to a cluster of Consul
   * that is made anew, with other keys, when the host comes back.
   */
  readonly discarded: readonly string[];
}

/** What of a deployment's `database` decides about packages. */
export interface PackageNeeds {
  /** PostgreSQL's major version. */
  readonly version: number;
  /** Absent: no proxy pools. */
  readonly pooling?: object | undefined;
}

export function machineProgram(program: Program, { version, pooling }: PackageNeeds): MachineProgram {
  switch (program) {
    case "postgres":
      return postgres(version);
    case "patroni":
      return patroni(version);
    case "dns":
      return dns;
    case "consul":
      return consul;
    case "haproxy":
      return pooling === undefined ? haproxy : withPgbouncer;
  }
}

const DATA = "/var/lib/understudy";

const common = {
  directories: { config: "/etc/understudy", data: DATA },
  // Secrets and databases.
  dataMode: "700",
  ownerFile: `${BOOKS_DIRECTORY}/owner`,
  optional: [],
  held: [],
  preferred: [],
  minimums: {},
  notStarted: [],
  keepsData: false,
  discarded: [],
} as const;

/**
 * Patroni of two regions has what a planned move asks for from 4.1 on. An older Consul is not tried. PgBouncer keeps the
 * statements that drivers prepare from 1.21 on.
 */
const oldest = { patroni: "4.1", consul: "1.15", pgbouncer: "1.21" } as const;

function postgres(version: number): MachineProgram {
  const held = [`postgresql-${version}`, `postgresql-client-${version}`];
  return {
    ...common,
    account: "postgres",
    packages: [...held, "python3", "python3-psycopg"],
    // The faster half of python3-psycopg, which does without it. Debian 12 has none.
    optional: ["python3-psycopg-c"],
    held,
    preferred: [...held, "postgresql-common", "postgresql-common-dev", "postgresql-client-common", "libpq5"],
    keepsData: true,
  };
}

/** PostgreSQL with Patroni, which reaches Consul's servers through an agent beside it. */
function patroni(version: number): MachineProgram {
  const server = postgres(version);
  const own = ["patroni", "consul"];
  return {
    ...server,
    packages: [...server.packages, ...own],
    held: [...server.held, ...own],
    preferred: [...server.preferred, ...own],
    minimums: { patroni: oldest.patroni, consul: oldest.consul },
    notStarted: ["patroni.service", "consul.service"],
    discarded: [`${DATA}/consul`],
  };
}

const consul: MachineProgram = {
  ...common,
  account: "consul",
  packages: ["consul", "python3"],
  held: ["consul"],
  preferred: ["consul"],
  minimums: { consul: oldest.consul },
  notStarted: ["consul.service"],
};

const haproxy: MachineProgram = {
  ...common,
  account: "haproxy",
  packages: ["haproxy", "python3"],
  notStarted: ["haproxy.service"],
};

/** Its package makes the account `postgres` too, which has nothing to do here: both programs run as HAProxy's. */
const withPgbouncer: MachineProgram = {
  ...haproxy,
  packages: [...haproxy.packages, "pgbouncer"],
  preferred: ["pgbouncer"],
  minimums: { pgbouncer: oldest.pgbouncer },
  notStarted: [...haproxy.notStarted, "pgbouncer.service"],
};

const dns: MachineProgram = {
  ...common,
  account: "bind",
  directories: { config: "/etc/understudy-dns", data: "/var/lib/understudy-dns" },
  dataMode: "750",
  ownerFile: `${BOOKS_DIRECTORY}/owner-dns`,
  packages: ["bind9", "bind9-dnsutils", "python3"],
  notStarted: ["named.service"],
};
