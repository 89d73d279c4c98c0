/** Rules about regions' machines. What is wrong with a host, a user or a key is tested in full for a pair. */

import { key } from "../../cases/packages.ts";
import type { Given } from "../../configuration.ts";
import { clientAccess, keys } from "../../onMachines.ts";
import type { RuleCase } from "../../ruleCase.ts";
import { regionA as inContainers } from "../configuration.ts";
import {
  machineA,
  machinesOfRegion,
  memberA,
  onMachines,
  pathA,
  pathOfMember,
  regionA,
} from "../onMachines.ts";

const fine = onMachines();
const missing = "is missing; `target: machines` needs at least `machine: { host: … }` of every host";
const forMachines = "is for `target: machines`; take it out, or write that target";
const onOne = (one: string, other: string, host: string) =>
  `${one} and ${other} are on one machine, ${host}, which can fail but once; write another machine for one of them`;
const nameServer = (machine: object, address?: string) =>
  onMachines({ names: { server: { kind: "machine", machine, address } } });
/** Region-b is in containers. */
const mixed = (rest = {}): Given => ({
  deployment: {
    database: { clientAccess },
    regions: { "region-a": machinesOfRegion("region-a", "192.0.2") },
    ...rest,
  },
});

const names = ["region-a", "region-b"].flatMap((region) =>
  ["consul-1", "consul-2", "consul-3", "1", "2", "3", "proxy"].map((name) => `${region}-${name}`),
);

export const machineCases: readonly RuleCase[] = [
  {
    code: "E_MACHINE",
    wrong: memberA({ machine: undefined }),
    path: `${pathOfMember}.machine`,
    message: missing,
    fine,
  },
  {
    code: "E_REQUIRED",
    wrong: memberA({ machine: { host: undefined } }),
    path: `${pathOfMember}.machine.host`,
    message: "is missing; expected a text",
    fine,
  },
  {
    code: "E_MACHINE",
    wrong: inContainers({ machine: { user: "admin" } }),
    path: `${pathA}.machine`,
    message: forMachines,
    fine: machineA({ user: "admin" }),
  },
  {
    code: "E_MACHINE",
    wrong: inContainers({ proxies: { "region-a-proxy": { machine: { host: "192.0.2.51" } } } }),
    path: `${pathA}.proxies.region-a-proxy.machine`,
    message: forMachines,
    fine,
  },
  {
    code: "E_MACHINE",
    wrong: regionA({ proxies: { "region-a-proxy": { publishedWritePort: 15_432 } } }),
    path: `${pathA}.proxies.region-a-proxy.publishedWritePort`,
    message: "is for `target: containers`; take it out; clients reach the proxy at its address",
    fine,
  },
  {
    code: "E_MEMBERS",
    wrong: regionA({ members: undefined }),
    path: `${pathA}.members`,
    message: "no member; write three, or at least one",
    fine,
  },
  {
    code: "E_CONSUL_QUORUM",
    wrong: regionA({ consulServers: undefined }),
    path: `${pathA}.consulServers`,
    message: "no server: without Consul nobody may lead; write 3 or 5",
    fine,
  },
  {
    code: "E_HOST",
    wrong: memberA({ address: "192.0.2.11", machine: { host: "root@192.0.2.11" } }),
    path: `${pathOfMember}.machine.host`,
    message: '"root@192.0.2.11" has a user in it; write it as `user`',
    fine: memberA({ address: "192.0.2.11", machine: { host: "DB-1.example.test." } }),
  },
  {
    code: "E_SSH_USER",
    wrong: machineA({ user: "-lroot" }),
    path: `${pathA}.machine.user`,
    message: '"-lroot" is not a user\'s name; use letters, digits, ".", "_" and "-", at most 32',
    fine: machineA({ user: "admin" }),
  },
  {
    code: "E_KEY_FILE",
    wrong: machineA({ jump: { host: "192.0.2.1", keyFile: "~/.ssh/id.pub" } }),
    path: `${pathA}.machine.jump.keyFile`,
    message: '"~/.ssh/id.pub" is the public key\'s file; write that of the private key',
    fine: machineA({ jump: { host: "192.0.2.1", keyFile: "~/.ssh/id" } }),
  },
  {
    code: "E_HOST_KEY_FORMAT",
    wrong: memberA({ machine: { hostKey: "ssh-ed25519" } }),
    path: `${pathOfMember}.machine.hostKey`,
    message: "the key after `ssh-ed25519` is cut off or damaged; copy the whole line",
    fine: memberA({ machine: { hostKey: keys.ed25519 } }),
  },
  {
    code: "E_PACKAGE_MIRROR",
    wrong: machineA({ packageMirror: { url: "http://192.0.2.2", suite: "trixie pgdg", key } }),
    path: `${pathA}.machine.packageMirror.suite`,
    message: '"trixie pgdg" may have letters, digits and "._+~/-" only, and begins with a letter or digit',
    fine,
  },
  {
    code: "E_SECRET_PLAINTEXT",
    wrong: machineA({ keyFile: "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEA\n" }),
    path: `${pathA}.machine.keyFile`,
    message:
      "is a private key, and configuration is not secret; write the path of its file, or `pulumi config set --secret sshPrivateKey < ~/.ssh/id_ed25519`, and make this key anew",
    fine,
  },
  {
    code: "E_HOST_DUP",
    wrong: regionA({ members: { "region-a-2": { machine: { host: "192.0.2.11" } } } }),
    path: `${pathA}.members.region-a-2.machine.host`,
    message: onOne("region-a-1", "region-a-2", "192.0.2.11 port 22"),
    // Behind different hosts to go through, one address may be two machines; their addresses differ.
    fine: regionA({
      members: {
        "region-a-2": {
          address: "192.0.2.12",
          machine: { host: "192.0.2.11", jump: { host: "192.0.2.1" } },
        },
      },
    }),
  },
  {
    code: "E_HOST_DUP",
    wrong: regionA({
      consulServers: { "region-a-consul-1": { address: "192.0.2.31", machine: { host: "a.example.test" } } },
      proxies: { "region-a-proxy": { address: "192.0.2.51", machine: { host: "A.example.test." } } },
    }),
    path: `${pathA}.proxies.region-a-proxy.machine.host`,
    message: onOne(
      "region-a-consul-1",
      "region-a-proxy",
      'a.example.test port 22 (written as "a.example.test" and "A.example.test.")',
    ),
    fine,
  },
  {
    code: "E_HOST_DUP",
    wrong: onMachines({
      regions: { "region-b": { members: { "region-b-1": { machine: { host: "192.0.2.31" } } } } },
    }),
    path: "deployment.regions.region-b.members.region-b-1.machine.host",
    message: onOne("region-a-consul-1", "region-b-1", "192.0.2.31 port 22"),
    fine,
  },
  {
    code: "E_HOST_DUP",
    wrong: nameServer({ host: "ns.example.test" }, "192.0.2.51"),
    path: "deployment.names.server.machine.host",
    message:
      '"ns.example.test" has the address 192.0.2.51 of region-a-proxy, whose machine is written "192.0.2.51"; write the same `host`, `port` and `jump` for one machine',
    fine: nameServer({ host: "192.0.2.51" }),
  },
  {
    code: "E_NAME_SERVER",
    wrong: nameServer({ host: "192.0.2.51", user: "admin" }),
    path: "deployment.names.server.machine.user",
    message: '"admin" here, and "root" at region-a-proxy, which is the same machine; write the same',
    fine: nameServer({ host: "192.0.2.99", user: "admin" }),
  },
  {
    code: "E_ADDRESS",
    wrong: memberA({ machine: { host: "db-1.example.test" } }),
    path: `${pathOfMember}.address`,
    message:
      'is missing: `machine.host`, "db-1.example.test", is a name, and nodes reach each other by IPv4 address; write the machine\'s',
    fine: memberA({ address: "192.0.2.111", machine: { host: "db-1.example.test" } }),
  },
  {
    code: "E_ADDR_DUP",
    wrong: memberA({ address: "192.0.2.31" }),
    path: `${pathA}.members.region-a-1.address`,
    message: "region-a-consul-1 and region-a-1 both have 192.0.2.31; set another `address` for one of them",
    fine: memberA({ address: "192.0.2.111" }),
  },
  {
    code: "E_PORT_CLASH",
    wrong: memberA({ machine: { port: 8008 } }),
    path: `${pathOfMember}.machine.port`,
    message:
      "8008 is Patroni's port on the machine, and cannot be SSH's too: the firewall would keep you out; let SSH listen on another one",
    fine: memberA({ machine: { port: 2222 } }),
  },
  {
    code: "E_SUBNET",
    wrong: mixed({ containers: { subnet: "10.9.0.0/24" } }),
    path: "deployment.containers.subnet",
    message:
      "/24 has no room for a /24 of each region, in which hosts without an `address` get one; write a /20 or larger, or the `address` of every host",
    fine: onMachines({ containers: { subnet: "10.9.0.0/24" } }),
  },
  {
    code: "W_NETWORKS_APART",
    wrong: mixed(),
    path: "deployment.regions.region-b",
    message:
      "is on the containers' network 10.86.0.0/16, and [region-a] must reach it there, and it them, without translation of addresses; where they cannot, write machines for region-b too",
    fine,
  },
  {
    code: "W_NO_CLIENTS",
    wrong: onMachines({ database: { clientAccess: undefined } }),
    path: "deployment.database.clientAccess",
    message:
      "is not set, so only the members may connect; name the networks of your clients, e.g. [{databases: [app], roles: [app], network: 192.0.2.0/24}]",
    fine,
  },
  {
    code: "E_REPAIR_SITE",
    wrong: onMachines({}, { repair: { "region-a": "x" } }),
    path: "repair.region-a",
    message: `"region-a" is no host, and only machines are repaired: they are [${names.join(", ")}]. Did you mean "region-a-1"?`,
    fine: onMachines({}, { repair: { "region-a-1": "ticket 12", "region-b-proxy": 7 } }),
  },
  {
    code: "E_REPAIR_SITE",
    wrong: { repair: { "region-a-1": "x" } },
    path: "repair.region-a-1",
    message:
      '"region-a-1" is in containers, and only machines are repaired: there is none. Remove it with `pulumi config rm --path repair.region-a-1`.',
    fine: { repair: {} },
  },
  {
    code: "E_UNKNOWN_KEY",
    wrong: memberA({ machine: { adopt: "/var/lib/postgresql/17/main" } }),
    path: `${pathOfMember}.machine.adopt`,
    message:
      "there is no such option. Known here: host, port, user, keyFile, hostKey, knownHosts, jump, packageMirror, firewall, onDestroy.",
    fine,
  },
];
