/** Distributions that a machine may run, and what each brings itself of what a deployment takes from it. */
import type { MachineFacts } from "./facts.ts";

export interface Distribution {
  readonly name: string;
  /** PostgreSQL's major version. */
  readonly postgres: number;
  /** By package, the version that counts as long as nobody has asked its sources. Absent: none that could be used. */
  readonly packages: Readonly<Record<string, string>>;
}

const distributions: Readonly<Record<string, Distribution>> = {
  "debian 12": { name: "Debian 12", postgres: 15, packages: { pgbouncer: "1.18.0" } },
  "debian 13": { name: "Debian 13", postgres: 17, packages: { pgbouncer: "1.24.1" } },
  "ubuntu 24.04": { name: "Ubuntu 24.04", postgres: 16, packages: { pgbouncer: "1.22.0" } },
};

export const distributionNames = Object.values(distributions).map(({ name }) => name);

/** Undefined: none that a machine may run. */
export function distributionOf({ id, version }: MachineFacts["os"]): Distribution | undefined {
  return distributions[`${id} ${version}`];
}
