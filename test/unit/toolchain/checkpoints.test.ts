import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { restoreCutOffStates } from "../../../scripts/toolchain/checkpoints.ts";

let folder: string;
let said: string[];
const progress = { done: (line: string) => said.push(line) };

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "understudy-states-"));
  mkdirSync(join(folder, "understudy"));
  said = [];
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

const file = (name: string) => join(folder, "understudy", name);

test.each(["", '{"version":3,"checkpoint":{', '{"version":3,"checkpoint":{}'])(
  "%j is a write that was cut off",
  (text) => {
    writeFileSync(file("demo.json"), text);
    writeFileSync(file("demo.json.bak"), '{"version":3}\n');
    restoreCutOffStates(folder, progress);
    expect(readFileSync(file("demo.json"), "utf8")).toBe('{"version":3}\n');
    expect(said).toHaveLength(1);
  },
);

test("a whole state stays, and so does a broken one without a whole backup", () => {
  writeFileSync(file("whole.json"), '{"version":3,"new":true}\n');
  writeFileSync(file("whole.json.bak"), '{"version":3}\n');
  writeFileSync(file("broken.json"), "");
  writeFileSync(file("broken.json.bak"), "{");
  restoreCutOffStates(folder, progress);
  expect(readFileSync(file("whole.json"), "utf8")).toContain("new");
  expect(readFileSync(file("broken.json"), "utf8")).toBe("");
  expect(said).toEqual([]);
});

test("attributes that were cut off go, and whole ones stay, beside a state that is whole", () => {
  writeFileSync(file("demo.json"), '{"version":3}\n');
  writeFileSync(file("demo.json.attrs"), "");
  writeFileSync(file("demo.json.bak"), '{"version":3}\n');
  writeFileSync(file("demo.json.bak.attrs"), '{"user.content_type":"application/json"}\n');
  restoreCutOffStates(folder, progress);
  expect(existsSync(file("demo.json.attrs"))).toBe(false);
  expect(existsSync(file("demo.json.bak.attrs"))).toBe(true);
  expect(readFileSync(file("demo.json"), "utf8")).toBe('{"version":3}\n');
  expect(said).toHaveLength(1);
});
