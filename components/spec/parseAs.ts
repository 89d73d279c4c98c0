/**
 * From the stack's configuration to a deployment of one kind, or to every reason why not. All reasons at once: parts
 * that cannot be read are put aside, and the rules run on what remains, except those that would then draw a wrong
 * conclusion. It touches nothing, and no input makes it throw.
 */
import type { Problem } from "./problems.ts";
import { type Reader, read, readFailover, readRepair } from "./read.ts";
import type { AnyDeployment } from "./regionalModel.ts";
import type { Beside } from "./resolveBase.ts";
import type { Rule, RuleContext } from "./rules/rule.ts";
import type { WrittenBase } from "./schemaBase.ts";
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

export type Parsed<D> =
  | { readonly ok: true; readonly deployment: D; readonly warnings: readonly Problem[] }
  | { readonly ok: false; readonly problems: readonly Problem[] };

/** How a kind of deployment is read, filled in and judged. */
export interface Kind<W extends WrittenBase, D extends AnyDeployment> extends Reader<W> {
  readonly resolve: (written: W, beside: Beside) => D;
  readonly rules: readonly Rule<D, W>[];
  /** The accepted deployment without what only repeats ours. */
  readonly tidied: (deployment: D) => D;
}

export function parseAs<W extends WrittenBase, D extends AnyDeployment>(
  kind: Kind<W, D>,
  raw: RawConfiguration,
): Parsed<D> {
  const active = readActive(raw.active);
  const { written, problems, unreadable } = read(raw.deployment, kind);
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
  const deployment = kind.resolve(written, { stack: raw.stack, active: active.name, failover, repair });
  const context: RuleContext<W> = {
    written,
    repair,
    now: raw.now ?? new Date(),
    caPrivateKeyGiven: raw.caPrivateKeyGiven ?? false,
    dnsKeyGiven: raw.dnsKeyGiven ?? false,
    plainSecrets: raw.plainSecrets ?? [],
  };
  found.push(...applyRules(kind.rules, deployment, context, aside));
  const refusals = found.filter(({ code }) => !code.startsWith("W_"));
  if (refusals.length > 0) return { ok: false, problems: inOrder(refusals) };
  return { ok: true, deployment: kind.tidied(deployment), warnings: inOrder(found) };
}

function readActive(value: unknown): { readonly name: string; readonly problem?: Problem } {
  if (value === undefined || value === null) return { name: "" };
  if (typeof value === "string") return { name: value };
  const message = `${show(value, "active")}; expected a name`;
  return { name: "", problem: { code: "E_TYPE", path: "active", message } };
}

function applyRules<W extends WrittenBase, D extends AnyDeployment>(
  rules: readonly Rule<D, W>[],
  deployment: D,
  context: RuleContext<W>,
  aside: readonly string[],
): Problem[] {
  const couldMislead = (rule: Rule<D, W>) =>
    rule.needs.some((need) => aside.some((path) => concerns(path, need)));
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
