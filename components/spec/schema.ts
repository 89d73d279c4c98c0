/**
 * What a user may write under the configuration key `deployment`: structure and types alone. What a value may
 * be beside the others is the business of `rules/`. Sites, roles and databases are maps by name, so that
 * adding one never renames another. An unknown key is refused: a misspelt option must not be ignored.
 */
import { z } from "zod";
import { field } from "./field.ts";
import { settings, streamingDatabase } from "./schemaDatabase.ts";
import { fenceCommand, machine, port } from "./schemaMachine.ts";

export const site = z.strictObject({
  target: field(z.enum(["containers", "machines"]), {
    description:
      "Where the site runs. `containers`: in a Docker engine. `machines`: on a machine that exists already, over SSH, as systemd units.",
    effect: "destroys data",
  }),
  machine: field(machine.optional(), {
    description:
      "The site's machine, with `target: machines`. To move a site to another machine, add a site there and remove this one.",
    effect: "none",
    derived: "none; needed with `target: machines`",
  }),
  dockerHost: field(z.string().optional(), {
    description:
      "A Docker engine of the site's own, on another host than the others', e.g. `ssh://user@host`. `address` is then that host's, and the node's port is published there.",
    effect: "destroys data",
    derived: "`containers.dockerHost`, which the sites without one share",
  }),
  address: field(z.string().optional(), {
    description: "Address of the site's node, IPv4, by which the other nodes reach it.",
    effect: "replace",
    derived:
      "from the site's name, inside `containers.subnet`; adding a site moves no other. On a machine, `machine.host` where that is an address. Needed with `dockerHost`",
  }),
  fenceCommand: field(fenceCommand.optional(), {
    description:
      "Makes certain, from outside, that the site takes no writes, e.g. by the power-off of its cloud or BMC. Its success is the proof that a forced failover needs.",
    effect: "none",
    derived: "none; a person says so, as `failover.fenceConfirmed`",
  }),
  publishedPort: field(port().optional(), {
    description:
      "Port on 127.0.0.1 of the Docker host for clients there; with `dockerHost`, at `address` for everybody. Containers only.",
    effect: "replace",
    derived:
      "15432 for `site-a` or `dc1`, 15433 for `site-b`, …; from 15600 up for other names; 5432 with `dockerHost`",
  }),
  memoryMiB: field(z.int().min(128).max(4_194_304).default(512), {
    description:
      "Memory of the node; PostgreSQL's memory settings follow it. A container is limited to it. A machine is not: write what PostgreSQL may count on there.",
    effect: "replace",
    unit: "MiB",
  }),
  image: field(z.string().optional(), {
    description: "Image of your own for the node. Containers only.",
    effect: "replace",
    derived: "the image that we build",
  }),
  settings: field(settings.default({}), {
    description: "Settings for this site's server alone, over `database.settings`.",
    effect: "restart",
  }),
});

const nameServer = z.strictObject({
  kind: field(z.enum(["container", "machine", "external", "none"]), {
    description:
      "`container`, `machine`: a name server of our own. `external`: yours, which takes updates after RFC 2136, signed with the secret `dnsKey`. `none`: nobody serves names; clients list the sites.",
    effect: "replace",
  }),
  machine: field(machine.optional(), {
    description:
      "With `kind: machine`: the name server's machine, without `adopt`. It may be a site's: the same `host` and `port` are the same machine.",
    effect: "none",
    derived: "none; needed with `kind: machine`",
  }),
  address: field(z.string().optional(), {
    description: "With `kind: machine`: its address, IPv4, by which clients ask it.",
    effect: "reload",
    derived: "`machine.host`, where that is an address",
  }),
  host: field(z.string().optional(), {
    description: "With `kind: external`: the primary server of the zone.",
    effect: "none",
    derived: "none; needed with `kind: external`",
  }),
  port: field(port().default(53), { description: "With `kind: external`: its port.", effect: "none" }),
  keyName: field(z.string().optional(), {
    description:
      "With `kind: external`: name of the TSIG key (hmac-sha256), which may update A records in `domain`.",
    effect: "none",
    derived: "none; needed with `kind: external`",
  }),
});

const names = z.strictObject({
  server: field(nameServer.optional(), {
    description: "Who serves the deployment's names.",
    effect: "replace",
    derived: "`container`; `none` where every site is on machines",
  }),
  floating: field(z.string().optional(), {
    description: "Name that follows the active site, fully qualified, inside `domain`.",
    effect: "reload",
    derived: "`db.<domain>`",
  }),
  ttlSeconds: field(z.int().default(5), {
    description: "How long resolvers may remember the floating name's target, 1 to 300.",
    effect: "none",
    unit: "s",
    source: "Aurora uses 5 s",
  }),
  serverAddress: field(z.string().optional(), {
    description: "With `kind: container`: the name server's address on the deployment's network.",
    effect: "replace",
    derived: "the second address of `containers.subnet`",
  }),
  publishedPort: field(port().default(15_353), {
    description: "With `kind: container`: the name server's port on 127.0.0.1 of the Docker host.",
    effect: "replace",
  }),
});

const certificates = z.strictObject({
  caValidityDays: field(z.int().min(1).max(36_500).default(3650), {
    description: "Life of the deployment's own certificate authority; unused when you bring one.",
    effect: "reload",
    unit: "days",
  }),
  validityHours: field(z.int().min(48).max(876_000).default(2160), {
    description: "Life of a node's certificate.",
    effect: "reload",
    unit: "h",
  }),
  renewBeforeHours: field(z.int().min(24).default(720), {
    description: "The first `up` that finds less than this left reissues the certificate.",
    effect: "none",
    unit: "h",
  }),
  ownCaCertificate: field(z.string().optional(), {
    description:
      "Certificate of a CA of your own, PEM. Its key goes into the secret `caPrivateKey` (`pulumi config set --secret caPrivateKey`), never here.",
    effect: "reload",
    derived: "a CA made for this deployment",
  }),
});

const containers = z.strictObject({
  subnet: field(z.string().default("10.86.0.0/16"), {
    description:
      "Network of the containers, IPv4, /8 to /24. Its first address is the gateway, the second the name server.",
    effect: "replace",
  }),
  dockerHost: field(z.string().optional(), {
    description: "Docker engine, e.g. `unix:///var/run/docker.sock` or `ssh://user@host`.",
    effect: "destroys data",
    derived: "the one that `docker` uses",
  }),
});

export const deploymentSchema = z.strictObject({
  name: field(z.string().optional(), {
    description: "Prefix of the name of every container, volume and network; on a machine, whose it is.",
    effect: "destroys data",
    derived: "the stack's name",
  }),
  domain: field(z.string(), {
    description: "DNS zone that the deployment serves, without a trailing dot.",
    effect: "reload",
  }),
  database: field(streamingDatabase, { description: "The database.", effect: "none" }),
  sites: field(z.record(z.string(), site), {
    description:
      "Sites by name, at least two. The name is a DNS label in lower case; `<site>.<domain>` is its address record. Adding one touches the others by a reload; one under another name is another site, with data of its own.",
    effect: "reload",
  }),
  names: field(names.prefault({}), { description: "DNS names.", effect: "none" }),
  certificates: field(certificates.prefault({}), { description: "Certificates.", effect: "none" }),
  containers: field(containers.prefault({}), { description: "The target `containers`.", effect: "none" }),
});

export type Written = z.output<typeof deploymentSchema>;
export type WrittenSite = z.output<typeof site>;
