/** What a machine has to have for a program, as opposed to an image that is built with it. Debian's and Ubuntu's names. */
import type { Account, InstalledProgram, UnitArgs } from "../host.ts";

/** Root-only notes of ours. */
export const BOOKS_DIRECTORY = "/var/lib/understudy-host";
export const LOCK_FILE = `${BOOKS_DIRECTORY}/lock`;

export function manifestFile(resource: string): string {
  return `${BOOKS_DIRECTORY}/manifests/${resource}`;
}

/** A unit of a program that a machine can have. */
export type InstalledUnit = UnitArgs & { readonly program: InstalledProgram };

export interface MachineProgram {
  readonly account: Account;
  readonly directories: Readonly<Record<"config" | "data", string>>;
  /** Whose machine it is, one line of JSON. A machine may carry one of each program. */
  readonly ownerFile: string;
  readonly packages: readonly string[];
  /** Installed where the machine's sources have them. */
  readonly optional: readonly string[];
  /** Stay at their version: what an upgrade of these replaces is the running server. */
  readonly held: readonly string[];
  /** May come from a `packageMirror` though the machine's own sources have them as well. */
  readonly preferred: readonly string[];
  /** Services of the distribution's packages that must not come up by being installed. */
  readonly notStarted: readonly string[];
}

export function machineProgram(program: InstalledProgram, postgresVersion: number): MachineProgram {
  return program === "postgres" ? postgres(postgresVersion) : dns;
}

function postgres(version: number): MachineProgram {
  const held = [`postgresql-${version}`, `postgresql-client-${version}`];
  return {
    account: "postgres",
    directories: { config: "/etc/understudy", data: "/var/lib/understudy" },
    ownerFile: `${BOOKS_DIRECTORY}/owner`,
    packages: [...held, "python3", "python3-psycopg"],
    // The faster half of python3-psycopg, which does without it. Debian 12 has none.
    optional: ["python3-psycopg-c"],
    held,
    preferred: [...held, "postgresql-common", "postgresql-common-dev", "postgresql-client-common", "libpq5"],
    notStarted: [],
  };
}

const dns: MachineProgram = {
  account: "bind",
  directories: { config: "/etc/understudy-dns", data: "/var/lib/understudy-dns" },
  ownerFile: `${BOOKS_DIRECTORY}/owner-dns`,
  packages: ["bind9", "bind9-dnsutils", "python3"],
  optional: [],
  held: [],
  preferred: [],
  notStarted: ["named.service"],
};
