/**
 * What a user may write under the configuration key `deployment` with `database.kind: streaming`: structure and types alone. What a value may
 * be beside the others is the business of `rules/`. Sites, roles and databases are maps by name, so that
 * adding one never renames another. An unknown key is refused: a misspelt option must not be ignored.
 */
import { z } from "zod";
import { field } from "./field.ts";
import { base } from "./schemaBase.ts";
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

export const deploymentSchema = z.strictObject({
  name: base.name,
  domain: base.domain,
  database: field(streamingDatabase, { description: "The database.", effect: "none" }),
  sites: field(z.record(z.string(), site), {
    description:
      "Sites by name, at least two. The name is a DNS label in lower case; `<site>.<domain>` is its address record. Adding one touches the others by a reload; one under another name is another site, with data of its own.",
    effect: "reload",
  }),
  names: base.names,
  certificates: base.certificates,
  containers: base.containers,
});

export type Written = z.output<typeof deploymentSchema>;
export type WrittenSite = z.output<typeof site>;
