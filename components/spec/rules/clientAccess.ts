/** Rules for pg_hba.conf: nothing weak, nothing that can never match. The first line that matches decides. */
import { covers, parseCidr } from "../ip.ts";
import type { ClientAccess } from "../model.ts";
import { ownedRoles } from "../ownedSettings.ts";
import type { AnyDeployment } from "../regionalModel.ts";
import { onSharedNetwork } from "../resolvePlace.ts";
import { show } from "../show.ts";
import { areaTargets, placedHosts, wholeHostMaps } from "./areas.ts";
import type { Finding, Rule, RuleContext } from "./rule.ts";

const base = "deployment.database.clientAccess";

/** The user's own rules: those that we derive follow from roles, databases and the subnet, which have rules of their own. */
const eachAccess =
  (check: (access: ClientAccess, path: string, index: number, deployment: AnyDeployment) => Finding[]) =>
  (deployment: AnyDeployment, { written }: RuleContext): Finding[] =>
    written.database.clientAccess === undefined
      ? []
      : deployment.database.clientAccess.flatMap((access, index) =>
          check(access, `${base}[${index}]`, index, deployment),
        );

const weak: Rule = {
  code: "E_HBA_WEAK",
  needs: [],
  check: eachAccess(({ databases, method }, path) => {
    const found: Finding[] = [];
    const given: string = method;
    if (given !== "scram-sha-256" && given !== "cert") {
      const message = `${show(given, "")} is refused; write "scram-sha-256" (password) or "cert" (client certificate)`;
      found.push({ path: `${path}.method`, message });
    }
    if (databases.includes("replication")) {
      const message = "replication is for the deployment's nodes alone, by certificate; take it out";
      found.push({ path: `${path}.databases`, message });
    }
    return found;
  }),
};

const network: Rule = {
  code: "E_HBA_NETWORK",
  needs: [],
  check: eachAccess((access, at) => {
    const path = `${at}.network`;
    const block = parseCidr(access.network);
    if (!block)
      return [{ path, message: `${show(access.network, path)} is not a CIDR block, e.g. 10.0.0.0/8` }];
    if (block.aligned) return [];
    return [{ path, message: `${show(access.network, path)} has bits set beyond its /${block.prefix}` }];
  }),
};

const words: Rule = {
  code: "E_HBA_NAME",
  needs: [],
  check: eachAccess(({ databases, roles }, path) => {
    const fault = (field: string, name: string): Finding[] => {
      const wrong =
        name === ""
          ? "is empty"
          : /[\0\n\r"]/.test(name)
            ? "has a line break, a NUL character or a quote"
            : name.startsWith("@")
              ? "would name a file; list the names themselves"
              : /^\+?\//.test(name)
                ? "would be a regular expression; list the names themselves"
                : undefined;
      return wrong ? [{ path: `${path}.${field}`, message: `${show(name, "")} ${wrong}` }] : [];
    };
    return [
      ...databases.flatMap((name) => fault("databases", name)),
      ...roles.flatMap((name) => fault("roles", name)),
    ];
  }),
};

/** Every name of `inner` is matched by one of `outer`. */
const coversNames = (outer: readonly string[], inner: readonly string[]) =>
  outer.includes("all") || inner.every((name) => outer.includes(name));

function shadows(earlier: ClientAccess, later: ClientAccess): boolean {
  const [outer, inner] = [parseCidr(earlier.network), parseCidr(later.network)];
  return (
    outer !== undefined &&
    inner !== undefined &&
    covers(outer, inner) &&
    coversNames(earlier.databases, later.databases) &&
    coversNames(earlier.roles, later.roles)
  );
}

const shadowed: Rule = {
  code: "E_HBA_SHADOWED",
  needs: [],
  check: eachAccess((access, path, index, { database: { clientAccess } }) => {
    const found: Finding[] = [];
    const system = access.roles.filter((role) => ownedRoles.includes(role));
    if (system.length > 0) {
      const message = `can never match for ${system.join(", ")}: the deployment's own rules for its roles come first`;
      found.push({ path: `${path}.roles`, message });
    }
    const earlier = clientAccess.slice(0, index).findIndex((one) => shadows(one, access));
    if (earlier >= 0) {
      const message = `can never match: clientAccess[${earlier}] comes first and matches all of it; put this one before it, or take it out`;
      found.push({ path, message });
    }
    return found;
  }),
};

const open: Rule = {
  code: "W_HBA_OPEN",
  needs: [],
  check: eachAccess((access, path) => {
    if (parseCidr(access.network)?.prefix !== 0) return [];
    return [
      {
        path: `${path}.network`,
        message: `${access.network} is every address; name the networks of your clients`,
      },
    ];
  }),
};

/** The default lets in who is sure to be a client; beyond the containers' network that is the nodes alone. */
const nodesOnly: Rule = {
  code: "W_NO_CLIENTS",
  needs: [base, ...areaTargets, ...wholeHostMaps],
  check(deployment, { written }) {
    const { database, containers } = deployment;
    if (written.database.clientAccess !== undefined || database.clientAccess.length === 0) return [];
    const hosts = placedHosts(deployment);
    if (hosts.every(({ place }) => onSharedNetwork(place))) return [];
    const nodes = "sites" in deployment ? "the nodes" : "the members";
    const inContainers = hosts.some(({ place }) => place.target === "containers");
    const who = inContainers ? `${nodes} and the containers' network ${containers.subnet}` : nodes;
    const message = `is not set, so only ${who} may connect; name the networks of your clients, e.g. [{databases: [app], roles: [app], network: 192.0.2.0/24}]`;
    return [{ path: base, message }];
  },
};

/** A warning: an application may make roles and databases of its own. */
const undeclared: Rule = {
  code: "W_HBA_UNKNOWN",
  needs: ["deployment.database.roles", "deployment.database.databases"],
  check: eachAccess(({ databases, roles }, path, _index, { database }) => {
    const known = {
      databases: [
        "all",
        "sameuser",
        "samerole",
        "replication",
        "postgres",
        ...database.databases.map((one) => one.name),
      ],
      roles: ["all", ...ownedRoles, ...database.roles.map((one) => one.name)],
    };
    const unknown = (field: "databases" | "roles", names: readonly string[]) =>
      names
        .filter((name) => !known[field].includes(name.replace(/^\+/, "")))
        .map((name) => ({
          path: `${path}.${field}`,
          message: `${show(name, "")} is not declared in \`${field}\``,
        }));
    return [...unknown("databases", databases), ...unknown("roles", roles)];
  }),
};

export const clientAccessRules: readonly Rule[] = [weak, network, words, shadowed, open, undeclared];

export const clientNetworkRules: readonly Rule[] = [nodesOnly];
