/** What a host's agent tells of its own unit's file. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { SYSTEMD_UNITS, unitName } from "../../../../components/hosts/machines/reach.ts";
import { programOfHost } from "../../../../components/regions/render/programs.ts";
import { inAgent } from "../../../support/agentPython.ts";

let root = "";

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "understudy-unit-"));
});

afterEach(() => rmSync(root, { recursive: true }));

/** On a host of this role; null: nothing is installed yet. */
function python(role: string | null, expression: string): unknown {
  if (role !== null)
    writeFileSync(join(root, "agent.json"), JSON.stringify({ name: "a-1", role, programs: [] }));
  const script = `import files, unitfile\nwhere, unitfile.DIRECTORY, files.CONFIG = unitfile.DIRECTORY, given, given\ntell(${expression})`;
  return inAgent(script, root);
}

test("the file is where the update installs it", () => {
  expect(python(null, "where")).toBe(SYSTEMD_UNITS);
});

test.each(["server", "member", "proxy"] as const)("of a %s it is that of the unit that runs it", (role) => {
  writeFileSync(join(root, unitName(programOfHost[role])), "new");
  expect(python(role, 'unitfile.facts({"unit": "old"})')).toEqual({ running: "old", installed: "new" });
});

test("is what the supervisor was started with beside what is there now; a container has none", () => {
  expect(python(null, 'unitfile.facts({"unit": "old"})')).toBeNull();
  expect(python("member", 'unitfile.facts({"unit": "old"})')).toBeNull();
  writeFileSync(join(root, unitName("patroni")), "new");
  // A supervisor of an earlier version, and one that does not answer.
  expect(python("member", "unitfile.facts({})")).toEqual({ running: null, installed: "new" });
  expect(python("member", "unitfile.facts(None)")).toEqual({ running: null, installed: "new" });
});
