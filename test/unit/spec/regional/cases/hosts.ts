/** Names, addresses and ports of the hosts of regions. */
import type { RuleCase } from "../../ruleCase.ts";
import { hosts, regionA } from "../configuration.ts";

const three = ["region-a-1", "region-a-2", "region-a-3"];
const regionsPath = "deployment.regions";
const container = { target: "containers" };
const allGiven = (prefix: string, first: number) => ({
  ...container,
  members: Object.fromEntries([1, 2, 3].map((n) => [`${prefix}-${n}`, { address: `10.86.0.${first + n}` }])),
  consulServers: Object.fromEntries(
    [1, 2, 3].map((n) => [`${prefix}-consul-${n}`, { address: `10.86.0.${first + 10 + n}` }]),
  ),
  proxies: { [`${prefix}-proxy`]: { address: `10.86.0.${first + 20}` } },
});

const longNames = (length: number) => ({
  deployment: {
    name: "n".repeat(40),
    regions: { "region-a": { proxies: hosts("p".repeat(length)) } },
  },
});

export const hostCases: readonly RuleCase[] = [
  {
    code: "E_NAME_DUP",
    wrong: { deployment: { regions: { "REGION-B": container } } },
    also: ["E_HOSTNAME"],
    path: `${regionsPath}.REGION-B`,
    message: '"REGION-B" and "region-b" are one name, because DNS ignores case; rename one of them',
    fine: { deployment: { regions: { "region-c": container } } },
  },
  {
    code: "E_NAME_DUP",
    wrong: regionA({ proxies: hosts("region-a-consul-1") }),
    path: `${regionsPath}.region-a.proxies.region-a-consul-1`,
    message: '"region-a-consul-1" is a Consul server of region-a too; rename one of them',
    fine: regionA({ proxies: hosts("region-a-haproxy") }),
  },
  {
    code: "E_NAME_DUP",
    wrong: regionA({ proxies: hosts("region-b") }),
    path: `${regionsPath}.region-a.proxies.region-b`,
    message: '"region-b" is the name of a region; rename the host',
    fine: regionA({ proxies: hosts("region-bb") }),
  },
  {
    code: "E_MEMBER_NAME_NOT_UNIQUE",
    wrong: regionA({ members: hosts("region-b-1", "region-a-2", "region-a-3") }),
    path: `${regionsPath}.region-b.members.region-b-1`,
    message:
      '"region-b-1" is a member of region-a too; two members of one name would let a commit wait for the wrong one: rename one of them',
    fine: regionA({ members: hosts("region-b-11", "region-a-2", "region-a-3") }),
  },
  {
    code: "E_CONSUL_COLOCATED",
    wrong: regionA({ consulServers: hosts("region-a-1", "region-a-consul-2", "region-a-consul-3") }),
    path: `${regionsPath}.region-a.members.region-a-1`,
    message:
      '"region-a-1" is a Consul server of region-a too; a server beside a member would die with it, and the session that keeps its lock too: give Consul a host of its own',
    fine: regionA({ consulServers: hosts("region-a-11", "region-a-consul-2", "region-a-consul-3") }),
  },
  {
    code: "E_SLOT_COLLISION",
    wrong: regionA({ members: hosts(...three, "region-a_3") }),
    also: ["E_HOSTNAME"],
    path: `${regionsPath}.region-a.members.region-a_3`,
    message:
      '"region-a_3" and "region-a-3" would both use the replication slot "region_a_3"; rename one of them',
    fine: regionA({ members: hosts(...three, "region-a3") }),
  },
  {
    code: "E_HOSTNAME",
    wrong: regionA({ proxies: hosts("proxy.a") }),
    path: `${regionsPath}.region-a.proxies.proxy.a`,
    message: '"proxy.a": a proxy\'s name is one label, without a dot',
    fine: regionA({ proxies: hosts("proxy-a") }),
  },
  {
    code: "E_NAME_LENGTH",
    wrong: longNames(23),
    path: `${regionsPath}.region-a.proxies.${"p".repeat(23)}`,
    message: `the container's name "${"n".repeat(40)}-${"p".repeat(23)}" is 64 characters; 63 are allowed: shorten \`name\` or the proxy's name`,
    fine: longNames(22),
  },
  {
    code: "E_NAME_RESERVED",
    wrong: regionA({ proxies: hosts("dns") }),
    path: `${regionsPath}.region-a.proxies.dns`,
    message: `a proxy cannot be called "dns": its container would have the name of the name server's`,
    fine: regionA({ proxies: hosts("dns2") }),
  },
  {
    code: "E_NAME_RESERVED",
    wrong: regionA({ members: hosts(...three, "*") }),
    also: ["E_HOSTNAME"],
    path: `${regionsPath}.region-a.members.*`,
    message: 'a member cannot be called "*": to PostgreSQL it is every standby',
    fine: regionA({ members: hosts(...three, "any") }),
  },
  {
    code: "E_DNS_CLASH",
    wrong: regionA({ proxies: hosts("db") }),
    path: `${regionsPath}.region-a.proxies.db`,
    message:
      '"db.shop.example.test" is both the floating name and the record of proxy "db"; rename the proxy or set `names.floating`',
    fine: regionA({ proxies: hosts("db1") }),
  },
  {
    code: "E_ADDR_DUP",
    wrong: regionA({ members: { ...hosts(...three), "region-a-4": { address: "10.86.1.011" } } }),
    also: ["E_ADDRESS"],
    path: `${regionsPath}.region-a.members.region-a-4.address`,
    message:
      'region-a-1 and region-a-4 both have 10.86.1.11 (written as "10.86.1.011"); set another `address` for one of them',
    fine: regionA({ members: { ...hosts(...three), "region-a-4": { address: "10.86.1.9" } } }),
  },
  {
    code: "E_ADDR_DUP",
    wrong: regionA({ proxies: { "region-a-proxy": { address: "10.86.0.2" } } }),
    path: `${regionsPath}.region-a.proxies.region-a-proxy.address`,
    message: "the name server and region-a-proxy both have 10.86.0.2; set another `address` for one of them",
    fine: {
      deployment: {
        names: { server: { kind: "none" } },
        regions: { "region-a": { proxies: { "region-a-proxy": { address: "10.86.0.2" } } } },
      },
    },
  },
  {
    code: "E_ADDRESS",
    wrong: regionA({ proxies: { "region-a-proxy": { address: "proxy.example.test" } } }),
    path: `${regionsPath}.region-a.proxies.region-a-proxy.address`,
    message: '"proxy.example.test" is not an IP address, e.g. 10.86.0.11',
    fine: regionA({ proxies: { "region-a-proxy": { address: "10.86.9.9" } } }),
  },
  {
    code: "E_ADDR_SUBNET",
    wrong: regionA({ proxies: { "region-a-proxy": { address: "10.87.1.1" } } }),
    path: `${regionsPath}.region-a.proxies.region-a-proxy.address`,
    message: "10.87.1.1 is outside the deployment's network 10.86.0.0/16",
    fine: regionA({ proxies: { "region-a-proxy": { address: "10.86.255.1" } } }),
  },
  {
    code: "E_SUBNET",
    wrong: { deployment: { containers: { subnet: "10.86.0.0/21" } } },
    path: "deployment.containers.subnet",
    message:
      "/21 has no room for a /24 of each region, in which hosts without an `address` get one; write a /20 or larger, or the `address` of every host",
    fine: { deployment: { containers: { subnet: "10.86.0.0/20" } } },
  },
  {
    code: "E_SUBNET",
    wrong: { deployment: { containers: { subnet: "10.86.0.0/25" } } },
    path: "deployment.containers.subnet",
    message: '"10.86.0.0/25" must be between /8 and /24',
    fine: {
      deployment: {
        containers: { subnet: "10.86.0.0/24" },
        regions: { "region-a": allGiven("a", 10), "region-b": allGiven("b", 50) },
      },
    },
  },
  {
    code: "E_PORT_CLASH",
    wrong: regionA({ proxies: { "region-a-proxy": { publishedReadPort: 15_433 } } }),
    path: `${regionsPath}.region-b.proxies.region-b-proxy.publishedWritePort`,
    message:
      "region-a-proxy (reads) and region-b-proxy (writes) would both be published on port 15433 of the Docker host; set another `publishedWritePort` for one of them",
    fine: regionA({ proxies: { "region-a-proxy": { publishedReadPort: 15_434 } } }),
  },
];
