/** Rules about addresses, ports and engines beyond the one network of containers. */
import type { Tree } from "../configuration.ts";
import { clientAccess, machineA, onMachines, pathA, siteA } from "../onMachines.ts";
import type { RuleCase } from "../ruleCase.ts";

const fine = onMachines();
const address = (value: string | undefined, message: string, machine: Tree = {}): RuleCase => ({
  code: "E_ADDRESS",
  wrong: siteA({ address: value, machine }),
  path: `${pathA}.address`,
  message,
  fine: siteA({ address: "192.0.2.21", machine }),
});
const hostOfB = (machine: Tree, extra: Tree = {}) =>
  onMachines({ sites: { "site-b": { machine, ...extra } } });

/** Each site on an engine of its own; the name server is nowhere. */
const engine = (dockerHost: string | undefined, at: string | undefined) => ({ dockerHost, address: at });
const engines = (a: Tree, b: Tree, rest: Tree = {}) => ({
  deployment: {
    database: { clientAccess },
    names: { server: { kind: "none" } },
    sites: { "site-a": a, "site-b": b },
    ...rest,
  },
});
const one = engine("ssh://root@192.0.2.11", "192.0.2.11");
const two = engine("ssh://root@192.0.2.12", "192.0.2.12");
const mixed = (containers: Tree) =>
  onMachines({ sites: { "site-b": { target: "containers", machine: undefined, ...containers } } });
const none = { names: { server: { kind: "none" } } };

export const placeCases: readonly RuleCase[] = [
  address(
    undefined,
    'is missing: `machine.host`, "db-1.example.test", is a name, and nodes reach each other by IPv4 address; write the machine\'s',
    { host: "DB-1.example.test." },
  ),
  address(
    undefined,
    'is missing: `machine.host`, "127.0.0.1", is a loopback address, and nodes reach each other by IPv4 address; write the machine\'s',
    { host: "127.0.0.1" },
  ),
  address(
    undefined,
    'is missing: `machine.host`, "2001:db8::11", is IPv6, and nodes reach each other by IPv4 address; write the machine\'s',
    { host: "2001:DB8::11" },
  ),
  address("db-1.example.test", '"db-1.example.test" is not an IP address, e.g. 192.0.2.11'),
  address(
    "192.0.2.021",
    '"192.0.2.021" has leading zeros, which some programs read as octal; write 192.0.2.21',
  ),
  address(
    "127.0.1.1",
    '"127.0.1.1" is a loopback address, and nodes reach each other by IPv4 addresses of their own',
  ),
  address("0.0.0.0", '"0.0.0.0" is unspecified, and nodes reach each other by IPv4 addresses of their own'),
  address(
    "224.0.0.1",
    '"224.0.0.1" is a multicast address, and nodes reach each other by IPv4 addresses of their own',
  ),
  address(
    "255.255.255.255",
    '"255.255.255.255" is a reserved address, and nodes reach each other by IPv4 addresses of their own',
  ),
  address("::1", '"::1" is IPv6, and nodes reach each other by IPv4 addresses of their own'),
  {
    code: "E_ADDRESS",
    wrong: engines(engine("ssh://root@192.0.2.11", undefined), two),
    path: `${pathA}.address`,
    message: "is missing; write the address of the Docker host, where the node's port is published",
    fine: engines(one, two),
  },
  {
    code: "E_ADDR_DUP",
    wrong: hostOfB({ host: "db-2.example.test" }, { address: "::ffff:192.0.2.11" }),
    path: "deployment.sites.site-b.address",
    message:
      'site-a and site-b both have 192.0.2.11 (written as "::ffff:192.0.2.11"); set another `address` for one of them',
    fine: hostOfB({ host: "db-2.example.test" }, { address: "192.0.2.12" }),
  },
  {
    code: "E_ADDR_DUP",
    wrong: engines(one, { ...two, address: "192.0.2.11" }),
    path: "deployment.sites.site-b.address",
    message: "site-a and site-b both have 192.0.2.11; set another `address` for one of them",
    fine: engines(one, two),
  },
  {
    // The gateway and the ends of the containers' network mean nothing to a machine.
    code: "E_ADDR_SUBNET",
    wrong: { deployment: { sites: { "site-a": { address: "192.0.2.11" } } } },
    path: `${pathA}.address`,
    message: "192.0.2.11 is outside the deployment's network 10.86.0.0/16",
    fine: siteA({ address: "10.86.0.1" }),
  },
  {
    code: "E_HOST_DUP",
    wrong: hostOfB({ host: "192.0.2.11" }),
    path: "deployment.sites.site-b.machine.host",
    message:
      "site-a and site-b are on one machine, 192.0.2.11 port 22, which can fail but once; write another machine for one of them",
    // Forwarded ports of one host lead to two machines.
    fine: hostOfB({ host: "192.0.2.11", port: 2222 }, { address: "192.0.2.12" }),
  },
  {
    code: "E_HOST_DUP",
    wrong: hostOfB({ host: "::FFFF:192.0.2.11" }),
    path: "deployment.sites.site-b.machine.host",
    message:
      'site-a and site-b are on one machine, 192.0.2.11 port 22 (written as "192.0.2.11" and "::FFFF:192.0.2.11"), which can fail but once; write another machine for one of them',
    fine,
  },
  {
    code: "E_HOST_DUP",
    wrong: onMachines({
      sites: {
        "site-a": { address: "192.0.2.11", machine: { host: "DB.example.test" } },
        "site-b": { address: "192.0.2.12", machine: { host: "db.example.test." } },
      },
    }),
    path: "deployment.sites.site-b.machine.host",
    message:
      'site-a and site-b are on one machine, db.example.test port 22 (written as "DB.example.test" and "db.example.test."), which can fail but once; write another machine for one of them',
    // One private address behind two gates is two machines.
    fine: onMachines({
      sites: {
        "site-a": { address: "192.0.2.11", machine: { host: "10.0.0.5", jump: { host: "192.0.2.1" } } },
        "site-b": { address: "192.0.2.12", machine: { host: "10.0.0.5", jump: { host: "192.0.2.2" } } },
      },
    }),
  },
  {
    code: "E_HOST_DUP",
    wrong: engines(one, { ...two, dockerHost: "ssh://admin@192.0.2.11:22" }),
    path: "deployment.sites.site-b.dockerHost",
    message:
      "is the engine of site-a too; take it out to share `containers.dockerHost` and its network, or give site-a another engine",
    fine: engines(one, { ...two, dockerHost: "ssh://admin@192.0.2.11:2222" }),
  },
  {
    code: "E_HOST_DUP",
    wrong: {
      deployment: {
        database: { clientAccess },
        sites: { "site-a": engine("unix:///run/docker.sock", "192.0.2.11"), "site-b": two },
      },
    },
    path: `${pathA}.dockerHost`,
    message:
      "is the engine of the name server too; take it out to share `containers.dockerHost` and its network, or give `names.server` another kind",
    fine: engines(engine("unix:///run/docker.sock", "192.0.2.11"), two),
  },
  {
    code: "E_SECRET_PLAINTEXT",
    wrong: engines({ ...one, dockerHost: "tcp://root:canary@192.0.2.11:2375" }, two),
    path: `${pathA}.dockerHost`,
    message: "has a password in it; use `ssh://` with a key, or a local socket",
    fine: engines(one, two),
  },
  {
    code: "E_DOCKER_HOST",
    wrong: engines({ ...one, dockerHost: "192.0.2.11" }, two),
    path: `${pathA}.dockerHost`,
    message:
      '"192.0.2.11" does not name a Docker engine, e.g. unix:///var/run/docker.sock or ssh://user@host',
    fine: engines(one, two),
  },
  {
    code: "E_PORT_CLASH",
    wrong: machineA({ port: 5432 }),
    path: `${pathA}.machine.port`,
    message:
      "5432 is PostgreSQL's port on the machine, and cannot be SSH's too: the firewall would keep you out; let SSH listen on another one",
    fine: machineA({ port: 2222 }),
  },
  {
    code: "W_NETWORKS_APART",
    wrong: mixed({}),
    path: "deployment.sites.site-b",
    message:
      "is on the containers' network 10.86.0.0/16, and [site-a] must reach it there, and it them, without translation of addresses; where they cannot, give site-b a `dockerHost` and that host's `address`",
    fine: onMachines({
      ...none,
      sites: { "site-b": { target: "containers", machine: undefined, ...two } },
    }),
  },
  {
    code: "W_NO_CLIENTS",
    wrong: onMachines({ database: { clientAccess: undefined } }),
    path: "deployment.database.clientAccess",
    message:
      "is not set, so only the nodes may connect; name the networks of your clients, e.g. [{databases: [app], roles: [app], network: 192.0.2.0/24}]",
    fine: onMachines({ database: { clientAccess: undefined, roles: {}, databases: {} } }),
  },
  {
    code: "W_NO_CLIENTS",
    wrong: engines(one, two, { database: { synchronous: "strict" } }),
    path: "deployment.database.clientAccess",
    message:
      "is not set, so only the nodes and the containers' network 10.86.0.0/16 may connect; name the networks of your clients, e.g. [{databases: [app], roles: [app], network: 192.0.2.0/24}]",
    fine: engines(one, two),
  },
  {
    code: "E_PG_VERSION",
    wrong: onMachines({
      ...none,
      database: { version: 16 },
      sites: { "site-b": { target: "containers", machine: undefined, ...two } },
    }),
    path: "deployment.database.version",
    message: "our image has PostgreSQL 17; for 16 set `image` at site-b",
    fine: onMachines({ database: { version: 16 } }),
  },
];
