/** Regions that are up, and a machine outside their network that previews changes of them, as a CI runner does. */
import { describe, expect, test } from "vitest";
import { outside } from "../support/outside.ts";
import type { RegionStack } from "../support/regionStack.ts";
import { type Outcome, refused, succeed } from "../support/stack.ts";

const nobody = /NOBODY WAS REACHED/;

/** After an update that has come to its end, with nothing changed since. */
export function regionRecord(regions: RegionStack): void {
  describe("where no host can be reached", () => {
    const { stack } = regions;

    async function away(...args: string[]): Promise<Outcome> {
      stack.writeConfig();
      return await outside(stack, ...args);
    }

    async function facts(): Promise<string> {
      return (await stack.outputs<{ facts: string }>()).facts;
    }

    test("an unchanged stack previews as unchanged, from facts that are small and hold no secret", async () => {
      const text = await facts();
      expect(text).not.toContain(regions.access.password);
      expect(Buffer.byteLength(text)).toBeLessThan(30_000);
      const seen = await succeed(away("preview", "--expect-no-changes"));
      expect(seen).toMatch(nobody);
      expect(seen).toContain(`left at ${(JSON.parse(text) as { at: string }).at} (`);
      expect(seen).toMatch(/all \d+ hosts: .*127\.0\.0\.1:9/);
      expect(seen).toContain(`Nothing to do; ${regions.active} is active.`);
    });

    test("a change is planned, and an update from there is refused with nothing changed", async () => {
      const before = await facts();
      const { database } = stack.config.deployment;
      const written = structuredClone(database);
      Object.assign(database, { settings: { max_connections: 140 } });
      const restarts = await succeed(away("preview"));
      stack.config.deployment.database = written;
      const leader = await regions.leader();
      expect(restarts).toMatch(nobody);
      expect(restarts).toMatch(
        new RegExp(`max_connections: 100 → 140[\\s\\S]*restart PostgreSQL[\\s\\S]*from ${leader} to`),
      );

      const [here, other] = [regions.active, regions.standby];
      stack.config.active = other;
      try {
        expect(await succeed(away("preview"))).toMatch(
          new RegExp(`make ${here} a standby cluster of ${other}[\\s\\S]*promote ${other}`),
        );
        await refused(away("up", "--yes", "--skip-preview"), "E_NODE_UNREACHABLE");
      } finally {
        stack.config.active = here;
      }
      expect(await facts()).toBe(before);
    });
  });
}
