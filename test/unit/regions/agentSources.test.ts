import { readdirSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { agentSources } from "../../../components/regions/agentSources.ts";

const components = join(import.meta.dirname, "../../../components");
const modules = (folder: string) =>
  readdirSync(join(components, folder)).filter((name) => name.endsWith(".py"));
const sources = agentSources();

test("has every module of its own, and of a pair's node what is imported and no supervisor of a second kind", () => {
  expect(Object.keys(sources)).toEqual(expect.arrayContaining(modules("regions/agent")));
  const shared = Object.keys(sources).filter((name) => !modules("regions/agent").includes(name));
  expect(modules("postgres/node")).toEqual(expect.arrayContaining(shared));
  expect(shared).toEqual(expect.arrayContaining(["files.py", "control.py", "conversation.py", "locks.py"]));
  expect(shared).not.toEqual(expect.arrayContaining(["supervisor.py"]));
  expect(shared).not.toContain("node.py");
});

test("no module of a pair's node that is needed has the name of one of its own, but the guard", () => {
  const both = modules("regions/agent").filter((name) => modules("postgres/node").includes(name));
  expect(both).toEqual(["guard.py"]);
  // A pair's guard admits clients, a region's decides about a start: whoever means the one must not get the other.
  const shared = modules("postgres/node").filter((name) => name in sources && name !== "guard.py");
  const importers = shared.filter((name) =>
    /^\s*(from guard import|import guard\b)/m.test(sources[name] ?? ""),
  );
  expect(importers).toEqual([]);
});
