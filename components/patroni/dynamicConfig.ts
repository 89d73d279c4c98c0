/**
 * Patroni's dynamic configuration: the one for the whole cluster, kept in Consul. It begins as `bootstrap.dcs` and is
 * changed by `PATCH /config`, never by PUT: a standby cluster that loses its `standby_cluster` promotes itself.
 */
import type { Settings } from "./parameters.ts";
import { dynamicTiming, type PatroniTiming, primaryStopTimeoutSeconds, timingProblems } from "./timing.ts";

export interface StandbySource {
  /** The other region's nodes; the one that takes writes is found among them. */
  readonly addresses: readonly string[];
  readonly port: number;
  /** The permanent slot there. */
  readonly slot: string;
}

export interface DynamicInput {
  readonly timing: PatroniTiming;
  /** As for a streaming pair: strict never acknowledges what one node alone has. */
  readonly synchronous: "strict" | "available" | "off";
  /** Without a synchronous standby: how far behind a node may be and still take over. */
  readonly maximumLagBytes: number;
  readonly parameters: Settings;
  /** Slots for the standby clusters of other regions, kept on whichever node leads. */
  readonly permanentSlots: readonly string[];
  /** This cluster follows another one. */
  readonly standbyOf?: StandbySource;
}

/** @throws when the timing is one that Patroni would rewrite */
export function dynamicConfig(input: DynamicInput): Record<string, unknown> {
  const problems = timingProblems(input.timing);
  if (problems.length > 0) throw new Error(`Patroni's timing: ${problems.join("; ")}`);
  const { standbyOf } = input;
  return {
    ...dynamicTiming(input.timing),
    ...(input.synchronous === "off" ? withoutSynchronous(input.timing) : {}),
    primary_stop_timeout: primaryStopTimeoutSeconds(input.timing),
    maximum_lag_on_failover: input.maximumLagBytes,
    check_timeline: true,
    synchronous_mode: input.synchronous !== "off",
    synchronous_mode_strict: input.synchronous === "strict",
    // When all of Consul is away, the leader goes on as long as it reaches every member.
    failsafe_mode: true,
    slots: Object.fromEntries(
      input.permanentSlots.map((slot) => [slotNamed(slot), { type: "physical", cluster_type: "primary" }]),
    ),
    postgresql: {
      use_pg_rewind: true,
      use_slots: true,
      // A copy that cannot be rewound is evidence, and a decision: it is replaced by the operator, not on the quiet.
      remove_data_directory_on_rewind_failure: false,
      remove_data_directory_on_diverged_timelines: false,
      parameters: input.parameters,
    },
    ...(standbyOf === undefined ? {} : { standby_cluster: standbyCluster(standbyOf) }),
  };
}

/** Nobody else has the crashed leader's last commits for sure, so it is given time to come back by itself. */
function withoutSynchronous(timing: PatroniTiming) {
  return { primary_start_timeout: Math.max(30, timing.primaryStartTimeoutSeconds) };
}

/** The value of `standby_cluster`. */
export function standbyCluster({ addresses, port, slot }: StandbySource): Record<string, unknown> {
  return {
    host: addresses.join(","),
    port,
    primary_slot_name: slotNamed(slot),
    create_replica_methods: ["basebackup"],
  };
}

function slotNamed(slot: string): string {
  if (!/^[a-z0-9_]{1,63}$/.test(slot)) {
    throw new Error(`${JSON.stringify(slot)} is no name of a slot: 1 to 63 of a-z, 0-9 and "_"`);
  }
  return slot;
}
