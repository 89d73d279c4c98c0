/** The small tools behind the messages: suggestions, values that may be shown, PostgreSQL's values. */
import { expect, test } from "vitest";
import { isOwnedValue, ownedSettings, ownedValues } from "../../../components/spec/ownedSettings.ts";
import { readBool, readNumber, settingsInfo, valueFault } from "../../../components/spec/settingsInfo.ts";
import { show } from "../../../components/spec/show.ts";
import { suggest } from "../../../components/spec/suggest.ts";

test.each([
  ["domian", "domain"],
  ["memoryMB", "memoryMiB"],
  ["memory_mib", "memoryMiB"],
  ["ttl", undefined],
  ["", undefined],
])("%j suggests %j", (word, expected) => {
  expect(suggest(word, ["domain", "memoryMiB", "ttlSeconds"])).toBe(expected);
});

test.each([
  ["a text", "deployment.domain", '"a text"'],
  [5, "deployment.x", "5"],
  [null, "deployment.x", "null"],
  [{ a: 1 }, "deployment.x", "a map"],
  ["y".repeat(100), "deployment.x", `"${"y".repeat(80)}…"`],
  ["x", "deployment.database.settings.restore_command", "the value (not shown)"],
  ["postgresql://u:p@h/d", "deployment.x", "the value (not shown)"],
])("%j at %s is shown as %s", (value, path, shown) => {
  expect(show(value, path)).toBe(shown);
});

test.each([
  ["8MB", "kB", 8192],
  ["1 GB", "8kB", 131_072],
  ["1.5min", "s", 90],
  ["0x10", "", 16],
  ["1e3", "ms", 1000],
  ["-1", "ms", -1],
  [64, "kB", 64],
  ["8mb", "kB", undefined],
  ["8 MB", "ms", undefined],
  ["8 toString", "kB", undefined],
  [true, "kB", undefined],
  [Number.NaN, "kB", undefined],
])("%j in %s is %s", (value, unit, number) => {
  expect(readNumber(value, unit)).toBe(number);
});

test("booleans are read as PostgreSQL reads them", () => {
  expect(["on", "TRUE", "y", "1", true].map(readBool)).toEqual([true, true, true, true, true]);
  expect(["off", "of", "F", 0, false].map(readBool)).toEqual([false, false, false, false, false]);
  expect(["o", "", "2", "enabled"].map(readBool)).toEqual([undefined, undefined, undefined, undefined]);
});

test("the catalogue of settings is whole", () => {
  expect(settingsInfo.size).toBeGreaterThan(370);
  expect(settingsInfo.get("timezone")).toMatchObject({ name: "TimeZone", type: "string" });
  for (const info of settingsInfo.values()) {
    expect([
      "backend",
      "internal",
      "postmaster",
      "sighup",
      "superuser",
      "superuser-backend",
      "user",
    ]).toContain(info.context);
    const isNumber = info.type === "integer" || info.type === "real";
    expect([info.name, isNumber]).toEqual([info.name, info.min !== undefined && info.max !== undefined]);
    expect([info.name, info.type === "enum"]).toEqual([info.name, info.values.length > 0]);
  }
});

test("what the package sets owned settings to is owned, exists, and is a value of theirs", () => {
  for (const [name, value] of Object.entries(ownedValues)) {
    expect(Object.keys(ownedSettings)).toContain(name);
    const info = settingsInfo.get(name) ?? expect.unreachable(name);
    expect([name, valueFault(info, value)]).toEqual([name, undefined]);
    expect(isOwnedValue(name, value)).toBe(true);
  }
  expect(isOwnedValue("ssl", true)).toBe(true);
  expect(isOwnedValue("port", 5433)).toBe(false);
  expect(isOwnedValue("constructor", "x")).toBe(false);
});
