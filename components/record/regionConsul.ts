/** A host's Consul in a record. Policies and tokens are written as their difference to the wish. Pure. */
import type { DesiredRegion } from "../regions/desired.ts";
import type { ConsulFacts } from "../regions/facts.ts";
import { isGone } from "../regions/plan/consulState.ts";
import { applied, type Difference, difference } from "./difference.ts";

export interface RecordedConsul extends Pick<ConsulFacts, "leader" | "peers" | "healthy" | "tokenValid"> {
  /** Of gossip, those who do not answer or have left: whoever is declared no more is forgotten once it is among them. */
  readonly failed: readonly string[];
  /** To the rules and the tokens' policies of the wish; null: not readable there. */
  readonly access: { readonly policies: Difference; readonly tokens: Difference } | null;
}

export function recordedConsul(consul: ConsulFacts, { access: wish }: DesiredRegion): RecordedConsul {
  const { leader, peers, healthy, tokenValid, members, access } = consul;
  return {
    ...{ leader, healthy, tokenValid },
    peers: [...peers].sort((a, b) => (a.node < b.node ? -1 : 1)),
    failed: members
      .filter(({ status }) => isGone(status))
      .map(({ node }) => node)
      .sort(),
    access: access && {
      policies: difference(rulesOf(wish), trimmed(access.policies)),
      tokens: difference(listed(wish.tokens), listed(access.tokens)),
    },
  };
}

export function consulAgain(
  { failed, access, ...consul }: RecordedConsul,
  { access: wish }: DesiredRegion,
): ConsulFacts {
  return {
    ...consul,
    members: failed.map((node) => ({ node, status: "failed", server: false })),
    access: access && {
      policies: applied(access.policies, rulesOf(wish)),
      tokens: mapValues(applied(access.tokens, listed(wish.tokens)), (text) =>
        text.split("\n").filter(Boolean),
      ),
    },
  };
}

function rulesOf({ policies }: DesiredRegion["access"]): Record<string, string> {
  return trimmed(Object.fromEntries(policies.map(({ name, rules }) => [name, rules])));
}

function trimmed(texts: Readonly<Record<string, string>>): Record<string, string> {
  return mapValues(texts, (text) => text.trim());
}

function listed(tokens: Readonly<Record<string, readonly string[]>>): Record<string, string> {
  return mapValues(tokens, (policies) => [...policies].sort().join("\n"));
}

function mapValues<A, B>(record: Readonly<Record<string, A>>, change: (value: A) => B): Record<string, B> {
  return Object.fromEntries(Object.entries(record).map(([name, value]) => [name, change(value)]));
}
