/** Rules about who serves the deployment's names. */
import type { Given, Tree } from "../configuration.ts";
import { keys, onMachines } from "../onMachines.ts";
import type { RuleCase } from "../ruleCase.ts";

const names = (server: Tree, rest: Given = {}, more: Tree = {}) =>
  onMachines({ names: { server, ...more } }, rest);
const at = (field: string) => `deployment.names.server.${field}`;
const machine = { kind: "machine", machine: { host: "192.0.2.53" } };
const external = { kind: "external", host: "ns.example.test", keyName: "pair.example.test" };
const keyed = { dnsKeyGiven: true };
/** On the machine of site-a. */
const shared = (change: Tree, site: Tree = {}) =>
  onMachines({
    names: { server: { kind: "machine", machine: { host: "192.0.2.11", ...change } } },
    sites: { "site-a": { machine: site } },
  });
const wrong = (server: Tree, field: string, message: string, fine: Given, rest: Given = {}): RuleCase => ({
  code: "E_NAME_SERVER",
  wrong: names(server, rest),
  path: at(field),
  message,
  fine,
});

export const nameServerCases: readonly RuleCase[] = [
  wrong({ kind: "machine" }, "machine", "is missing; `kind: machine` needs it", names(machine)),
  wrong(
    { ...external, host: undefined },
    "host",
    "is missing; `kind: external` needs it",
    names(external, keyed),
    keyed,
  ),
  wrong(
    { ...external, keyName: undefined },
    "keyName",
    "is missing; `kind: external` needs it",
    names({ ...external, port: 5353 }, keyed),
    keyed,
  ),
  wrong(
    { ...machine, port: 5353 },
    "port",
    "is for `kind: external`; take it out, or write that kind",
    names(machine),
  ),
  wrong(
    { kind: "none", host: "ns.example.test" },
    "host",
    "is for `kind: external`; take it out, or write that kind",
    names({ kind: "none" }),
  ),
  wrong(
    { ...external, address: "192.0.2.53" },
    "address",
    "is for `kind: machine`; take it out, or write that kind",
    names({ ...machine, address: "192.0.2.54" }),
    keyed,
  ),
  wrong(
    { ...external, host: "ns.example.test:53" },
    "host",
    '"ns.example.test:53" has a port in it; write it as `port`',
    names({ ...external, host: "192.0.2.53" }, keyed),
    keyed,
  ),
  wrong(
    { ...external, keyName: "a key" },
    "keyName",
    '"a key" is not a key\'s name, e.g. understudy.example.test',
    names({ ...external, keyName: "A_key.example.test." }, keyed),
    keyed,
  ),
  wrong(
    { kind: "machine", machine: { host: "192.0.2.53", adopt: "/srv/pg" } },
    "machine.adopt",
    "is for a site; a name server has no database to adopt",
    names(machine),
  ),
  {
    code: "E_NAME_SERVER",
    wrong: onMachines({ names: { serverAddress: "10.86.0.2" } }),
    path: "deployment.names.serverAddress",
    message: "is for a name server in a container, and it is `kind: none`; take it out",
    fine: onMachines({ names: { serverAddress: "10.86.0.2", server: { kind: "container" } } }),
  },
  {
    code: "E_NAME_SERVER",
    wrong: shared({ user: "admin" }),
    path: at("machine.user"),
    message: '"admin" here, and "root" at site-a, which is the same machine; write the same',
    fine: shared({ user: "admin", hostKey: `${keys.ed25519} x` }, { user: "admin", hostKey: keys.ed25519 }),
  },
  {
    code: "E_NAME_SERVER",
    wrong: shared({}, { firewall: false }),
    path: at("machine.firewall"),
    message: "true here, and false at site-a, which is the same machine; write the same",
    fine: shared({ host: "::ffff:192.0.2.11" }, { onDestroy: "wipe" }),
  },
  {
    code: "E_HOST_DUP",
    wrong: names({ ...machine, machine: { host: "db-1.example.test" }, address: "192.0.2.11" }),
    path: at("machine.host"),
    message:
      '"db-1.example.test" has the address 192.0.2.11 of site-a, whose machine is written "192.0.2.11"; write the same `host`, `port` and `jump` for one machine',
    fine: names({ ...machine, machine: { host: "192.0.2.11" }, address: "192.0.2.11" }),
  },
  {
    code: "E_ADDRESS",
    wrong: names({ kind: "machine", machine: { host: "ns.example.test" } }),
    path: at("address"),
    message:
      'is missing: `machine.host`, "ns.example.test", is a name, and clients ask it by IPv4 address; write the machine\'s',
    fine: names({ kind: "machine", machine: { host: "ns.example.test" }, address: "192.0.2.53" }),
  },
  {
    code: "E_PORT_CLASH",
    wrong: names({ kind: "machine", machine: { host: "192.0.2.53", port: 5353 } }),
    path: at("machine.port"),
    message:
      "5353 is the name server's port on the machine, and cannot be SSH's too: the firewall would keep you out; let SSH listen on another one",
    fine: names({ kind: "machine", machine: { host: "192.0.2.53", port: 5354 } }),
  },
  {
    code: "E_REPAIR_SITE",
    wrong: onMachines({}, { repair: { dns: "x" } }),
    path: "repair.dns",
    message:
      '"dns" is no site, and only machines are repaired: they are [site-a, site-b]. Remove it with `pulumi config rm --path repair.dns`.',
    fine: names(machine, { repair: { dns: "x" } }),
  },
  {
    code: "E_DNS_KEY",
    wrong: names(external),
    path: "dnsKey",
    message:
      "the TSIG secret of your name server is missing; set it with `pulumi config set --secret dnsKey`",
    fine: names(external, keyed),
  },
  {
    code: "E_DNS_KEY",
    wrong: onMachines({}, keyed),
    path: "dnsKey",
    message:
      "is set, and no name server of yours takes it; write `kind: external`, or remove it with `pulumi config rm dnsKey`",
    fine: onMachines(),
  },
  {
    code: "E_SECRET_PLAINTEXT",
    wrong: names({ ...external, dnsKey: "canary" }, keyed),
    path: at("dnsKey"),
    message:
      "a secret does not belong here: take it out, and set it with `pulumi config set --secret dnsKey`",
    fine: names(external, keyed),
  },
];
