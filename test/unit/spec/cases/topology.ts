/** Rules about names, addresses, DNS and the set of sites. */
import { onlySites, sites } from "../configuration.ts";
import type { RuleCase } from "../ruleCase.ts";

const containers = { target: "containers" };
const deploymentWith = (deployment: Record<string, unknown>) => ({ deployment });
const siteA = (site: Record<string, unknown>) => deploymentWith({ sites: { "site-a": site } });
const long = "a".repeat(64);
const longDomain = `${`${"a".repeat(60)}.`.repeat(3)}${"b".repeat(61)}`;

export const topologyCases: readonly RuleCase[] = [
  {
    code: "E_ACTIVE_UNKNOWN",
    wrong: { active: "site-c" },
    path: "active",
    message: 'active "site-c" is not one of sites [site-a, site-b]. Did you mean "site-a"?',
    fine: { active: "site-b" },
  },
  {
    code: "E_ACTIVE_UNKNOWN",
    wrong: { active: null },
    path: "active",
    message:
      "active is not set; the sites are [site-a, site-b]; set it with `pulumi config set active site-a`",
    fine: { active: "site-a" },
  },
  {
    code: "E_NAME_DUP",
    wrong: deploymentWith({ sites: sites("SITE-B") }),
    also: ["E_HOSTNAME"],
    path: "deployment.sites.SITE-B",
    message: '"SITE-B" and "site-b" are one name, because DNS ignores case; rename one of them',
    fine: deploymentWith({ sites: sites("site-bb") }),
  },
  {
    code: "E_HOSTNAME",
    wrong: deploymentWith({ domain: `${long}.test` }),
    path: "deployment.domain",
    message: `"${long}.test": label "${long}" is 64 characters; DNS allows 63`,
    fine: deploymentWith({ domain: `${long.slice(1)}.test` }),
  },
  {
    code: "E_HOSTNAME",
    wrong: deploymentWith({ domain: "ha.example.test." }),
    path: "deployment.domain",
    message: '"ha.example.test.": ends in a dot; write it as "ha.example.test"',
    fine: deploymentWith({ domain: "test" }),
  },
  {
    code: "E_HOSTNAME",
    wrong: deploymentWith({ sites: sites("-paris") }),
    path: "deployment.sites.-paris",
    message: '"-paris": label "-paris" begins or ends with a hyphen',
    fine: deploymentWith({ sites: sites("pa-ris") }),
  },
  {
    // 245 characters: the domain alone fits, and so does site-b in it once it is shorter.
    code: "E_HOSTNAME",
    wrong: {
      active: "x",
      deployment: { domain: longDomain, sites: onlySites("x", "nine-char") },
    },
    path: "deployment.sites.nine-char",
    message: `"nine-char.${longDomain.slice(0, 70)}…": is 254 characters; DNS allows 253`,
    fine: { active: "x", deployment: { domain: longDomain, sites: onlySites("x", "eightchr") } },
  },
  {
    code: "E_SLOT_COLLISION",
    wrong: deploymentWith({ sites: sites("site_b") }),
    also: ["E_HOSTNAME"],
    path: "deployment.sites.site_b",
    message: '"site_b" and "site-b" would both use the replication slot "site_b"; rename one of them',
    fine: deploymentWith({ sites: sites("siteb") }),
  },
  {
    code: "E_NAME",
    wrong: { stack: "-demo" },
    path: "deployment.name",
    message: `"-demo" (the stack's name) cannot begin a container's name; use letters, digits, ".", "_" and "-", and set \`name\``,
    fine: { stack: "-demo", deployment: { name: "demo" } },
  },
  {
    code: "E_NAME_LENGTH",
    wrong: deploymentWith({ name: "n".repeat(56), sites: sites("site-10") }),
    path: "deployment.sites.site-10",
    message: `the container's name "${"n".repeat(56)}-site-10" is 64 characters; 63 are allowed: shorten \`name\` or the site's name`,
    fine: deploymentWith({ name: "n".repeat(56), sites: sites("site-9") }),
  },
  {
    code: "E_NAME_RESERVED",
    wrong: deploymentWith({ sites: sites("dns") }),
    path: "deployment.sites.dns",
    message: `a site cannot be called "dns": its container would have the name of the name server's`,
    fine: deploymentWith({ sites: sites("dns2") }),
  },
  {
    code: "E_ADDR_DUP",
    wrong: deploymentWith({ sites: { "site-a": { address: "::ffff:10.86.0.12" } } }),
    path: "deployment.sites.site-b.address",
    message:
      'site-a and site-b both have 10.86.0.12 (written as "::ffff:10.86.0.12"); set another `address` for one of them',
    fine: siteA({ address: "10.86.0.13" }),
  },
  {
    code: "E_ADDR_DUP",
    wrong: deploymentWith({
      sites: { "site-a": { address: "10.86.0.99" }, "site-b": { address: "10.86.0.099" } },
    }),
    also: ["E_ADDRESS"],
    path: "deployment.sites.site-b.address",
    message:
      'site-a and site-b both have 10.86.0.99 (written as "10.86.0.099"); set another `address` for one of them',
    fine: siteA({ address: "10.86.0.99" }),
  },
  {
    code: "E_ADDR_DUP",
    wrong: siteA({ address: "10.86.0.2" }),
    path: "deployment.sites.site-a.address",
    message: "the name server and site-a both have 10.86.0.2; set another `address` for one of them",
    fine: deploymentWith({
      names: { serverAddress: "10.86.0.3" },
      sites: { "site-a": { address: "10.86.0.2" } },
    }),
  },
  {
    code: "E_ADDRESS",
    wrong: siteA({ address: "10.86.0.300" }),
    path: "deployment.sites.site-a.address",
    message: '"10.86.0.300" is not an IP address, e.g. 10.86.0.11',
    fine: siteA({ address: "10.86.0.254" }),
  },
  {
    code: "E_SUBNET",
    wrong: deploymentWith({ containers: { subnet: "10.86.1.0/16" } }),
    path: "deployment.containers.subnet",
    message: '"10.86.1.0/16" has bits set beyond its /16',
    fine: deploymentWith({ containers: { subnet: "10.86.1.0/24" } }),
  },
  {
    code: "E_SUBNET",
    wrong: deploymentWith({ containers: { subnet: "10.86.1.0/25" } }),
    path: "deployment.containers.subnet",
    message: '"10.86.1.0/25" must be between /8 and /24',
    fine: deploymentWith({ containers: { subnet: "10.0.0.0/8" } }),
  },
  {
    code: "E_ADDR_SUBNET",
    wrong: siteA({ address: "10.87.0.1" }),
    path: "deployment.sites.site-a.address",
    message: "10.87.0.1 is outside the deployment's network 10.86.0.0/16",
    fine: siteA({ address: "10.86.255.254" }),
  },
  {
    code: "E_ADDR_SUBNET",
    wrong: siteA({ address: "10.86.0.1" }),
    path: "deployment.sites.site-a.address",
    message: "10.86.0.1 is the gateway of 10.86.0.0/16",
    fine: siteA({ address: "10.86.0.3" }),
  },
  {
    code: "E_ADDR_SUBNET",
    wrong: siteA({ address: "10.86.255.255" }),
    path: "deployment.sites.site-a.address",
    message: "10.86.255.255 is the broadcast address of 10.86.0.0/16",
    fine: siteA({ address: "10.86.255.254" }),
  },
  {
    code: "E_PORT_CLASH",
    wrong: deploymentWith({ sites: { dc1: containers } }),
    also: ["E_ADDR_DUP"],
    path: "deployment.sites.dc1.publishedPort",
    message:
      "site-a and dc1 would both be published on port 15432 of the Docker host; set another `publishedPort` for one of them",
    fine: deploymentWith({ sites: { dc3: containers } }),
  },
  {
    code: "E_PORT_CLASH",
    wrong: siteA({ publishedPort: 15_353 }),
    path: "deployment.sites.site-a.publishedPort",
    message:
      "the name server and site-a would both be published on port 15353 of the Docker host; set another `publishedPort` for one of them",
    fine: siteA({ publishedPort: 15_354 }),
  },
  {
    code: "E_DNS_TTL",
    wrong: deploymentWith({ names: { ttlSeconds: 301 } }),
    path: "deployment.names.ttlSeconds",
    message:
      "301 s; the floating name's TTL is 1 to 300 s, because clients may keep the old site for that long after a switchover",
    fine: deploymentWith({ names: { ttlSeconds: 300 } }),
  },
  {
    code: "E_DNS_ZONE",
    wrong: deploymentWith({ names: { floating: "db-ha.example.test" } }),
    path: "deployment.names.floating",
    message:
      '"db-ha.example.test" is outside the zone "ha.example.test"; write a name that ends in ".ha.example.test"',
    fine: deploymentWith({ names: { floating: "db.eu.ha.example.test" } }),
  },
  {
    code: "E_DNS_CLASH",
    wrong: deploymentWith({ sites: sites("db") }),
    path: "deployment.sites.db",
    message:
      '"db.ha.example.test" is both the floating name and the record of site "db"; rename the site or set `names.floating`',
    fine: deploymentWith({ sites: sites("db"), names: { floating: "pg.ha.example.test" } }),
  },
  {
    code: "E_DNS_CLASH",
    wrong: deploymentWith({ names: { floating: "ha.example.test" } }),
    path: "deployment.names.floating",
    message: '"ha.example.test" is the zone itself; write a name inside it',
    fine: deploymentWith({ names: { floating: "x.ha.example.test" } }),
  },
  {
    code: "E_DNS_CLASH",
    wrong: deploymentWith({ names: { floating: "ns.ha.example.test" } }),
    path: "deployment.names.floating",
    message: `"ns.ha.example.test" is the name server's own name; write another one`,
    fine: deploymentWith({ names: { floating: "ns2.ha.example.test" } }),
  },
  {
    code: "E_SITES",
    wrong: deploymentWith({ database: { synchronous: "off" }, sites: { "site-b": undefined } }),
    path: "deployment.sites",
    message: "one site; `kind: streaming` needs at least two, one to lead and one to follow",
    fine: { active: "x", deployment: { sites: onlySites("x", "y") } },
  },
  {
    code: "E_SYNC_COUNT",
    wrong: deploymentWith({ sites: { "site-b": undefined } }),
    also: ["E_SITES"],
    path: "deployment.database.synchronous",
    message: '"strict" waits for a second site, and there is one; add a site, or write `off`',
    fine: deploymentWith({ database: { synchronous: "available" } }),
  },
  {
    code: "E_IMAGE",
    wrong: siteA({ image: "Postgres 17" }),
    path: "deployment.sites.site-a.image",
    message: "is not an image's name, e.g. registry.example.test/postgres:17.6",
    fine: siteA({ image: "registry.example.test:5000/db/postgres:17.6" }),
  },
  {
    code: "E_DOCKER_HOST",
    wrong: deploymentWith({ containers: { dockerHost: "localhost" } }),
    path: "deployment.containers.dockerHost",
    message: '"localhost" does not name a Docker engine, e.g. unix:///var/run/docker.sock or ssh://user@host',
    fine: deploymentWith({ containers: { dockerHost: "ssh://user@host" } }),
  },
];
