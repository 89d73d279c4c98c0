/**
 * `kill -9` of a `pulumi up` at several moments, each further along than the last, and the run that finishes the work.
 * Only the CLI is killed: what it started (plugins, a converge in the middle of a step, a script on a machine) is left to
 * itself, as it would be after an out-of-memory kill.
 */
import { execFileSync } from "node:child_process";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { connectWritable } from "../support/client.ts";
import type { Target } from "../support/nodeHandle.ts";
import { sql } from "../support/nodes.ts";
import { PairStack, type PairStackOptions, succeed } from "../support/pairStack.ts";

type Moment = readonly [when: string, said: RegExp];

const madeByTarget: Readonly<Record<Target, readonly Moment[]>> = {
  containers: [
    ["when the network is being made", /docker:index:Network \S+ creating/],
    ["when a node's container is being made", /docker:index:Container site-b creating/],
  ],
  machines: [
    ["when the first script runs on a machine", /command:remote:Command \S+ creating/],
    ["when a node's unit is being made", /command:remote:Command site-b\S* creating/],
  ],
};

const everywhere: readonly Moment[] = [
  ["in initdb", /1\/\d+\s+.*initdb|new database|create .* on site-a/i],
  ["in the base backup", /copy site-a to site-b/],
];

const withNames: Moment = [
  "when the floating record is being made",
  /understudy:dns:FloatingRecord \S+ creating/,
];

export function killedSuite({ target, ...options }: PairStackOptions & { readonly target: Target }): void {
  describe(`up on ${target}`, () => {
    const pair = new PairStack({ ...options, target });
    const { stack } = pair;

    beforeAll(async () => {
      await pair.prepare();
    });

    afterAll(async () => {
      await pair.remove();
    });

    test.each([...madeByTarget[target], ...everywhere, ...(target === "containers" ? [withNames] : [])])(
      "is killed %s",
      async (_, moment) => {
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
      },
    );

    test("is finished by the next up, and the one after finds nothing to do", async () => {
      await succeed(pair.up());
      await pair.findAccess();
      const client = await connectWritable(pair.access);
      await client.query("CREATE TABLE after_the_kills (id int)");
      await client.end();
      const state = "SELECT sync_state FROM pg_stat_replication";
      expect(await sql(pair.container("site-a"), state)).toBe("sync");
      await pair.expectNoChanges();
    });
  });
}

/** The CLI among the children of `scripts/pulumi.ts`. */
function pulumiBelow(parent: number): number[] {
  const rows = execFileSync("ps", ["-eo", "pid=,ppid=,comm="], { encoding: "utf8" }).trim().split("\n");
  const processes = rows.map((row) => row.trim().split(/\s+/));
  const found = processes.filter(([, ppid, name]) => Number(ppid) === parent && name === "pulumi");
  expect(found.length).toBeGreaterThan(0);
  return found.map(([pid]) => Number(pid));
}
