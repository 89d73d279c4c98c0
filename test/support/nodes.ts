/** Looks into a node's container or machine from outside, for what a client cannot see. */
import { docker } from "./stack.ts";

/** A machine has PostgreSQL's own programs where Debian puts them; a node's image has them there too. */
const path = "PATH=/usr/lib/postgresql/17/bin:/usr/bin:/bin:/usr/sbin:/sbin";

/** Runs a program as the account that runs the server. */
export async function asPostgres(container: string, ...command: readonly string[]): Promise<string> {
  return await docker("exec", "-u", "postgres", "-e", path, container, ...command);
}

/** One value from SQL, as the superuser on the local socket. */
export async function sql(container: string, statement: string, database = "postgres"): Promise<string> {
  return await asPostgres(container, "psql", "-XAtq", "-d", database, "-c", statement);
}

/** Waits for a condition, with a limit; the last refusal is in the error. */
export async function eventually<T>(
  seconds: number,
  what: string,
  probe: () => Promise<T | undefined>,
): Promise<T> {
  const end = Date.now() + seconds * 1000;
  let last: unknown = "not yet";
  while (Date.now() < end) {
    try {
      const value = await probe();
      if (value !== undefined) return value;
    } catch (error) {
      last = error;
    }
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  throw new Error(`${what}: not within ${seconds} s (${last})`);
}
