/**
 * A conversation with the agent on a host, whatever verbs that has: those of a pair's node (`session.ts`) or of a
 * host of a region (`regions/verbs.ts`). One JSON request a line, one JSON answer a line; see `session.ts`.
 */

/** A table of verbs: what each takes and answers. */
export type VerbTable<V> = { readonly [K in keyof V]: { args: unknown; result: unknown } };

export interface SessionOf<V extends VerbTable<V>> {
  /** Sends one request and waits for its answer. Rejects with `NodeError` when the node says no. */
  call<K extends keyof V>(verb: K, args: V[K]["args"], limits?: CallLimits): Promise<V[K]["result"]>;
  close(): Promise<void>;
}

export interface CallLimits {
  readonly timeoutMs?: number;
  /** Progress lines of long verbs (`clone`), to be shown to the user. */
  readonly onProgress?: (line: string) => void;
}

/** The node answered, and its answer is no. */
export class NodeError extends Error {
  readonly node: string;
  readonly code: string;
  constructor(node: string, code: string, message: string) {
    super(`${node}: ${message}`);
    this.name = "NodeError";
    this.node = node;
    this.code = code;
  }
}

/** The verb that every agent has. */
export interface Observing<Report> {
  observe: { args: { catalog?: boolean }; result: Report };
}

/** What a look from outside finds, with the agent's own report where there is one. */
export type Look<Report> =
  | { readonly reach: "unreachable"; readonly reason: string }
  | { readonly reach: "absent"; readonly data: "none" | "kept" }
  | { readonly reach: "stopped"; readonly reason: string; readonly report: Report | null }
  | { readonly reach: "up"; readonly report: Report; readonly image?: string };

/** What a target gives `converge`: a look from outside, a conversation, and the container or unit's start. */
export interface AccessOf<V extends VerbTable<V>, Facts> {
  /** Never rejects: a node that does not answer is a fact. */
  observe(options: { catalog: boolean }): Promise<Facts>;
  /** The kept conversation; where the container is stopped, with an agent beside it that can see its volumes. */
  open(): Promise<SessionOf<V>>;
  /** A conversation of its own that the caller closes, for what goes on beside the steps (the lock, the probe). */
  openAnother(): Promise<SessionOf<V>>;
  /** Starts the container or unit, and returns when its agent answers. */
  startUnit(timeoutSeconds: number): Promise<void>;
  /** Stops it as it stops by itself, starts it, and returns when its new agent answers. */
  restartUnit(timeoutSeconds: number): Promise<void>;
  close(): Promise<void>;
}
