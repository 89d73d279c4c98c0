/**
 * Looks at every node at once, changes nothing, and always ends: a node, host or engine that does not answer
 * within the limit is a fact like any other.
 */
import type { AccessOf } from "./conversation.ts";
import type { Observed } from "./facts.ts";
import type { NodeAccess } from "./session.ts";

export type Fleet = ReadonlyMap<string, NodeAccess>;

export interface ObserveOptions {
  /** The node whose roles and databases are compared; the others are not asked for theirs. */
  readonly catalogOf: string;
  readonly limitMs?: number;
  readonly now?: () => Date;
}

/** Above what a slow node needs, below what an operator takes for a hang. */
const defaultLimitMs = 20_000;

export async function observe(access: Fleet, options: ObserveOptions): Promise<Observed> {
  const at = (options.now?.() ?? new Date()).toISOString();
  const nodes = await lookAtAll(access, (name) => name === options.catalogOf, options.limitMs);
  return { at, until: (options.now?.() ?? new Date()).toISOString(), nodes };
}

/** By name. Of a pair's nodes, or of the hosts of regions. */
export async function lookAtAll<Facts>(
  access: ReadonlyMap<string, Pick<AccessOf<never, Facts>, "observe">>,
  withCatalog: (name: string) => boolean,
  limitMs = defaultLimitMs,
): Promise<Record<string, Facts | Unreachable>> {
  const looks = [...access].map(async ([name, host]) => {
    return [name, await withinLimit(host.observe({ catalog: withCatalog(name) }), limitMs)] as const;
  });
  return Object.fromEntries(await Promise.all(looks));
}

interface Unreachable {
  readonly reach: "unreachable";
  readonly reason: string;
}

async function withinLimit<Facts>(look: Promise<Facts>, limitMs: number): Promise<Facts | Unreachable> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<Unreachable>((resolve) => {
    const reason = `no answer within ${limitMs / 1000} s`;
    timer = setTimeout(() => resolve({ reach: "unreachable", reason }), limitMs);
  });
  try {
    return await Promise.race([look, limit]);
  } catch (error) {
    return { reach: "unreachable", reason: (error as Error).message };
  } finally {
    clearTimeout(timer);
  }
}
