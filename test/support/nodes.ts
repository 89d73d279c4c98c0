/** Looks into a node's container from outside, for what a client cannot see. */
import { docker } from "./stack.ts";

/** One value from SQL, as the superuser on the local socket. */
export async function sql(container: string, statement: string, database = "postgres"): Promise<string> {
  return await docker("exec", container, "psql", "-XAtq", "-d", database, "-c", statement);
}

export interface Incarnation {
  readonly container: string;
  readonly startedAt: string;
  readonly postmaster: string;
}

/** Tells whether a container was replaced or restarted, or its server restarted. */
export async function incarnation(container: string): Promise<Incarnation> {
  const [id = "", startedAt = ""] = (
    await docker("inspect", "-f", "{{.Id}} {{.State.StartedAt}}", container)
  ).split(" ");
  return { container: id, startedAt, postmaster: await sql(container, "SELECT pg_postmaster_start_time()") };
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
