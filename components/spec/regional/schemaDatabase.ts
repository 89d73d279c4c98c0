/** What a user may write under `deployment.database` with `kind: patroni`. */
import { z } from "zod";
import { field } from "../field.ts";
import { databaseBase } from "../schemaDatabase.ts";
import { pooling } from "./schemaPooling.ts";
import { watchdog } from "./schemaWatchdog.ts";

const profiles = ["fast", "lan", "wan"] as const;
const seconds = () => z.int().optional();
const ofTheProfile = "the profile's";

const times = z.strictObject({
  profile: field(z.enum(profiles).default("lan"), {
    description: "Where the times come from that are not written here, HAProxy's among them.",
    effect: "reload",
  }),
  ttlSeconds: field(seconds(), {
    description:
      "A leader that has not renewed its lock for this long has lost it. `fast` 20, `lan` 30, `wan` 60; at least 20.",
    effect: "reload",
    unit: "s",
    derived: ofTheProfile,
    source: "Patroni `ttl`; Consul's sessions last no less",
  }),
  loopWaitSeconds: field(seconds(), {
    description:
      "Time between two looks at the cluster. `fast` 1, `lan` 5, `wan` 10; with twice `retryTimeoutSeconds` no more than `ttlSeconds`.",
    effect: "reload",
    unit: "s",
    derived: ofTheProfile,
    source: "Patroni `loop_wait`",
  }),
  retryTimeoutSeconds: field(seconds(), {
    description:
      "How long Consul or PostgreSQL may stay away before a leader gives up its role. `fast` 9, `lan` 10, `wan` 20; at least 3.",
    effect: "reload",
    unit: "s",
    derived: ofTheProfile,
    source: "Patroni `retry_timeout`",
  }),
  primaryStartTimeoutSeconds: field(seconds(), {
    description:
      "How long a crashed leader may recover before another one takes over; 0: at once, where one can without loss. `fast` 0, `lan` 0, `wan` 30. With `synchronous: off` never less than 30.",
    effect: "reload",
    unit: "s",
    derived: ofTheProfile,
    source: "Patroni `primary_start_timeout`",
  }),
});

export const patroniDatabase = z.strictObject({
  kind: field(z.enum(["patroni"]), {
    description:
      "How it is replicated. `patroni`: regions of several servers with Patroni, Consul and HAProxy, which fail over by themselves inside; the operator moves the deployment between regions.",
    effect: "destroys data",
  }),
  scope: field(z.string().optional(), {
    description:
      "Name of the Patroni cluster in each region's Consul, and of its service there: `master.<scope>.service.consul`.",
    effect: "destroys data",
    derived: "the deployment's name",
  }),
  version: field(z.int().default(17), {
    description: "PostgreSQL's major version: 17, which is in the image that we build.",
    effect: "replace",
  }),
  synchronous: field(z.enum(["strict", "available", "off"]).default("strict"), {
    description:
      "How far an acknowledged commit has travelled inside the active region; the other regions follow asynchronously. `strict`: it is on disk on two members, and commits wait while no second one is there. `available`: the same, but commits stop waiting once no second member is there. `off`: it is on the leader alone.",
    effect: "reload",
    source: "Patroni `synchronous_mode`, `synchronous_mode_strict`",
  }),
  timing: field(z.union([z.enum(profiles), times]).default("lan"), {
    description:
      "How soon a failure is taken for one: a profile, or a map of single times over one. `fast` is the floor that Consul's sessions set, `lan` stands a slow disk or a busy host, `wan` is for members far apart.",
    effect: "reload",
  }),
  maximumLagMiB: field(z.int().min(1).max(1_048_576).default(1), {
    description: "Without a synchronous member: one that is further behind does not take over.",
    effect: "reload",
    unit: "MiB",
    source: "Patroni `maximum_lag_on_failover`",
  }),
  sessionChecks: field(z.array(z.enum(["serfHealth"])).default([]), {
    description:
      "Health checks of Consul that a leader's session depends on, beside its own time. `serfHealth` notices the loss of a host sooner than `ttlSeconds`; a Consul agent that is silent for 5 s costs its leader the lock for some seconds, in which nobody writes and nobody fails over. Not with `synchronous: off`. A change restarts every member's Patroni and PostgreSQL with it, replicas first, the leader's after a switchover.",
    effect: "restart",
    source: "Patroni `consul.checks`",
  }),
  watchdog: field(watchdog.optional(), {
    description:
      "Resets the host of a leader whose Patroni hangs while its PostgreSQL goes on: `off`, `automatic` (where the host has a watchdog that Patroni may open), `required` (a member without one never leads, so it is refused), or a map with the device and the margin. On machines turning it on or off, or another device, restarts the members' units: replicas first, the leader's after a switchover.",
    effect: "reload",
    derived: "`automatic` on machines; `off` in containers, which have none",
    source: "Patroni `watchdog`",
  }),
  pooling: field(pooling.optional(), {
    description:
      "PgBouncer beside every HAProxy: a port of its own for the declared databases and login roles, in transaction mode, in front of the write port. `{}` takes every default.",
    effect: "replace",
    derived: "none",
  }),
  settings: databaseBase.settings,
  clientAccess: databaseBase.clientAccess,
  roles: databaseBase.roles,
  databases: databaseBase.databases,
  slotWalKeepMiB: databaseBase.slotWalKeepMiB,
  stepTimeoutSeconds: databaseBase.stepTimeoutSeconds,
});

export type WrittenTiming = z.output<typeof patroniDatabase>["timing"];
