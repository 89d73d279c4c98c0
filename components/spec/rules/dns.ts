/** The zone's records: the floating name must be able to move quickly, alone, and inside the zone. */
import { show } from "../show.ts";
import { areaWords } from "./areas.ts";
import { hostnameFault } from "./names.ts";
import { recordOwners } from "./recordOwners.ts";
import type { Rule } from "./rule.ts";

const floatingPath = "deployment.names.floating";

const ttl: Rule = {
  code: "E_DNS_TTL",
  needs: [],
  check(deployment) {
    const { ttlSeconds } = deployment.names;
    const { one } = areaWords(deployment);
    if (ttlSeconds >= 1 && ttlSeconds <= 300) return [];
    const message = `${ttlSeconds} s; the floating name's TTL is 1 to 300 s, because clients may keep the old ${one} for that long after a switchover`;
    return [{ path: "deployment.names.ttlSeconds", message }];
  },
};

const outsideZone: Rule = {
  code: "E_DNS_ZONE",
  needs: ["deployment.domain"],
  check({ domain, names: { floating } }) {
    if (hostnameFault(floating) || floating === domain || floating.endsWith(`.${domain}`)) return [];
    const message = `${show(floating, "")} is outside the zone "${domain}"; write a name that ends in ".${domain}"`;
    return [{ path: floatingPath, message }];
  },
};

/** A name with other data cannot be an alias, and a site's or host's record must not follow the active one. */
const clash: Rule = {
  code: "E_DNS_CLASH",
  needs: ["deployment.domain"],
  check(deployment, { written }) {
    const { domain, names } = deployment;
    const { floating } = names;
    if (floating === domain) {
      return [{ path: floatingPath, message: `"${floating}" is the zone itself; write a name inside it` }];
    }
    if (floating === `ns.${domain}`) {
      return [
        { path: floatingPath, message: `"${floating}" is the name server's own name; write another one` },
      ];
    }
    const owner = recordOwners(deployment).find(({ name }) => `${name}.${domain}` === floating);
    if (!owner) return [];
    const message = `"${floating}" is both the floating name and the record of ${owner.what} "${owner.name}"; `;
    return written.names.floating === undefined
      ? [{ path: owner.path, message: `${message}rename the ${owner.what} or set \`names.floating\`` }]
      : [{ path: floatingPath, message: `${message}write another name` }];
  },
};

export const dnsRules: readonly Rule[] = [ttl, outsideZone, clash];
