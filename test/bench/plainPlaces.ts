/** Where a pair without Understudy runs, and how the operator of it gets there. */
import type { Access } from "../support/client.ts";
import type { Site } from "../support/pairStack.ts";

export const plainData = "/var/lib/understudy/plain";
export const plainTls = "/var/lib/understudy/tls";

export interface PlainPlace {
  /** What Docker knows it as, for a look from outside. */
  readonly container: string;
  /** As the other one sees it. */
  readonly address: string;
  /** Where a client finds it. */
  readonly listens: Pick<Access["targets"][number], "address" | "port">;
  /** As the account that runs the server. */
  shell(script: string): Promise<string>;
  /** One statement or more, as the superuser on the local socket. */
  sql(statement: string): Promise<string>;
}

export interface PlainPlaces {
  /** Of both. */
  readonly network: string;
  /** How the operator gets there, in the README's words. */
  readonly way: string;
  /** Ends with a directory for keys, none for data yet, and PostgreSQL's programs on the path. */
  make(): Promise<Readonly<Record<Site, PlainPlace>>>;
  remove(): Promise<void>;
}
