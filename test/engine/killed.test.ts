/**
 * `kill -9` of a `pulumi up` at five moments, each further along than the last, and the run that finishes the work.
 * Only the CLI is killed: what it started (plugins, a converge in the middle of a step) is left to itself, as it
 * would be after an out-of-memory kill.
 */
import { execFileSync } from "node:child_process";
import { afterAll, beforeAll, expect, test } from "vitest";
import { accessFrom, connectWritable } from "../support/client.ts";
import { sql } from "../support/nodes.ts";
import { TestStack } from "../support/stack.ts";

const stack = new TestStack("test-killed", {
  active: "site-a",
  deployment: {
    domain: "killed.example.test",
    database: { kind: "streaming", synchronous: "strict" },
    containers: { subnet: "10.91.0.0/16" },
    names: { publishedPort: 16653 },
    sites: {
      "site-a": { target: "containers", publishedPort: 16632 },
      "site-b": { target: "containers", publishedPort: 16633 },
    },
  },
});

beforeAll(async () => {
  await stack.init();
});

afterAll(async () => {
  await stack.remove();
});

test.each([
  ["when the network is being made", /docker:index:Network \S+ creating/],
  ["when a node's container is being made", /docker:index:Container site-b creating/],
  ["in initdb", /1\/\d+\s+.*initdb|new database|create .* on site-a/i],
  ["in the base backup", /copy site-a to site-b/],
  ["when the floating record is being made", /understudy:dns:FloatingRecord \S+ creating/],
])("is killed %s", async (_, moment) => {
  stack.writeConfig();
  const child = stack.start("up", "--yes", "--skip-preview");
  let text = "";
  const seen = await new Promise<boolean>((resolve) => {
    const read = (chunk: Buffer) => {
      text += chunk;
      if (moment.test(text)) resolve(true);
    };
    child.stdout?.on("data", read);
    child.stderr?.on("data", read);
    child.on("close", () => resolve(false));
  });
  expect(seen, text).toBe(true);
  for (const pid of pulumiBelow(child.pid ?? 0)) process.kill(pid, "SIGKILL");
  await new Promise((resolve) => child.on("close", resolve));
});

test("is finished by the next up, and the one after finds nothing to do", async () => {
  const { code, text } = await stack.up();
  expect(code, text).toBe(0);
  const { uri, caCertificate } = await stack.outputs<{ uri: string; caCertificate: string }>();
  const client = await connectWritable(accessFrom(uri, caCertificate));
  await client.query("CREATE TABLE after_the_kills (id int)");
  await client.end();
  expect(await sql("test-killed-site-a", "SELECT sync_state FROM pg_stat_replication")).toBe("sync");
  const again = await stack.up("--expect-no-changes");
  expect(again.code, again.text).toBe(0);
});

/** The CLI among the children of `scripts/pulumi.ts`. */
function pulumiBelow(parent: number): number[] {
  const rows = execFileSync("ps", ["-eo", "pid=,ppid=,comm="], { encoding: "utf8" }).trim().split("\n");
  const processes = rows.map((row) => row.trim().split(/\s+/));
  const found = processes.filter(([, ppid, name]) => Number(ppid) === parent && name === "pulumi");
  expect(found.length).toBeGreaterThan(0);
  return found.map(([pid]) => Number(pid));
}
