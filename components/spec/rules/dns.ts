/** The zone's records: the floating name must be able to move quickly, alone, and inside the zone. */
import { show } from "../show.ts";
import { hostnameFault } from "./names.ts";
import type { Rule } from "./rule.ts";

const floatingPath = "deployment.names.floating";

const ttl: Rule = {
  code: "E_DNS_TTL",
  needs: [],
  check({ names: { ttlSeconds } }) {
    if (ttlSeconds >= 1 && ttlSeconds <= 300) return [];
    const message = `${ttlSeconds} s; the floating name's TTL is 1 to 300 s, because clients may keep the old site for that long after a switchover`;
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

/** A name with other data cannot be an alias, and a site's record must not follow the active site. */
const clash: Rule = {
  code: "E_DNS_CLASH",
  needs: ["deployment.domain"],
  check({ domain, sites, names: { floating } }, { written }) {
    if (floating === domain) {
      return [{ path: floatingPath, message: `"${floating}" is the zone itself; write a name inside it` }];
    }
    if (floating === `ns.${domain}`) {
      return [
        { path: floatingPath, message: `"${floating}" is the name server's own name; write another one` },
      ];
    }
    const site = sites.find(({ name }) => `${name}.${domain}` === floating);
    if (!site) return [];
    const message = `"${floating}" is both the floating name and the record of site "${site.name}"; `;
    return written.names.floating === undefined
      ? [
          {
            path: `deployment.sites.${site.name}`,
            message: `${message}rename the site or set \`names.floating\``,
          },
        ]
      : [{ path: floatingPath, message: `${message}write another name` }];
  },
};

export const dnsRules: readonly Rule[] = [ttl, outsideZone, clash];
