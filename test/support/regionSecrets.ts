/** Every secret of regions, and everywhere that none of them may be. */
import { expect } from "vitest";
import type { RegionStack } from "./regionStack.ts";
import { docker } from "./stack.ts";

export async function expectNoSecretExposed(regions: RegionStack): Promise<void> {
  const secrets = await secretsOf(regions);
  expect(secrets.length).toBeGreaterThan(15);
  const places = regions.hosts().map(({ name }) => regions.node(name).exposed());
  const exposed = [...(await Promise.all(places)), regions.said];
  for (const text of exposed) expect(secrets.filter((secret) => text.includes(secret))).toEqual([]);
}

/** Everything that lies in a secret file of a host, and what the stack gives out as one. */
async function secretsOf(regions: RegionStack): Promise<string[]> {
  const files =
    "cd /etc/understudy/secrets && cat consul.json patroni.yml pgbouncer.users passwords/* 2>/dev/null; true";
  const inside = await Promise.all(
    regions.hosts().map(({ name }) => docker("exec", regions.container(name), "sh", "-c", files)),
  );
  const servers = [...regions.servers("region-a"), ...regions.servers("region-b")];
  const tokens = await Promise.all(
    servers.map(async ({ name }) => {
      const text = await docker(
        "exec",
        regions.container(name),
        "cat",
        "/etc/understudy/secrets/tokens.json",
      );
      return Object.values(JSON.parse(text) as Record<string, string>);
    }),
  );
  const others = inside.join("\n").match(/[A-Za-z0-9+/=_-]{20,}/g) ?? [];
  const found = [...tokens.flat(), ...others, regions.access.password];
  // Consul's own word for one of its tokens is no secret.
  return [...new Set(found)].filter((text) => !/^[a-z_-]+$/.test(text));
}
