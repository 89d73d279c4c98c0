/** Every site on a Docker host of its own, over SSH: the same story as on one engine, and one that loses an engine. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Access, accessFrom, connectWritable } from "../support/client.ts";
import { EngineHosts } from "../support/engineHosts.ts";
import { succeed } from "../support/pairStack.ts";
import { docker, TestStack } from "../support/stack.ts";

const engines = new EngineHosts("test-engines", 121);
let stack: TestStack;
let access: Access;

beforeAll(async () => {
  await engines.start(2);
  const [a, b] = engines.hosts;
  if (!a || !b) throw new Error("no engines");
  const site = ({ dockerHost, address }: typeof a) => ({ target: "containers", dockerHost, address });
  stack = new TestStack("test-own", {
    active: "site-a",
    deployment: {
      domain: "own.example.test",
      database: {
        kind: "streaming",
        clientAccess: [{ databases: ["app"], roles: ["app"], network: engines.subnet }],
      },
      names: { server: { kind: "none" } },
      sites: { "site-a": site(a), "site-b": site(b) },
    },
  });
  stack.extraEnvironment = engines.environment;
  await stack.init();
});

afterAll(async () => {
  await stack?.remove();
  await engines.remove();
});

async function count(): Promise<string> {
  const client = await connectWritable(access);
  const { rows } = await client.query("SELECT count(*) FROM t");
  await client.end();
  return rows[0]?.count;
}

test("comes up on two engines and takes a write that is on both", async () => {
  await succeed(stack.up("--skip-preview"));
  const { uri, caCertificate } = await stack.outputs<{ uri: string; caCertificate: string }>();
  access = accessFrom(uri, caCertificate);
  const client = await connectWritable(access);
  await client.query("CREATE TABLE t AS SELECT generate_series(1, 100) AS n");
  await client.end();
  const [a] = engines.hosts;
  if (!a) throw new Error("no engine");
  const sync = "SELECT sync_state FROM pg_stat_replication";
  expect(await engines.inside(a, "exec", "test-own-site-a", "psql", "-XAtq", "-c", sync)).toBe("sync");
});

test("an unchanged stack is a no-op", async () => {
  await succeed(stack.up("--skip-preview", "--expect-no-changes"));
});

test("the role moves there and back", async () => {
  for (const site of ["site-b", "site-a"]) {
    stack.config.active = site;
    await succeed(stack.up("--skip-preview"));
    expect(await count()).toBe("100");
  }
});

test("an engine that is gone with its site holds up no failover away from it", async () => {
  const [a] = engines.hosts;
  if (!a) throw new Error("no engine");
  await docker("kill", a.container);
  stack.config.active = "site-b";
  const failover = {
    from: "site-a",
    to: "site-b",
    fenceConfirmed: "its host was killed by the test",
    at: new Date().toISOString(),
  };
  stack.writeConfig({ "understudy:failover": failover });
  await succeed(stack.pulumi("up", "--yes", "--skip-preview"));
  expect(await count()).toBe("100");
  await docker("start", a.container);
});
