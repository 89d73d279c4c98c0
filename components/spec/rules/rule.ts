/** What a rule is. Rules are data: `rules/index.ts` lists them all, and a test asks each for a case that it refuses. */
import type { Deployment } from "../model.ts";
import type { Problem } from "../problems.ts";
import type { AnyDeployment } from "../regionalModel.ts";
import type { Written } from "../schema.ts";
import type { WrittenBase } from "../schemaBase.ts";

export interface RuleContext<W extends WrittenBase = WrittenBase> {
  /** What the user wrote, for rules that care whether a value was given or derived. */
  readonly written: W;
  /** The configuration key `repair`. */
  readonly repair: Readonly<Record<string, string>>;
  readonly now: Date;
  /** The secret `caPrivateKey` is set. */
  readonly caPrivateKeyGiven: boolean;
  /** The secret `dnsKey` is set. */
  readonly dnsKeyGiven: boolean;
  /** Secrets of the configuration that are set without --secret. */
  readonly plainSecrets: readonly string[];
}

/** Without more words, one for deployments of every kind. */
export interface Rule<D extends AnyDeployment = AnyDeployment, W extends WrittenBase = WrittenBase> {
  /** `E_…` refuses, `W_…` warns. */
  readonly code: string;
  /**
   * Fields without which the rule would draw a wrong conclusion: it does not run when one of them could not be
   * read. `*` is any name. What a rule reports about an unreadable field itself is left out anyway.
   */
  readonly needs: readonly string[];
  readonly check: (deployment: D, context: RuleContext<W>) => Finding[];
}

export type StreamingRule = Rule<Deployment, Written>;

/** What a rule found; its code is the rule's. */
export type Finding = Omit<Problem, "code">;

/** Items by a key, in the input's order. */
export function groupBy<T>(items: readonly T[], key: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const group = groups.get(key(item));
    if (group) group.push(item);
    else groups.set(key(item), [item]);
  }
  return groups;
}

export const list = (words: readonly string[]) => `[${words.join(", ")}]`;
