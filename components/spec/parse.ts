/**
 * From the stack's configuration to a `Deployment`, or to every reason why not. All reasons at once: parts that
 * cannot be read are put aside, and the rules run on what remains, except those that would then draw a wrong
 * conclusion. It touches nothing, and no input makes it throw.
 */
import type { Deployment } from "./model.ts";
import { withoutOwnedValues } from "./ownedSettings.ts";
import type { Problem } from "./problems.ts";
import { read, readFailover, readRepair } from "./read.ts";
import { resolve } from "./resolve.ts";
import { rules } from "./rules/index.ts";
import type { Rule, RuleContext } from "./rules/rule.ts";
import { show } from "./show.ts";

export interface RawConfiguration {
  /** The stack's name; the default of `name`. */
  readonly stack: string;
  /** The configuration value `active`. */
  readonly active: unknown;
  /** The configuration value `deployment`. */
  readonly deployment: unknown;
  /** The configuration value `failover`. */
  readonly failover?: unknown;
  /** The configuration value `repair`. */
  readonly repair?: unknown;
  /** The secret `caPrivateKey` is set. */
  readonly caPrivateKeyGiven?: boolean;
  /** The secret `dnsKey` is set. */
  readonly dnsKeyGiven?: boolean;
  /** Secrets of the configuration that are set without --secret. */
  readonly plainSecrets?: readonly string[];
  /** The time that certificates are judged by; default: now. */
  readonly now?: Date;
}

export type Parsed =
  | { readonly ok: true; readonly deployment: Deployment; readonly warnings: readonly Problem[] }
  | { readonly ok: false; readonly problems: readonly Problem[] };

export function parse(raw: RawConfiguration): Parsed {
  const active = readActive(raw.active);
  const { written, problems, unreadable } = read(raw.deployment);
  const statement = readFailover(raw.failover);
  const { repair, problems: repairProblems } = readRepair(raw.repair);
  const aside = [...unreadable, ...(active.problem ? ["active"] : [])];
  const found = [
    ...(active.problem ? [active.problem] : []),
    ...problems,
    ...statement.problems,
    ...repairProblems,
  ];
  if (!written) return { ok: false, problems: found };

  const { failover } = statement;
  const deployment = resolve(written, { stack: raw.stack, active: active.name, failover, repair });
  const context: RuleContext = {
    written,
    now: raw.now ?? new Date(),
    caPrivateKeyGiven: raw.caPrivateKeyGiven ?? false,
    dnsKeyGiven: raw.dnsKeyGiven ?? false,
    plainSecrets: raw.plainSecrets ?? [],
  };
  found.push(...applyRules(deployment, context, aside));
  const refusals = found.filter(({ code }) => !code.startsWith("W_"));
  if (refusals.length > 0) return { ok: false, problems: inOrder(refusals) };
  return { ok: true, deployment: tidied(deployment), warnings: inOrder(found) };
}

function readActive(value: unknown): { readonly name: string; readonly problem?: Problem } {
  if (value === undefined || value === null) return { name: "" };
  if (typeof value === "string") return { name: value };
  const message = `${show(value, "active")}; expected the name of a site`;
  return { name: "", problem: { code: "E_TYPE", path: "active", message } };
}

function applyRules(deployment: Deployment, context: RuleContext, aside: readonly string[]): Problem[] {
  const couldMislead = (rule: Rule) => rule.needs.some((need) => aside.some((path) => concerns(path, need)));
  return rules
    .filter((rule) => !couldMislead(rule))
    .flatMap((rule) => rule.check(deployment, context).map((finding) => ({ code: rule.code, ...finding })))
    .filter(({ path }) => !aside.some((unread) => within(path, unread)));
}

/** The part that was put aside is the needed field, or has it inside; `*` in a need is any name. */
function concerns(aside: string, need: string): boolean {
  const wanted = need.split(".");
  const parts = aside.split(".");
  return parts.length <= wanted.length && parts.every((part, n) => wanted[n] === "*" || wanted[n] === part);
}

/** `path` is `outer` or a part of it. */
function within(path: string, outer: string): boolean {
  return path === outer || path.startsWith(`${outer}.`) || path.startsWith(`${outer}[`);
}

function inOrder(problems: readonly Problem[]): Problem[] {
  const key = ({ path, code }: Problem) => `${path}\0${code}`;
  return [...problems].sort((a, b) => (key(a) < key(b) ? -1 : key(a) > key(b) ? 1 : 0));
}

/** What only repeats an owned setting is right and says nothing: consumers merge without meeting it. */
function tidied(deployment: Deployment): Deployment {
  const { database, sites } = deployment;
  return {
    ...deployment,
    database: { ...database, settings: withoutOwnedValues(database.settings) },
    sites: sites.map((site) => ({
      ...site,
      node: { ...site.node, settings: withoutOwnedValues(site.node.settings) },
    })),
  };
}
