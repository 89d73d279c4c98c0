import { describe, expect, test } from "vitest";
import { dynamicConfig } from "../../../components/patroni/dynamicConfig.ts";
import { dynamicInput } from "./sample.ts";

test("the whole of it", () => {
  expect(dynamicConfig(dynamicInput)).toMatchInlineSnapshot(`
    {
      "check_timeline": true,
      "failsafe_mode": true,
      "loop_wait": 1,
      "maximum_lag_on_failover": 1048576,
      "postgresql": {
        "parameters": {
          "max_connections": 100,
          "wal_level": "replica",
        },
        "remove_data_directory_on_diverged_timelines": false,
        "remove_data_directory_on_rewind_failure": false,
        "use_pg_rewind": true,
        "use_slots": true,
      },
      "primary_start_timeout": 0,
      "primary_stop_timeout": 5,
      "retry_timeout": 9,
      "slots": {},
      "synchronous_mode": true,
      "synchronous_mode_strict": true,
      "ttl": 20,
    }
  `);
});

test.each([
  ["strict", true, true, 0],
  ["available", true, false, 0],
  // Nobody else has all commits for sure, so the crashed leader gets its time.
  ["off", false, false, 30],
] as const)("synchronous: %s", (synchronous, mode, strict, startTimeout) => {
  expect(dynamicConfig({ ...dynamicInput, synchronous })).toMatchObject({
    synchronous_mode: mode,
    synchronous_mode_strict: strict,
    primary_start_timeout: startTimeout,
  });
});

test("a timing that Patroni would rewrite is refused", () => {
  const timing = { ...dynamicInput.timing, retryTimeoutSeconds: 10 };
  expect(() => dynamicConfig({ ...dynamicInput, timing })).toThrow("1 + 2*10 = 21 > ttl 20");
});

describe("regions", () => {
  test("a standby cluster looks for whoever takes writes in the other region", () => {
    const standbyOf = { addresses: ["10.1.0.1", "10.1.0.2"], port: 5432, slot: "region_b" };
    expect(dynamicConfig({ ...dynamicInput, standbyOf }).standby_cluster).toEqual({
      host: "10.1.0.1,10.1.0.2",
      port: 5432,
      primary_slot_name: "region_b",
      create_replica_methods: ["basebackup"],
    });
    expect(dynamicConfig(dynamicInput)).not.toHaveProperty("standby_cluster");
  });

  test("its slot is kept while this cluster takes writes, and only then", () => {
    expect(dynamicConfig({ ...dynamicInput, permanentSlots: ["region_b"] }).slots).toEqual({
      region_b: { type: "physical", cluster_type: "primary" },
    });
  });

  test.each(["Region", "region-b", "", "a".repeat(64)])("no slot is named %j", (slot) => {
    expect(() => dynamicConfig({ ...dynamicInput, permanentSlots: [slot] })).toThrow(JSON.stringify(slot));
  });
});
