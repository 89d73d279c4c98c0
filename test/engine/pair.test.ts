/**
 * The life of a pair in containers, in one story: each test goes on from where the last one stopped, because
 * bringing up a pair is the expensive part.
 */
import type { TLSSocket } from "node:tls";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Access, accessFrom, clientFor, connectWritable, type Target } from "../support/client.ts";
import { eventually, incarnation, sql } from "../support/nodes.ts";
import { docker, type Outcome, TestStack } from "../support/stack.ts";

const A = "test-pair-site-a";
const B = "test-pair-site-b";

const stack = new TestStack("test-pair", {
  active: "site-a",
  deployment: {
    domain: "pair.example.test",
    database: { kind: "streaming", synchronous: "strict" },
    containers: { subnet: "10.87.0.0/16" },
    names: { publishedPort: 16353 },
    sites: {
      "site-a": { target: "containers", publishedPort: 16432 },
      "site-b": { target: "containers", publishedPort: 16433 },
    },
  },
});

let access: Access;

async function succeed(outcome: Promise<Outcome>): Promise<string> {
  const { code, text } = await outcome;
  expect(code, text).toBe(0);
  return text;
}

beforeAll(async () => {
  await stack.init();
});

afterAll(async () => {
  await stack.remove();
});

/** Serial number of the certificate that the server presents to a client that checks it in full. */
async function servedSerial(target: Target): Promise<string> {
  const client = clientFor(access, target);
  await client.connect();
  const socket = (client as unknown as { connection: { stream: TLSSocket } }).connection.stream;
  const { serialNumber } = socket.getPeerCertificate();
  await client.end();
  return serialNumber;
}

describe("a pair in containers", () => {
  test("comes up from nothing and takes a verified client's write on both sites", async () => {
    await succeed(stack.up());
    const outputs = await stack.outputs<{
      uri: string;
      caCertificate: string;
      active: string;
      endpoint: string;
    }>();
    expect(outputs.active).toBe("site-a");
    expect(outputs.endpoint).toBe("db.pair.example.test:5432");
    access = accessFrom(outputs.uri, outputs.caCertificate);
    const client = await connectWritable(access);
    await client.query("CREATE TABLE ledger (id int PRIMARY KEY)");
    await client.query("INSERT INTO ledger SELECT generate_series(1, 100)");
    await client.end();
    expect(await sql(A, "SELECT sync_state FROM pg_stat_replication")).toBe("sync");
    expect(await sql(B, "SELECT pg_is_in_recovery()")).toBe("t");
    await eventually(5, "replay on the standby", async () =>
      (await sql(B, "SELECT count(*) FROM ledger", "app")) === "100" ? true : undefined,
    );
  });

  test("fails for a client without TLS, with another CA, or with a wrong name", async () => {
    const [first] = access.targets;
    if (!first) throw new Error("no target");
    const plain = clientFor(access, first);
    Object.assign(plain, { ssl: false });
    (plain as unknown as { connection: { ssl: boolean } }).connection.ssl = false;
    await expect(plain.connect()).rejects.toThrow(/pg_hba.conf|no encryption/);
    await expect(clientFor({ ...access, ca: "" }, first).connect()).rejects.toThrow();
    await expect(clientFor(access, { ...first, host: "other.example.test" }).connect()).rejects.toThrow(
      /altnames/,
    );
  });

  test("a second up changes nothing and restarts nothing", async () => {
    const before = [await incarnation(A), await incarnation(B)];
    const text = await succeed(stack.up("--expect-no-changes"));
    expect(text).not.toMatch(/\b(created|updated|replaced|deleted)\b/);
    expect([await incarnation(A), await incarnation(B)]).toEqual(before);
  });

  test("shows a reloadable change line by line at preview, touches nothing, and reloads at up", async () => {
    const before = [await incarnation(A), await incarnation(B)];
    stack.config.deployment.database["settings"] = { log_min_duration_statement: "250ms" };
    const preview = await succeed(stack.preview());
    expect(preview).toMatch(/\+\s*log_min_duration_statement = '250ms'/);
    expect(preview).toMatch(/reload/);
    expect(await sql(A, "SHOW log_min_duration_statement")).toBe("-1");
    await succeed(stack.up());
    expect(await sql(A, "SHOW log_min_duration_statement")).toBe("250ms");
    expect(await sql(B, "SHOW log_min_duration_statement")).toBe("250ms");
    expect([await incarnation(A), await incarnation(B)]).toEqual(before);
  });

  test("restarts for a raised max_connections, the standby first, and replaces no container", async () => {
    const before = [await incarnation(A), await incarnation(B)];
    stack.config.deployment.database["settings"] = {
      log_min_duration_statement: "250ms",
      max_connections: 150,
    };
    expect(await succeed(stack.preview())).toMatch(/restart[^\n]*site-b[\s\S]*restart[^\n]*site-a/i);
    await succeed(stack.up());
    const after = [await incarnation(A), await incarnation(B)];
    expect(await sql(A, "SHOW max_connections")).toBe("150");
    expect(after.map((each) => each.container)).toEqual(before.map((each) => each.container));
    expect(after[0]?.postmaster).not.toBe(before[0]?.postmaster);
    expect(Date.parse(after[1]?.postmaster ?? "")).toBeLessThan(Date.parse(after[0]?.postmaster ?? ""));
  });

  test("lowers it again on the primary first", async () => {
    stack.config.deployment.database["settings"] = { max_connections: 120 };
    await succeed(stack.up());
    const [a, b] = [await incarnation(A), await incarnation(B)];
    expect(await sql(B, "SHOW max_connections")).toBe("120");
    expect(Date.parse(a.postmaster)).toBeLessThan(Date.parse(b.postmaster));
  });

  test("more memory restarts the servers with larger buffers, in the same containers", async () => {
    const before = [await incarnation(A), await incarnation(B)];
    const buffers = await sql(A, "SHOW shared_buffers");
    for (const site of Object.values(stack.config.deployment.sites)) Object.assign(site, { memoryMiB: 768 });
    await succeed(stack.up());
    expect(await docker("inspect", "-f", "{{.HostConfig.Memory}}", A)).toBe(String(768 * 2 ** 20));
    expect(await sql(A, "SHOW shared_buffers")).not.toBe(buffers);
    const after = [await incarnation(A), await incarnation(B)];
    expect(after.map((each) => each.container)).toEqual(before.map((each) => each.container));
    await succeed(stack.up("--expect-no-changes"));
  });

  test("another image replaces the containers, the standby's first, on the same data", async () => {
    const image = await docker("inspect", "-f", "{{.Config.Image}}", A);
    const other = "understudy-test/postgres:other";
    await docker("tag", image, other);
    for (const site of Object.values(stack.config.deployment.sites)) Object.assign(site, { image: other });
    await succeed(stack.up());
    const [a, b] = [await incarnation(A), await incarnation(B)];
    expect(await docker("inspect", "-f", "{{.Config.Image}}", B)).toBe(other);
    expect(Date.parse(b.startedAt)).toBeLessThan(Date.parse(a.startedAt));
    const client = await eventually(30, "clients are let in", () => connectWritable(access));
    expect((await client.query("SELECT count(*)::int AS n FROM ledger")).rows).toEqual([{ n: 100 }]);
    await client.end();
    await succeed(stack.up("--expect-no-changes"));
  });

  test("a certificate in its renewal window is reissued and loaded without a restart", async () => {
    const before = [await incarnation(A), await incarnation(B)];
    const first = access.targets[0];
    if (!first) throw new Error("no target");
    const serial = await servedSerial(first);
    // 61 of 90 days: the renewal window of 30 days has begun.
    stack.extraEnvironment = { UNDERSTUDY_NOW: new Date(Date.now() + 61 * 86_400_000).toISOString() };
    expect(await succeed(stack.preview())).toMatch(/certificate/);
    await succeed(stack.up());
    expect(await servedSerial(first)).not.toBe(serial);
    expect([await incarnation(A), await incarnation(B)]).toEqual(before);
    await succeed(stack.up("--expect-no-changes"));
    stack.extraEnvironment = {};
    await succeed(stack.up());
  });

  test("creates what the stack declares, and drops nothing that it no longer declares", async () => {
    stack.config.deployment.database["roles"] = { app: {}, report: { connectionLimit: 5 } };
    stack.config.deployment.database["databases"] = {
      app: { owner: "app", extensions: ["pg_trgm"] },
      stats: { owner: "report" },
    };
    await succeed(stack.up());
    expect(await sql(A, "SELECT rolconnlimit FROM pg_roles WHERE rolname = 'report'")).toBe("5");
    expect(await sql(A, "SELECT count(*) FROM pg_extension WHERE extname = 'pg_trgm'", "app")).toBe("1");
    delete stack.config.deployment.database["roles"];
    delete stack.config.deployment.database["databases"];
    await succeed(stack.up());
    expect(await sql(A, "SELECT count(*) FROM pg_database WHERE datname = 'stats'")).toBe("1");
  });

  test("rebuilds a standby that was deleted, container and volumes", async () => {
    await docker("rm", "-f", B);
    await docker("volume", "rm", `${B}-data`, `${B}-config`);
    const primary = await incarnation(A);
    await succeed(stack.up());
    await eventually(30, "the standby in sync", async () =>
      (await sql(A, "SELECT sync_state FROM pg_stat_replication")) === "sync" ? true : undefined,
    );
    expect(await sql(B, "SELECT count(*) FROM ledger", "app")).toBe("100");
    expect(await incarnation(A)).toEqual(primary);
    await succeed(stack.up("--expect-no-changes"));
  });

  test("a restarted primary admits clients only once its standby is in sync", async () => {
    await docker("stop", B);
    await docker("restart", A);
    await eventually(30, "the primary answers", async () => (await sql(A, "SELECT 1")) === "1" || undefined);
    await expect(connectWritable(access)).rejects.toThrow();
    await docker("start", B);
    const client = await eventually(30, "clients are let in", () => connectWritable(access));
    await client.query("INSERT INTO ledger VALUES (101)");
    await client.end();
  });

  test("refuses a configuration with several mistakes at once, before anything is touched", async () => {
    const good = structuredClone(stack.config);
    stack.config.active = "site-c";
    stack.config.deployment.database["settings"] = { fsync: "off", hba_file: "/tmp/x" };
    const { code, text } = await stack.up();
    Object.assign(stack.config, good);
    expect(code).not.toBe(0);
    for (const error of ["E_ACTIVE_UNKNOWN", "E_DURABILITY_LOWERED", "E_GUC_MANAGED"])
      expect(text).toContain(error);
    expect(text).not.toMatch(/\bat \S+ \(|node_modules/);
    await succeed(stack.up("--expect-no-changes"));
  });

  test("keeps every secret out of argv, environment, labels and logs", async () => {
    const secrets = [access.password];
    const places = await Promise.all(
      [A, B].flatMap((name) => [
        docker("inspect", name),
        docker("logs", name),
        docker(
          "exec",
          name,
          "sh",
          "-c",
          "cat /proc/[0-9]*/cmdline /etc/understudy/*.conf /etc/understudy/*.json",
        ),
      ]),
    );
    for (const secret of secrets) for (const place of places) expect(place.includes(secret)).toBe(false);
  });

  test("destroy refuses to delete the data, and nothing is left once it is allowed to", async () => {
    const refused = await stack.pulumi("destroy", "--yes");
    expect(refused.code).not.toBe(0);
    expect(refused.text).toMatch(/protect/);
    await succeed(stack.up());
    await succeed(stack.pulumi("state", "unprotect", "--all", "--yes"));
    await succeed(stack.pulumi("destroy", "--yes"));
    const filter = "label=understudy.deployment=test-pair";
    for (const kind of [
      ["ps", "-aq"],
      ["volume", "ls", "-q"],
      ["network", "ls", "-q"],
    ]) {
      expect(await docker(...kind, "--filter", filter)).toBe("");
    }
  });
});
