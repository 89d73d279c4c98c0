import { describe, expect, test } from "vitest";
import { parseConf, postgresqlConf } from "../../../components/postgres/conf.ts";
import { defaults, versionDefaults } from "../../../components/postgres/defaults.ts";
import { mergeSettings, settingLayers } from "../../../components/postgres/settings.ts";
import { ownedSettings, ownedValues } from "../../../components/spec/ownedSettings.ts";
import { nodeOf, pair, withSettings } from "./sample.ts";

function merged(vary: Parameters<typeof pair>[0] = {}): Readonly<Record<string, unknown>> {
  const deployment = pair(vary);
  return mergeSettings(deployment, nodeOf(deployment));
}

describe("the order of the merge", () => {
  test("is named, and is the contract", () => {
    const deployment = pair();
    expect(settingLayers(deployment, nodeOf(deployment)).map((layer) => layer.name)).toEqual([
      "defaults",
      "version",
      "memory",
      "database.settings",
      "node.settings",
      "owned",
    ]);
  });

  test("version defaults depend on the version", () => {
    const deployment = pair();
    const sixteen = { ...deployment, database: { ...deployment.database, version: 16 } };
    expect(mergeSettings(sixteen, nodeOf(sixteen))).not.toHaveProperty("allow_alter_system");
    expect(mergeSettings(deployment, nodeOf(deployment))).toMatchObject({ allow_alter_system: "off" });
  });

  test("the user wins over defaults, version and memory, and the node over the database", () => {
    const settings = {
      checkpoint_timeout: "15min",
      allow_alter_system: "on",
      work_mem: "8MB",
      log_lock_waits: "off",
    };
    expect(merged({ database: { settings }, siteA: { settings: { work_mem: "16MB" } } })).toMatchObject({
      checkpoint_timeout: "15min",
      allow_alter_system: "on",
      work_mem: "16MB",
      log_lock_waits: "off",
    });
  });

  test("names know no case", () => {
    const settings = mergeSettings(withSettings(pair(), { Work_Mem: "8MB" }), nodeOf(pair()));
    expect(settings).toMatchObject({ work_mem: "8MB" });
    expect(settings).not.toHaveProperty("Work_Mem");
  });

  test("memory follows the user's max_connections", () => {
    expect(merged()).toMatchObject({ work_mem: "1310kB" });
    expect(merged({ database: { settings: { max_connections: 50 } } })).toMatchObject({ work_mem: "2621kB" });
  });

  test("a key that is owned throws, all of them at once, and is never dropped", () => {
    const deployment = withSettings(pair(), { PORT: 5433, synchronous_standby_names: "*", jit: "off" });
    expect(() => mergeSettings(deployment, nodeOf(deployment))).toThrow(
      "node site-a: these settings are not the user's: port (the other nodes, the health check and the published port " +
        "depend on it), synchronous_standby_names (it follows from who leads; see `synchronous`)",
    );
  });
});

describe("the tables", () => {
  test("everything that is owned and rendered is in the list that the rules refuse by", () => {
    const deployment = pair();
    const owned = settingLayers(deployment, nodeOf(deployment)).find((layer) => layer.name === "owned");
    const unlisted = Object.keys(owned?.settings ?? {}).filter((name) => !Object.hasOwn(ownedSettings, name));
    expect(unlisted).toEqual([]);
  });

  test("what a user is allowed to repeat is what is rendered", () => {
    expect(merged()).toMatchObject(ownedValues);
  });

  test("no default is owned, none is there twice, each has a reason", () => {
    const all = [...defaults, ...versionDefaults];
    const names = all.map((setting) => setting.name);
    expect(names.filter((name) => Object.hasOwn(ownedSettings, name))).toEqual([]);
    expect(new Set(names).size).toBe(names.length);
    expect(all.filter((setting) => setting.reason.length < 5)).toEqual([]);
  });
});

describe("what keeps data safe", () => {
  test.each([
    [
      "restart_after_crash",
      "off",
      "the agent restarts it and holds clients back until the standby is in sync",
    ],
    ["max_slot_wal_keep_size", "1024MB", "finite: an absent standby must not fill the disk"],
    ["wal_log_hints", "on", "pg_rewind"],
    ["full_page_writes", "on", "pg_rewind"],
    ["fsync", "on", "a commit is on disk"],
    ["synchronous_commit", "on", "on both disks"],
    ["ssl", "on", "TLS only"],
    ["password_encryption", "scram-sha-256", "no md5"],
    ["recovery_target_timeline", "latest", "a standby follows a promoted peer"],
    ["log_min_error_statement", "panic", "statements can hold passwords"],
  ])("%s is %s: %s", (name, value) => {
    expect(merged()).toHaveProperty(name, value);
  });

  test("what follows from the role is never in the rendered file", () => {
    const deployment = pair();
    const names = Object.keys(parseConf(postgresqlConf(deployment, nodeOf(deployment))));
    expect(names).not.toContain("synchronous_standby_names");
    expect(names).not.toContain("primary_conninfo");
    expect(names).not.toContain("primary_slot_name");
  });
});

describe("the Inmanta document (002)", () => {
  test("its settings are expressible", () => {
    const deployment = pair({
      database: {
        synchronous: "strict",
        standbyReads: false,
        settings: { listen_addresses: "*", wal_level: "replica", synchronous_commit: "on" },
        roles: { inmanta: { login: true } },
        databases: { inmanta: { owner: "inmanta" } },
      },
    });
    expect(mergeSettings(deployment, nodeOf(deployment))).toMatchObject({
      listen_addresses: "*",
      wal_level: "replica",
      synchronous_commit: "on",
      // Its `hot_standby = off` keeps queries off the standby; `standbyReads: false` does that, see node.json.
      hot_standby: "on",
    });
  });
});
