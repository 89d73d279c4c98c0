import { describe, expect, test } from "vitest";
import { parseConf, postgresqlConf, renderConf } from "../../../components/postgres/conf.ts";
import { nodeOf, pair } from "./sample.ts";

/** A generator with a seed: a failure can be run again. */
function generator(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

describe("renderConf", () => {
  // Byte for byte: a change of the layout reloads every node of every deployment at the next update.
  test("sorts by name and quotes every value", () => {
    expect(
      renderConf({ work_mem: "4MB", fsync: true, jit: false, port: 5432, "pg_stat_statements.max": 100 }),
    ).toBe(
      [
        "# Rendered by Understudy; edits are overwritten.",
        "fsync = 'on'",
        "jit = 'off'",
        "pg_stat_statements.max = '100'",
        "port = '5432'",
        "work_mem = '4MB'",
        "",
      ].join("\n"),
    );
  });

  test.each([
    ["it's", "'it''s'"],
    ["a\\b", "'a\\\\b'"],
    ["two\nlines\r\t", "'two\\nlines\\r\\t'"],
    ["# no comment", "'# no comment'"],
    ["", "''"],
    ["größe", "'größe'"],
  ])("escapes %j", (value, quoted) => {
    expect(renderConf({ x: value }).split("\n")[1]).toBe(`x = ${quoted}`);
  });

  test.each([["a b"], ["a=b"], ["x\nfsync"], [""], ["1st"], ["a."]])("refuses the name %j", (name) => {
    expect(() => renderConf({ [name]: "1" })).toThrow(/is not the name of a setting/);
  });

  test("refuses what PostgreSQL cannot hold", () => {
    expect(() => renderConf({ x: "a\0b" })).toThrow(/NUL/);
    expect(() => renderConf({ x: Number.NaN })).toThrow(/x: NaN/);
  });
});

describe("parseConf", () => {
  test("is the inverse of renderConf, whatever the value", () => {
    const next = generator(20_261_121);
    const alphabet = [
      "'",
      "\\",
      "\n",
      "\r",
      "\t",
      "\b",
      "\f",
      "#",
      "=",
      " ",
      "a",
      "0",
      "7",
      "n",
      "é",
      "🐘",
      '"',
      "\x01",
    ];
    for (let round = 0; round < 5000; round++) {
      const value = Array.from({ length: next(12) }, () => alphabet[next(alphabet.length)]).join("");
      const settings = { [`name_${round}`]: value, other: "1" };
      expect(parseConf(renderConf(settings))).toEqual(settings);
    }
  });

  test("reads PostgreSQL's other spellings", () => {
    const text = [
      "# comment",
      "  Shared_Buffers 128MB  # a comment behind",
      "port=5433",
      "search_path = 'a''b\\'c\\101' # more",
      "include_if_exists '/x'",
      "port = 5434",
    ].join("\n");
    // The last one wins, as in the server.
    expect(parseConf(text)).toEqual({ shared_buffers: "128MB", port: "5434", search_path: "a'b'cA" });
  });

  test.each([["port"], ["port = 'x"], ["port = 1 2"]])("throws on %j", (line) => {
    expect(() => parseConf(line)).toThrow(/line 1 is not a setting/);
  });
});

describe("postgresqlConf", () => {
  test("includes what follows from the role behind everything else", () => {
    const deployment = pair();
    const lines = postgresqlConf(deployment, nodeOf(deployment)).trimEnd().split("\n");
    expect(lines.at(-1)).toBe("include_if_exists '/var/lib/understudy/state/role.conf'");
    expect(lines.filter((line) => line.startsWith("include"))).toHaveLength(1);
  });

  test("is the same on both nodes but for the name", () => {
    const deployment = pair();
    const a = postgresqlConf(deployment, nodeOf(deployment, "site-a"));
    const b = postgresqlConf(deployment, nodeOf(deployment, "site-b"));
    expect(b).toBe(a.replaceAll("site-a", "site-b"));
  });

  test("does not depend on who is active, so that a failover restarts nothing for it", () => {
    const before = pair({ active: "site-a" });
    const after = pair({ active: "site-b" });
    expect(postgresqlConf(after, nodeOf(after))).toBe(postgresqlConf(before, nodeOf(before)));
  });
});
