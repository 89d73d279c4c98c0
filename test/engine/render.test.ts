/** What is rendered for a node, read back by PostgreSQL itself, in the image that nodes run. */
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parseConf } from "../../components/postgres/conf.ts";
import { nodeFiles } from "../../components/postgres/files.ts";
import {
  ADMITTED_CLIENTS,
  CONFIG_DIRECTORY,
  PGDATA,
  SECRETS_DIRECTORY,
} from "../../components/postgres/paths.ts";
import type { Deployment } from "../../components/spec/model.ts";
import { settingsInfo } from "../../components/spec/settingsInfo.ts";
import { nodeOf, pair } from "../unit/postgres/sample.ts";

const run = promisify(execFile);
const container = `rnd-render-${process.pid}`;
const nasty = "it's a \\ back\\slash\n\ttab # no comment é 🐘";
// Past the rules of `spec`, which refuse some of this: the renderer itself must not be what keeps it harmless.
const sample = pair();
const deployment: Deployment = {
  ...sample,
  database: {
    ...sample.database,
    settings: { "understudy.canary": nasty, effective_io_concurrency: 4 },
    clientAccess: [
      {
        databases: ["app", "replication"],
        roles: ["+staff", 'a"b'],
        network: "10.86.0.0/16",
        method: "scram-sha-256",
      },
      { databases: ["all"], roles: ["all"], network: "fd00::/8", method: "cert" },
    ],
  },
};
const files = nodeFiles(deployment, nodeOf(deployment));

async function inside(script: string, ...args: string[]): Promise<string> {
  const { stdout } = await run("docker", ["exec", ...args, container, "sh", "-ec", script]);
  return stdout;
}

async function write(path: string, content: string): Promise<void> {
  const encoded = Buffer.from(content).toString("base64");
  await inside(`printf %s ${encoded} | base64 -d > ${path} && chmod 0644 ${path}`, "-u", "0");
}

async function sql<T>(query: string): Promise<T[]> {
  const json = `SELECT coalesce(json_agg(q), '[]') FROM (${query}) q`;
  const encoded = Buffer.from(json).toString("base64");
  return JSON.parse(
    await inside(`printf %s ${encoded} | base64 -d | psql -XAtq -h /run/postgresql -d postgres -f -`),
  ) as T[];
}

/** `5s` where PostgreSQL counts in ms is 5000. */
function inBaseUnits(name: string, value: string): string {
  const unit = settingsInfo.get(name)?.unit;
  const match = /^(\d+(?:\.\d+)?)(kB|MB|GB|TB|ms|s|min|h|d)$/.exec(value);
  if (!unit || !match) {
    return value;
  }
  const sizes: Record<string, number> = {
    B: 1,
    kB: 1024,
    "8kB": 8192,
    MB: 2 ** 20,
    GB: 2 ** 30,
    TB: 2 ** 40,
  };
  const times: Record<string, number> = { ms: 1, s: 1000, min: 60_000, h: 3_600_000, d: 86_400_000 };
  const factors = { ...sizes, ...times };
  return String((Number(match[1]) * (factors[match[2] ?? ""] ?? Number.NaN)) / (factors[unit] ?? Number.NaN));
}

beforeAll(async () => {
  const image = (await run(process.execPath, ["scripts/image.ts", "postgres"])).stdout.trim();
  await run("docker", [
    "run",
    "-d",
    "--name",
    container,
    "--memory",
    "512m",
    "--entrypoint",
    "sleep",
    image,
    "infinity",
  ]);
  await inside(
    `mkdir -p ${SECRETS_DIRECTORY} /run/understudy && chown 999:999 ${SECRETS_DIRECTORY} /run/understudy`,
    "-u",
    "0",
  );
  for (const [name, content] of Object.entries(files)) {
    await write(`${CONFIG_DIRECTORY}/${name}`, content);
  }
  await inside(`initdb -D ${PGDATA} --data-checksums --auth=peer >/dev/null
    cd ${SECRETS_DIRECTORY}
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=ca -keyout ca.key -out ca.crt 2>/dev/null
    cp ca.crt server.crt; cp ca.key server.key; chmod 0600 server.key`);
});

afterAll(async () => {
  await run("docker", ["rm", "-fv", container]);
});

test("PostgreSQL reads every rendered setting back as it was meant", async () => {
  const wanted = parseConf(files["postgresql.conf"] ?? "");
  expect(wanted["understudy.canary"]).toBe(nasty);
  const names = Object.keys(wanted);
  expect(names.length).toBeGreaterThan(50);
  const found: Record<string, string> = {};
  const script = names
    .map(
      (name) => `printf '%s\\0' "$(postgres --config-file=${CONFIG_DIRECTORY}/postgresql.conf -C ${name})"`,
    )
    .join("\n");
  for (const [index, value] of (await inside(script)).split("\0").entries()) {
    const name = names[index];
    if (name !== undefined) found[name] = value;
  }
  expect(found).toEqual(
    Object.fromEntries(names.map((name) => [name, inBaseUnits(name, wanted[name] ?? "")])),
  );
});

describe("a server that runs with it", () => {
  beforeAll(async () => {
    await write(ADMITTED_CLIENTS, files["clients.conf"] ?? "");
    await inside(
      `pg_ctl -D ${PGDATA} -w -l /tmp/log -o "--config-file=${CONFIG_DIRECTORY}/postgresql.conf" start >/dev/null || { cat /tmp/log; exit 1; }`,
    );
  });

  test("has no setting that it could not apply", async () => {
    expect(
      await sql("SELECT name, error FROM pg_file_settings WHERE error IS NOT NULL OR NOT applied"),
    ).toEqual([]);
    expect(await sql("SELECT name FROM pg_settings WHERE pending_restart")).toEqual([]);
  });

  test("understands every access rule as it was meant", async () => {
    expect(await sql("SELECT * FROM pg_hba_file_rules WHERE error IS NOT NULL")).toEqual([]);
    const rules = await sql<Record<string, unknown>>(
      "SELECT type, database, user_name, address, netmask, auth_method, options FROM pg_hba_file_rules ORDER BY rule_number",
    );
    const rule = (
      type: string,
      database: string[],
      user: string[],
      address: string | null,
      method: string,
      more = {},
    ) => ({
      type,
      database,
      user_name: user,
      address,
      netmask: null,
      auth_method: method,
      options: null,
      ...more,
    });
    const one = "255.255.255.255";
    const map = ["map=understudy", "clientcert=verify-full"];
    expect(rules).toEqual([
      rule("local", ["all"], ["postgres"], null, "peer"),
      rule("local", ["all"], ["all"], null, "reject"),
      rule("local", ["replication"], ["all"], null, "reject"),
      rule("hostssl", ["replication"], ["replicator"], "10.86.0.12", "cert", { netmask: one, options: map }),
      rule("hostssl", ["postgres"], ["rewinder"], "10.86.0.12", "cert", { netmask: one, options: map }),
      rule("host", ["all"], ["postgres", "replicator", "rewinder"], "all", "reject"),
      rule("hostssl", ["postgres"], ["verifier"], "10.86.0.11", "cert", { netmask: one, options: map }),
      rule("hostssl", ["postgres"], ["verifier"], "10.86.0.12", "cert", { netmask: one, options: map }),
      rule("host", ["all"], ["verifier"], "all", "reject"),
      rule("hostssl", ["app", "replication"], ["+staff", 'a"b'], "10.86.0.0", "scram-sha-256", {
        netmask: "255.255.0.0",
      }),
      rule("hostssl", ["all"], ["all"], "fd00::", "cert", {
        netmask: "ff00::",
        options: ["clientcert=verify-full"],
      }),
      rule("host", ["all"], ["all"], "all", "reject"),
      rule("host", ["replication"], ["all"], "all", "reject"),
    ]);
  });

  test("maps the peer's certificate and no other", async () => {
    expect(await sql("SELECT map_name, sys_name, pg_username, error FROM pg_ident_file_mappings")).toEqual([
      { map_name: "understudy", sys_name: "site-b", pg_username: "replicator", error: null },
      { map_name: "understudy", sys_name: "site-b", pg_username: "rewinder", error: null },
      { map_name: "understudy", sys_name: "site-a", pg_username: "verifier", error: null },
      { map_name: "understudy", sys_name: "site-b", pg_username: "verifier", error: null },
    ]);
  });

  test("runs parallel queries that need more shared memory than a container's /dev/shm", async () => {
    const hash = await inside(`psql -XAtq -h /run/postgresql -d postgres <<'SQL'
      CREATE UNLOGGED TABLE big AS SELECT g AS id, repeat('x', 60) AS filler FROM generate_series(1, 1000000) g;
      ANALYZE big;
      SET work_mem = '256MB'; SET max_parallel_workers_per_gather = 2; SET enable_mergejoin = off; SET enable_nestloop = off;
      SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; SET min_parallel_table_scan_size = 0;
      SELECT count(*), max(length(a.filler || b.filler)) FROM big a JOIN big b USING (id);
SQL`);
    expect(hash.trim()).toBe("1000000|120");
  });

  test("comes up with nobody let in when the agent has not said so", async () => {
    await inside(`rm ${ADMITTED_CLIENTS} && pg_ctl -D ${PGDATA} reload >/dev/null && sleep 0.5`, "-u", "999");
    expect(await sql("SELECT error FROM pg_hba_file_rules WHERE error IS NOT NULL")).toEqual([]);
    expect(
      await sql("SELECT count(*)::int AS n FROM pg_hba_file_rules WHERE auth_method = 'scram-sha-256'"),
    ).toEqual([{ n: 0 }]);
  });
});
