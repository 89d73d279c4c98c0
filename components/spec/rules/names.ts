/** Names of sites and of the deployment: they become DNS names, containers, replication slots and standby names. */

import type { AnyDeployment } from "../regionalModel.ts";
import { show } from "../show.ts";
import { suggest } from "../suggest.ts";
import { areasOf, areaWords, hostsOnMachines, wholeAreas } from "./areas.ts";
import { type RecordOwner, recordOwners } from "./recordOwners.ts";
import { type Finding, groupBy, list, type Rule, type StreamingRule } from "./rule.ts";

const sitePath = (name: string) => `deployment.sites.${name}`;

/** What is wrong with a host name; undefined when nothing is. */
export function hostnameFault(name: string): string | undefined {
  if (name === "") return "is empty";
  if (name.endsWith(".")) return `ends in a dot; write it as ${show(name.replace(/\.+$/, ""), "")}`;
  if (name.length > 253) return `is ${name.length} characters; DNS allows 253`;
  for (const label of name.split(".")) {
    const fault = labelFault(label);
    if (fault) return fault;
  }
  return undefined;
}

function labelFault(label: string): string | undefined {
  const shown = `label ${show(label, "")}`;
  if (label === "") return "has an empty label";
  if (label.length > 63) return `${shown} is ${label.length} characters; DNS allows 63`;
  if (/[A-Z]/.test(label)) return `${shown} has upper-case letters; write it in lower case`;
  if (label.includes("_")) return `${shown} has an underscore, which no host name may have; use a hyphen`;
  if (/^-|-$/.test(label)) return `${shown} begins or ends with a hyphen`;
  if (!/^[a-z0-9-]+$/.test(label)) return `${shown} may have letters a to z, digits and hyphens only`;
  return undefined;
}

function hostname(path: string, name: string): Finding[] {
  const fault = hostnameFault(name);
  return fault ? [{ path, message: `${show(name, path)}: ${fault}` }] : [];
}

const activeUnknown: Rule = {
  code: "E_ACTIVE_UNKNOWN",
  needs: ["active", ...wholeAreas],
  check(deployment) {
    const { active } = deployment;
    const { one, many } = areaWords(deployment);
    const names = areasOf(deployment).map(({ name }) => name);
    if (names.includes(active)) return [];
    const close = suggest(active, names);
    const which = active === "" ? "active is not set" : `active ${show(active, "active")} is not one of`;
    const found = active === "" ? `; the ${many} are ${list(names)}` : ` ${many} ${list(names)}`;
    const advice = close
      ? `. Did you mean "${close}"?`
      : `; set it with \`pulumi config set active ${names[0] ?? `<${one}>`}\``;
    return [{ path: "active", message: `${which}${found}${advice}` }];
  },
};

const siteNameTwice: StreamingRule = {
  code: "E_NAME_DUP",
  needs: ["deployment.sites"],
  check({ sites }) {
    const groups = groupBy(sites, (site) => site.name.toLowerCase());
    return [...groups.values()].flatMap(([first, ...others]) =>
      others.map((site) => ({
        path: sitePath(site.name),
        message: `"${site.name}" and "${first?.name}" are one name, because DNS ignores case; rename one of them`,
      })),
    );
  },
};

const hostnames: Rule = {
  code: "E_HOSTNAME",
  needs: [],
  check(deployment, { written }) {
    const { domain, names } = deployment;
    const found = hostname("deployment.domain", domain);
    const fits = found.length === 0;
    for (const { name, what, path, region } of recordOwners(deployment)) {
      // What is derived from a region's name has its faults.
      if (region !== undefined && name.startsWith(region) && hostnameFault(region)) continue;
      if (name.includes(".")) {
        found.push({ path, message: `${show(name, "")}: a ${what}'s name is one label, without a dot` });
        continue;
      }
      const own = hostname(path, name);
      found.push(...(own.length > 0 || !fits ? own : hostname(path, `${name}.${domain}`)));
    }
    if (fits || written.names.floating !== undefined)
      found.push(...hostname("deployment.names.floating", names.floating));
    return found;
  },
};

const slotCollision: StreamingRule = {
  code: "E_SLOT_COLLISION",
  needs: ["deployment.sites"],
  check({ sites }) {
    const groups = groupBy(sites, (site) => site.node.slot);
    return [...groups.values()].flatMap(([first, ...others]) =>
      others
        .filter((site) => site.name.toLowerCase() !== first?.name.toLowerCase())
        .map((site) => ({
          path: sitePath(site.name),
          message: `"${site.name}" and "${first?.name}" would both use the replication slot "${site.node.slot}"; rename one of them`,
        })),
    );
  },
};

const physicalNames: Rule = {
  code: "E_NAME",
  needs: ["deployment.name"],
  check({ name }, { written }) {
    if (/^[a-zA-Z0-9][a-zA-Z0-9_.-]*$/.test(name)) return [];
    const from = written.name === undefined ? " (the stack's name)" : "";
    const message = `${show(name, "")}${from} cannot begin a container's name; use letters, digits, ".", "_" and "-", and set \`name\``;
    return [{ path: "deployment.name", message }];
  },
};

/** The longest name that is made from the deployment's: Docker sets a container's name as its host name. */
const nameLength: Rule = {
  code: "E_NAME_LENGTH",
  needs: ["deployment.name"],
  check(deployment) {
    return containerOwners(deployment).flatMap(({ name, what, path }) => {
      const container = `${deployment.name}-${name}`;
      if (container.length <= 63 || name.length > 63) return [];
      const message = `the container's name "${container}" is ${container.length} characters; 63 are allowed: shorten \`name\` or the ${what}'s name`;
      return [{ path, message }];
    });
  },
};

/** Sites and regions' hosts in containers. */
function containerOwners(deployment: AnyDeployment): readonly RecordOwner[] {
  const onMachines = new Set(hostsOnMachines(deployment).map(({ name }) => name));
  return recordOwners(deployment).filter(({ name, what }) => what !== "region" && !onMachines.has(name));
}

const reservedNames: Readonly<Record<string, string>> = {
  ns: "it is the name server's own name in the zone",
  dns: "its container would have the name of the name server's",
  localhost: "every machine takes it for itself",
  "*": "to PostgreSQL it is every standby",
  __patroni_strict_sync_replica_placeholder__: "Patroni has it stand for nobody",
};

const nameReserved: Rule = {
  code: "E_NAME_RESERVED",
  needs: [],
  check(deployment) {
    return recordOwners(deployment).flatMap(({ name, what, path }) => {
      const lower = name.toLowerCase();
      const reason = Object.hasOwn(reservedNames, lower) ? reservedNames[lower] : undefined;
      return reason ? [{ path, message: `a ${what} cannot be called "${name}": ${reason}` }] : [];
    });
  },
};

export const nameRules: readonly Rule[] = [activeUnknown, hostnames, physicalNames, nameLength, nameReserved];

export const siteNameRules: readonly StreamingRule[] = [siteNameTwice, slotCollision];
