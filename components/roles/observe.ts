/**
 * Looks at every node at once, changes nothing, and always ends: a node, host or engine that does not answer
 * within the limit is a fact like any other.
 */
import type { NodeFacts, Observed } from "./facts.ts";
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
  const limitMs = options.limitMs ?? defaultLimitMs;
  const looks = [...access].map(async ([name, node]) => {
    const look = node.observe({ catalog: name === options.catalogOf });
    return [name, await withinLimit(look, limitMs)] as const;
  });
  const nodes = Object.fromEntries(await Promise.all(looks));
  return { at, until: (options.now?.() ?? new Date()).toISOString(), nodes };
}

async function withinLimit(look: Promise<NodeFacts>, limitMs: number): Promise<NodeFacts> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<NodeFacts>((resolve) => {
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
