/**
 * What a user may write under the configuration key `deployment` with `database.kind: patroni`: structure and types
 * alone, as in `../schema.ts`. Regions and their hosts are maps by name.
 */
import { z } from "zod";
import { field } from "../field.ts";
import { base } from "../schemaBase.ts";
import { settings } from "../schemaDatabase.ts";
import { fenceCommand, hostMachine, port, regionMachine } from "../schemaMachine.ts";
import { consul } from "./schemaConsul.ts";
import { patroniDatabase } from "./schemaDatabase.ts";

const address = (what: string) =>
  field(z.string().optional(), {
    description: `${what}'s address, IPv4, by which the other hosts reach it. In containers it is inside \`containers.subnet\`; on a machine it is one of the machine's own, which is listened on.`,
    effect: "replace",
    derived:
      "from the region's name and the host's; adding a host or a region moves no other. On a machine, `machine.host` where that is an address",
  });

const machine = (what: string) =>
  field(hostMachine.optional(), {
    description: `${what}'s machine, with \`target: machines\`: one of its own, over the region's \`machine\`.`,
    effect: "none",
    derived: "none; needed with `target: machines`",
  });

const memory = (least: number, otherwise: number, more = "") =>
  field(z.int().min(least).max(4_194_304).default(otherwise), {
    description: `Memory of the host.${more} A container is limited to it. A machine is not.`,
    effect: "replace",
    unit: "MiB",
  });

const member = z.strictObject({
  machine: machine("The member"),
  memoryMiB: memory(128, 512, " PostgreSQL's memory settings follow it."),
  settings: field(settings.default({}), {
    description:
      "Settings for this member alone, over `database.settings`. Those that must be the same on all members are refused here.",
    effect: "restart",
  }),
  nofailover: field(z.boolean().default(false), { description: "It never leads.", effect: "reload" }),
  nosync: field(z.boolean().default(false), {
    description: "Commits never wait for it.",
    effect: "reload",
  }),
  noloadbalance: field(z.boolean().default(false), {
    description: "It gets no reads from HAProxy.",
    effect: "reload",
  }),
  failoverPriority: field(z.int().min(1).max(1000).optional(), {
    description: "Of members that could take over with the same data, the one with the highest does.",
    effect: "reload",
    derived: "1",
    source: "Patroni `failover_priority`",
  }),
  address: address("The member"),
});

const consulServer = z.strictObject({
  machine: machine("The server"),
  memoryMiB: memory(128, 256),
  address: address("The server"),
});

const proxy = z.strictObject({
  machine: machine("The proxy"),
  publishedWritePort: field(port().optional(), {
    description:
      "Port on 127.0.0.1 of the Docker host that reaches whoever takes writes, in whichever region. Containers only.",
    effect: "replace",
    derived: "15432 for `region-a`, 15433 for `region-b`, …; from 15600 up for other names",
  }),
  publishedReadPort: field(port().optional(), {
    description:
      "Port on 127.0.0.1 of the Docker host that reaches the replicas of the region. Containers only.",
    effect: "replace",
    derived: "16432 for `region-a`, 16433 for `region-b`, …; from 16600 up for other names",
  }),
  publishedPooledPort: field(port().optional(), {
    description:
      "With `database.pooling`, port on 127.0.0.1 of the Docker host that reaches PgBouncer. Containers only.",
    effect: "replace",
    derived: "15932 for `region-a`, 15933 for `region-b`, …; from 16100 up for other names",
  }),
  memoryMiB: memory(64, 128),
  address: address("The proxy"),
});

export const region = z.strictObject({
  target: field(z.enum(["containers", "machines"]), {
    description:
      "Where the region runs. `containers`: in a Docker engine. `machines`: each host on a machine that exists already, over SSH, as a systemd unit; members, servers and proxies are then all written.",
    effect: "destroys data",
  }),
  machine: field(regionMachine.optional(), {
    description:
      "With `target: machines`, what is the same of all the region's machines. What a host says in its own `machine` counts more.",
    effect: "none",
    derived: "none",
  }),
  leader: field(z.string().optional(), {
    description:
      "Member that is to lead. Where another one does, the next `up` has them change by a planned switchover, without loss.",
    effect: "restart",
    derived: "whoever leads stays",
  }),
  members: field(z.record(z.string(), member).optional(), {
    description:
      "Hosts of PostgreSQL, with Patroni and an agent of Consul's, by name. The name is unique over all regions, and a DNS label in lower case. Adding one touches the others by a reload.",
    effect: "reload",
    derived: "three: `<region>-1` to `<region>-3`; on machines none",
  }),
  consulServers: field(z.record(z.string(), consulServer).optional(), {
    description:
      "Hosts of Consul's servers by name, 3 or 5; never a member's host. One more or less restarts no program.",
    effect: "reload",
    derived: "three: `<region>-consul-1` to `<region>-consul-3`; on machines none",
  }),
  proxies: field(z.record(z.string(), proxy).optional(), {
    description: "Hosts of HAProxy by name, at least one: where clients connect.",
    effect: "reload",
    derived: "one: `<region>-proxy`; on machines none",
  }),
  consul: field(consul.prefault({}), {
    description: "Consul's snapshots, and the key of its gossip.",
    effect: "none",
    derived: "see below",
  }),
  retired: field(z.array(z.string()).default([]), {
    description:
      "Members in containers that were taken out of `members` for good. Their data volumes are protected, so `up` refuses to part with them until they are named here; then it removes container and configuration, and the volume stays in the Docker engine, where nothing of ours deletes it. The name can be taken out again after that `up`. A name that has no volume there makes none (`W_RETIRED_UNKNOWN`).",
    effect: "none",
    derived: "none",
  }),
  fenceCommand: field(fenceCommand.optional(), {
    description:
      "Makes certain, from outside, that the whole region takes no writes. Its success is the proof that a forced failover needs.",
    effect: "none",
    derived: "none; a person says so, as `failover.fenceConfirmed`",
  }),
});

export const regionalSchema = z.strictObject({
  name: base.name,
  domain: base.domain,
  database: field(patroniDatabase, { description: "The database.", effect: "none" }),
  regions: field(z.record(z.string(), region), {
    description:
      "Regions by name, at least one. `active` names the one that takes writes; the others are standby clusters of it. The name is a DNS label in lower case, and Consul's name of the datacenter. One under another name is another region, with data of its own.",
    effect: "reload",
  }),
  names: base.names,
  certificates: base.certificates,
  containers: base.containers,
});

export type WrittenRegional = z.output<typeof regionalSchema>;
export type WrittenRegion = z.output<typeof region>;
export type WrittenMember = z.output<typeof member>;
export type WrittenServer = z.output<typeof consulServer>;
export type WrittenProxy = z.output<typeof proxy>;
export { consulServer, member, proxy };
