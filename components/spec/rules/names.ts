/** Names of sites and of the deployment: they become DNS names, containers, replication slots and standby names. */
import { show } from "../show.ts";
import { suggest } from "../suggest.ts";
import { type Finding, groupBy, list, type Rule } from "./rule.ts";

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
  needs: ["active", "deployment.sites"],
  check({ active, sites }) {
    const names = sites.map((site) => site.name);
    if (names.includes(active)) return [];
    const close = suggest(active, names);
    const which = active === "" ? "active is not set" : `active ${show(active, "active")} is not one of`;
    const found = active === "" ? `; the sites are ${list(names)}` : ` sites ${list(names)}`;
    const advice = close
      ? `. Did you mean "${close}"?`
      : `; set it with \`pulumi config set active ${names[0] ?? "<site>"}\``;
    return [{ path: "active", message: `${which}${found}${advice}` }];
  },
};

const siteNameTwice: Rule = {
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
  check({ domain, sites, names }, { written }) {
    const found = hostname("deployment.domain", domain);
    const fits = found.length === 0;
    for (const { name } of sites) {
      const dotted = name.includes(".");
      if (dotted) {
        const message = `${show(name, "")}: a site's name is one label, without a dot`;
        found.push({ path: sitePath(name), message });
        continue;
      }
      const own = hostname(sitePath(name), name);
      found.push(...(own.length > 0 || !fits ? own : hostname(sitePath(name), `${name}.${domain}`)));
    }
    if (fits || written.names.floating !== undefined)
      found.push(...hostname("deployment.names.floating", names.floating));
    return found;
  },
};

const slotCollision: Rule = {
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
  check({ name, sites }) {
    const inContainers = sites.filter(({ place }) => place.target === "containers");
    return inContainers.flatMap((site) => {
      const container = `${name}-${site.name}`;
      if (container.length <= 63 || site.name.length > 63) return [];
      const message = `the container's name "${container}" is ${container.length} characters; 63 are allowed: shorten \`name\` or the site's name`;
      return [{ path: sitePath(site.name), message }];
    });
  },
};

const reservedSiteNames: Readonly<Record<string, string>> = {
  ns: "it is the name server's own name in the zone",
  dns: "its container would have the name of the name server's",
  localhost: "every machine takes it for itself",
};

const siteNameReserved: Rule = {
  code: "E_NAME_RESERVED",
  needs: [],
  check({ sites }) {
    return sites.flatMap(({ name }) => {
      const lower = name.toLowerCase();
      const reason = Object.hasOwn(reservedSiteNames, lower) ? reservedSiteNames[lower] : undefined;
      return reason
        ? [{ path: sitePath(name), message: `a site cannot be called "${name}": ${reason}` }]
        : [];
    });
  },
};

export const nameRules: readonly Rule[] = [
  activeUnknown,
  siteNameTwice,
  hostnames,
  slotCollision,
  physicalNames,
  nameLength,
  siteNameReserved,
];
