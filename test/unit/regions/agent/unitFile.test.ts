/** What a member's agent tells of its own unit's file. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { unitName } from "../../../../components/hosts/machines/reach.ts";

const components = join(import.meta.dirname, "../../../../components");
const modules = [join(components, "regions/agent"), join(components, "postgres/node")];
let path = "";

beforeEach(() => {
  path = join(mkdtempSync(join(tmpdir(), "understudy-unit-")), "unit");
});

afterEach(() => rmSync(join(path, ".."), { recursive: true }));

function python(expression: string): unknown {
  const text = `import json, sys\nsys.dont_write_bytecode = True\nsys.path[:0] = sys.argv[2:]\nimport unitfile\nwhere, unitfile.PATH = unitfile.PATH, sys.argv[1]\nprint(json.dumps(${expression}))`;
  return JSON.parse(execFileSync("python3", ["-c", text, path, ...modules], { encoding: "utf8" }));
}

test("the file is that of the unit that runs it", () => {
  expect(python("where")).toBe(`/etc/systemd/system/${unitName("patroni")}`);
});

test("is what the supervisor was started with beside what is there now; a container has none", () => {
  expect(python('unitfile.facts({"unit": "old"})')).toBeNull();
  writeFileSync(path, "new");
  expect(python('unitfile.facts({"unit": "old"})')).toEqual({ running: "old", installed: "new" });
  // A supervisor of an earlier version, and one that does not answer.
  expect(python("unitfile.facts({})")).toEqual({ running: null, installed: "new" });
  expect(python("unitfile.facts(None)")).toEqual({ running: null, installed: "new" });
});
