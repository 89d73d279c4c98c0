/** Packages that the distribution has in an older version or not at all, and what runs already of the same kind. */
import type { Refusal } from "../../../roles/steps.ts";
import { distributionOf } from "./distributions.ts";
import type { MachineFacts } from "./facts.ts";
import { named, type Rule } from "./rule.ts";
import type { SurveyWish } from "./wish.ts";

export const packageRules: readonly Rule[] = [versions, services];

const codes: Readonly<Record<string, string>> = {
  patroni: "E_PATRONI_VERSION",
  consul: "E_CONSUL_VERSION",
  pgbouncer: "E_PGBOUNCER_VERSION",
};

const sources: Readonly<Record<string, string>> = {
  patroni: "PostgreSQL's own apt repository has it",
  consul: "HashiCorp's apt repository has it",
  pgbouncer: "PostgreSQL's own apt repository has it",
};

/** What a mirror has is known when it was asked, which the installation does before it installs anything. */
function versions(facts: MachineFacts, wish: SurveyWish): Refusal[] {
  return Object.entries(wish.minimums ?? {}).flatMap(([name, oldest]) => {
    const installed = facts.packages.find((one) => one.name === name)?.version;
    const found = installed ?? facts.candidates[name] ?? brought(facts, name);
    if (typeof found === "string" && isAtLeast(found, oldest)) return [];
    if (installed === undefined && wish.packageMirror) return [];
    const code = codes[name] ?? "E_PACKAGE";
    if (installed !== undefined) {
      const why = `${name} ${installed} is installed on it, and ${oldest} or newer is needed. Upgrade it there, or remove it so that this deployment installs its own`;
      return [{ code, message: `${named(wish)}: ${why}.` }];
    }
    const none = facts.packageLists
      ? "its sources have none"
      : "its distribution has none (nobody has asked its sources yet: if one of them has it, run `apt-get update` there)";
    const whose = facts.packageLists ? "its sources have" : "its distribution has";
    const seen = found ? `${whose} ${found}` : none;
    const hint =
      sources[name] === undefined ? "" : ` (${sources[name]}; a mirror of your own may carry it too)`;
    return [
      {
        code: found ? code : "E_PACKAGE",
        message: `${named(wish)} is to get ${name} ${oldest} or newer, and ${seen}. Name a source in the machine's \`packageMirror\`${hint}.`,
      },
    ];
  });
}

/** Debian's versions: what is before a colon and after a hyphen is no part of the program's own. */
export function isAtLeast(version: string, oldest: string): boolean {
  const numbers = (text: string) => text.replace(/^\d+:/, "").split("-")[0]?.split(/[.+~]/).map(Number) ?? [];
  const [has, needs] = [numbers(version), numbers(oldest)];
  for (const [index, need] of needs.entries()) {
    const part = has[index] ?? 0;
    if (part !== need) return part > need;
  }
  return true;
}

/** A fresh machine has no lists yet, which installing fetches: there, what its distribution brings counts. */
function brought({ os, packageLists }: MachineFacts, name: string): string | undefined {
  return packageLists ? undefined : distributionOf(os)?.packages[name];
}

/** Another proxy has its own ports, or the rule about them says so. Two Patronis or Consuls on one host are one too many. */
const besideOurs = ["haproxy.service", "pgbouncer.service"];

/** A service that is enabled without running would be there after the next boot. */
function services(facts: MachineFacts, wish: SurveyWish): Refusal[] {
  return (wish.services ?? []).flatMap((service) => {
    const unit = facts.units[service];
    if (!unit || unit.load === "not-found" || unit.load === "masked") return [];
    const runs = unit.active === "active" || unit.active === "activating";
    if (!runs && unit.enabled !== "enabled") return [];
    const state = runs ? "runs" : "would start with the machine";
    if (besideOurs.includes(service)) {
      return [
        { code: "N_OTHER_SERVICE", message: `${named(wish)}: ${service} ${state} there, and is left alone.` },
      ];
    }
    return [
      {
        code: "E_SERVICE",
        message: `${named(wish)}: ${service} ${state} there, and is not this deployment's. If nobody needs it: systemctl disable --now ${service}. Otherwise this host needs another machine.`,
      },
    ];
  });
}
