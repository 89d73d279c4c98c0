import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { insertRows, type Row, table } from "../../bench/table.ts";

const row = (change: Partial<Row> = {}): Row => ({
  what: "write gap",
  target: "machines",
  under: "8 writers at 3000/s, 0 lost",
  values: [0.2, 0.3, 0.4],
  wanted: "≤ 0.35 s",
  ...change,
});

const page = (rows: readonly Row[]) =>
  `before\n<!-- bench:begin -->\n${table(rows)}\n<!-- bench:end -->\nafter\n`;

test("a row says where, under what, and never one number alone", () => {
  expect(table([row()]).split("\n").at(-1)).toBe(
    "| write gap | machines | 8 writers at 3000/s, 0 lost | 0.30 s | 0.20 s | 0.39 s | 0.40 s | 3 | ≤ 0.35 s |",
  );
});

test("logins are counted, not timed", () => {
  expect(table([row({ unit: "logins", values: [2, 3, 3] })])).toContain(" | 3 | 2 | 3 | 3 | 3 | ");
});

describe("the README's table", () => {
  const slow = row({ under: "8 writers at 900/s, 0 lost", values: [7] });
  const inContainers = row({ target: "containers", values: [5] });
  const other = row({ what: "another", values: [6] });

  test("rows that were measured again are replaced in place, whatever they were measured under", () => {
    expect(insertRows(page([slow, inContainers, other]), [row()])).toBe(page([row(), inContainers, other]));
  });

  test("rows of parts that were not run stay, new ones come last", () => {
    expect(insertRows(page([inContainers]), [other])).toBe(page([inContainers, other]));
    expect(insertRows(page([inContainers]), [])).toBe(page([inContainers]));
  });

  test("a table that is not there, or of other columns, is no place to write to", () => {
    expect(() => insertRows("nothing", [row()])).toThrow("bench:begin");
    expect(() => insertRows(page([row()]).replace("| under ", ""), [row()])).toThrow("columns");
  });

  test("is in the README, and rows can be put there", () => {
    const readme = readFileSync("README.md", "utf8");
    expect(insertRows(readme, [])).toBe(readme);
  });
});
