/** What a user may write under the configuration key `deployment` whichever kind the database is of. */
import { z } from "zod";
import { field } from "./field.ts";
import type { WrittenCatalog } from "./schemaDatabase.ts";
import { machine, port } from "./schemaMachine.ts";

const nameServer = z.strictObject({
  kind: field(z.enum(["container", "machine", "external", "none"]), {
    description:
      "`container`, `machine`: a name server of our own. `external`: yours, which takes updates after RFC 2136, signed with the secret `dnsKey`. `none`: nobody serves names; clients list the sites, or the regions' proxies.",
    effect: "replace",
  }),
  machine: field(machine.optional(), {
    description:
      "With `kind: machine`: the name server's machine, without `adopt`. It may be that of a site or of a region's host: the same `host` and `port` are the same machine.",
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
    derived: "`container`; `none` where every site, or every region, is on machines",
  }),
  floating: field(z.string().optional(), {
    description: "Name that follows the active site or region, fully qualified, inside `domain`.",
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

export const base = {
  name: field(z.string().optional(), {
    description: "Prefix of the name of every container, volume and network; on a machine, whose it is.",
    effect: "destroys data",
    derived: "the stack's name",
  }),
  domain: field(z.string(), {
    description: "DNS zone that the deployment serves, without a trailing dot.",
    effect: "reload",
  }),
  names: field(names.prefault({}), { description: "DNS names.", effect: "none" }),
  certificates: field(certificates.prefault({}), { description: "Certificates.", effect: "none" }),
  containers: field(containers.prefault({}), { description: "The target `containers`.", effect: "none" }),
} as const;

/** What rules and defaults of every kind look at. */
export interface WrittenBase {
  readonly name?: string | undefined;
  readonly domain: string;
  readonly database: WrittenCatalog;
  readonly names: z.output<typeof names>;
  readonly certificates: z.output<typeof certificates>;
  readonly containers: z.output<typeof containers>;
}
