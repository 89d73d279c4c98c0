import { describe, expect, test } from "vitest";
import { clusterWide, patroniOwned, splitParameters } from "../../../components/patroni/parameters.ts";
import { memorySettings } from "../../../components/postgres/memory.ts";
import { mergeSettings } from "../../../components/postgres/settings.ts";
import { nodeOf, pair } from "../postgres/sample.ts";

const node = (name: string, settings: Record<string, string | number>, own: string[] = []) => ({
  node: name,
  settings,
  own,
});

test("what is the same everywhere is dynamic, what differs is local", () => {
  const split = splitParameters([
    node("a", { work_mem: "4MB", log_lock_waits: "on", shared_buffers: "1GB" }),
    node("b", { work_mem: "8MB", log_lock_waits: "on" }),
  ]);
  expect(split).toEqual({
    dynamic: { log_lock_waits: "on" },
    local: { a: { work_mem: "4MB", shared_buffers: "1GB" }, b: { work_mem: "8MB" } },
  });
});

test("a node's own settings stay local even while all happen to agree", () => {
  const own = ["shared_buffers"];
  const split = splitParameters([
    node("a", { shared_buffers: "1GB" }, own),
    node("b", { shared_buffers: "1GB" }, own),
  ]);
  expect(split.dynamic).toEqual({});
  expect(split.local).toEqual({ a: { shared_buffers: "1GB" }, b: { shared_buffers: "1GB" } });
});

test("what Patroni ignores in a node's file is dynamic whoever says so", () => {
  expect(splitParameters([node("a", { max_connections: 50 }, ["max_connections"])]).dynamic).toEqual({
    max_connections: 50,
  });
});

test("nodes that differ in what must be the same are refused, all at once", () => {
  const split = () =>
    splitParameters([
      node("a", { max_connections: 100, max_worker_processes: 8 }),
      node("b", { max_connections: 200 }),
    ]);
  expect(split).toThrow(
    "max_connections must be the same on every node of a Patroni cluster (a: 100, b: 200)",
  );
  expect(split).toThrow(
    "max_worker_processes must be the same on every node of a Patroni cluster (a: 8, b: (not set))",
  );
});

test.each([
  ["max_connections", 24],
  ["max_wal_senders", 2],
  ["max_replication_slots", 3],
  ["max_worker_processes", 1],
  ["max_locks_per_transaction", 31],
])("%s = %d, which Patroni would replace, is refused", (name, value) => {
  expect(() => splitParameters([node("a", { [name]: value })])).toThrow(`a: ${name} is ${value}`);
  expect(splitParameters([node("a", { [name]: value + 1 })]).dynamic).toEqual({ [name]: value + 1 });
});

describe("the settings of our nodes", () => {
  const deployment = pair();
  const memory = Object.keys(memorySettings(1024, 100));
  const split = splitParameters(
    ["site-a", "site-b"].map((name) => ({
      node: name,
      settings: mergeSettings(deployment, nodeOf(deployment, name)),
      own: memory,
    })),
  );

  test("lose nothing on the way but what Patroni writes", () => {
    const merged = mergeSettings(deployment, nodeOf(deployment, "site-a"));
    expect({ ...split.dynamic, ...split.local["site-a"] }).toEqual(
      Object.fromEntries(Object.entries(merged).filter(([name]) => !patroniOwned.has(name))),
    );
  });

  test("are cluster-wide where Patroni asks for it, local in their memory", () => {
    expect(Object.keys(split.dynamic).filter((name) => Object.hasOwn(clusterWide, name))).toEqual([
      "max_connections",
      "max_replication_slots",
      "max_wal_senders",
      "wal_keep_size",
      "wal_level",
      "wal_log_hints",
    ]);
    expect(Object.keys(split.local["site-a"] ?? {}).sort()).toEqual([...memory].sort());
  });
});
