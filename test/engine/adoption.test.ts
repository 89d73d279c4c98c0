/**
 * A primary that somebody made by hand becomes the first site, in place: with an encoding and roles of its own,
 * without checksums, its WAL elsewhere, and another cluster beside it that is nobody's business.
 */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { desiredState } from "../../components/desiredState.ts";
import { accessTo, closeAll } from "../../components/hosts/access.ts";
import { imageTag } from "../../components/hosts/containers/images.ts";
import { apply, type Preview, preview } from "../../components/roles/converge.ts";
import type { Desired, SshRoute } from "../../components/roles/desired.ts";
import type { AdoptionFacts, DataFacts } from "../../components/roles/facts.ts";
import { unfitForAdoption } from "../../components/roles/plan/adoption.ts";
import type { NodeAccess } from "../../components/roles/session.ts";
import { docker } from "../node/docker.ts";
import { limit, Pair, until } from "../node/pair.ts";
import { deviations } from "../node/shape.ts";

const base = "/var/lib/postgresql/17";
const adopted = `${base}/main`;
const foreign = `${base}/other`;
const oldPort = 5433;

describe("a hand-made primary", () => {
  let pair: Pair;
  let access: Map<string, NodeAccess>;
  let confBefore: string;
  let foreignPid: string;

  beforeAll(async () => {
    pair = await Pair.create({ synchronous: "strict", prefix: "adp", adopt: adopted });
    access = accessTo(desired().nodes);
    const initdb = "initdb -U postgres --auth-local=peer --auth-host=reject --no-sync";
    await inContainer(`mkdir ${base}
      ${initdb} -D ${adopted} -E SQL_ASCII --locale=C --waldir=${base}/wal
      ${initdb} -D ${foreign}
      echo "# my own words" >> ${adopted}/postgresql.conf
      echo "host all all 192.0.2.0/24 md5" >> ${adopted}/pg_hba.conf
      echo "max_prepared_transactions = 3" >> ${adopted}/postgresql.conf`);
    await startByHand(foreign, 5434);
    await startByHand(adopted, oldPort);
    foreignPid = await pidOf(foreign);
    await old("CREATE ROLE app LOGIN PASSWORD 'of-old'");
    await old("CREATE ROLE replicator LOGIN REPLICATION PASSWORD 'of-old'");
    await old("REVOKE CONNECT ON DATABASE postgres FROM PUBLIC");
    await old("CREATE DATABASE app OWNER app");
    await old("CREATE TABLE t AS SELECT generate_series(1, 1000) AS n", "app");
    await old("ALTER TABLE t OWNER TO app", "app");
  });
  afterAll(async () => {
    await closeAll(access ?? new Map());
    await pair?.remove();
  });

  const inContainer = (script: string) => pair.a.exec("sh", "-ec", script);
  const startByHand = (directory: string, port: number) =>
    inContainer(`pg_ctl -D ${directory} -w -l ${directory}.log -o "-p ${port} -k /tmp" start > /dev/null`);
  const pidOf = (directory: string) => pair.a.exec("head", "-1", `${directory}/postmaster.pid`);
  const old = (statement: string, database = "postgres") =>
    pair.a.exec("psql", "-XAtq", "-h", "/tmp", "-p", `${oldPort}`, "-d", database, "-c", statement);
  const confFiles = () =>
    inContainer(`cd ${adopted}; sha256sum postgresql.conf postgresql.auto.conf pg_hba.conf pg_ident.conf`);

  function desired(active = "site-a"): Desired {
    const route: SshRoute = { host: "", port: 22, user: "root", hostKeys: [] };
    const wish = desiredState(pair.deployment(), { "site-a": "{}\n", "site-b": "{}\n" }, { "site-a": route });
    const reach = (name: string) => {
      const container = `${pair.name}-${name}`;
      return {
        kind: "docker",
        container,
        dataVolume: `${container}-data`,
        image: imageTag("postgres"),
      } as const;
    };
    // The test's certificates have no names but the nodes' own, and nobody serves the floating one.
    const { floating: _, ...rest } = wish;
    const nodes = wish.nodes.map((node) => ({ ...node, clientName: node.name, reach: reach(node.name) }));
    return { ...rest, active, nodes };
  }

  const look = (active?: string): Promise<Preview> => preview({ desired: desired(active), access });

  async function converge(generation: string, active?: string): Promise<string[]> {
    const { steps, refusals } = await look(active);
    expect(refusals).toEqual([]);
    await apply({ desired: desired(active), access, generation, report: () => undefined });
    expect(await look(active)).toMatchObject({ steps: [], refusals: [], generation });
    return steps.map((step) => `${step.kind} ${step.node}`);
  }

  /** What is known while the old server runs. */
  async function beforehand() {
    const answer = JSON.parse(await pair.a.exec("python3", "/etc/understudy/node.py", "adoption"));
    expect(answer.problems).toEqual([]);
    expect(deviations(answer.adopted, "AdoptionFacts")).toEqual([]);
    expect(deviations(answer.control, "ControlFacts")).toEqual([]);
    const found = answer.adopted as AdoptionFacts;
    const wish = desired().nodes.find(({ name }) => name === "site-a");
    if (!wish) throw new Error("no wish");
    const data: DataFacts = { ...(await pair.a.observe()).data, control: answer.control };
    return { found, codes: unfitForAdoption(found, wish, data).map(({ code }) => code) };
  }

  it("is looked into while its old server runs, and everything that is against it is named", async () => {
    await old("ALTER SYSTEM SET max_connections = 150");
    await old("ALTER SYSTEM SET log_statement_sample_rate = 0.5");
    await old("CREATE ROLE verifier SUPERUSER NOLOGIN");
    await old("CREATE ROLE rewinder LOGIN");
    await inContainer(`mkdir ${base}/space`);
    await old(`CREATE TABLESPACE elsewhere LOCATION '${base}/space'`);
    const { found, codes } = await beforehand();
    expect(codes.sort()).toEqual(["E_AUTO_CONF", "E_ROLE_TAKEN", "E_ROLE_TAKEN", "E_TABLESPACE"]);
    expect(found).toMatchObject({
      taken: false,
      autoConf: ["log_statement_sample_rate", "max_connections"],
      tablespaces: [`${base}/space`],
      walDirectory: `${base}/wal`,
      access: null,
      ranWith: { max_prepared_transactions: 3 },
      roles: { verifier: "has SUPERUSER and lacks LOGIN", rewinder: expect.stringMatching(/^lacks EXECUTE/) },
    });
    await old("DROP TABLESPACE elsewhere");
    await old("ALTER SYSTEM RESET ALL");
    await old("ALTER ROLE verifier RENAME TO auditor");
    await old("ALTER ROLE rewinder RENAME TO someone");
    expect((await beforehand()).codes).toEqual([]);
  });

  it("is not touched while its old server runs", async () => {
    expect((await look()).refusals.map(({ code }) => code)).toContain("E_ADOPT_RUNNING");
    await expect(pair.a.call("start", limit)).rejects.toMatchObject({
      code: "E_NOT_STARTABLE",
      message: expect.stringContaining("another server runs on"),
    });
    expect(await old("SELECT 1")).toBe("1");
  });

  it("becomes the first site in place, with all its rows, and its standby is made from it", async () => {
    await inContainer(`pg_ctl -D ${adopted} -w -m fast stop > /dev/null`);
    confBefore = await confFiles();
    await pair.a.close();
    await docker("exec", pair.a.container, "kill", "-TERM", foreignPid);
    await docker("restart", pair.a.container);
    await startByHand(foreign, 5434);
    foreignPid = await pidOf(foreign);
    // The agent has not started it by itself: the checks come first.
    expect((await pair.a.observe()).server).toMatchObject({
      state: "stopped",
      reason: expect.stringContaining("to be adopted"),
    });
    expect((await look()).notices.map(({ code }) => code)).toEqual(
      expect.arrayContaining(["N_ADOPT", "N_ADOPT_LOWERED", "N_WAL_ELSEWHERE"]),
    );
    // One that had no standby serves on without one, however long the copy takes, and says so.
    await pair.a.call("start", limit);
    await until(
      "its clients are let in",
      15,
      async () => (await pair.a.observe()).server.sql?.clientsAdmitted,
    );
    expect((await pair.a.observe()).degraded).not.toBeNull();
    expect(await converge("g1")).toContain("clone site-b");
    await until("commits wait again", 30, async () => (await pair.a.observe()).degraded === null);
    for (const node of pair.nodes) {
      expect(await node.clientSql("SELECT count(*), sum(n) FROM t")).toBe("1000|500500");
      expect(deviations(await node.observe(true), "NodeReport")).toEqual([]);
    }
    expect(await pair.a.sql("SHOW data_directory")).toBe(adopted);
    expect((await pair.b.observe()).data.adopted).toBeUndefined();
    expect(await confFiles()).toBe(confBefore);
    const members = "SELECT rolsuper::text, rolreplication::text FROM pg_roles WHERE rolname = ";
    expect(await pair.a.sql(`${members}'replicator'`)).toBe("false|true");
    expect(await pair.a.sql(`${members}'someone'`)).toBe("false|false");
    expect(
      (await pair.b.call("verify", { name: "site-a", address: pair.a.address, port: 5432 })).timeline,
    ).toBe(1);
  });

  it("comes up again by itself from then on", async () => {
    await docker("kill", pair.a.container);
    await docker("start", pair.a.container);
    await until("it takes writes", 30, () => pair.a.clientSql("INSERT INTO t VALUES (0) RETURNING 'in'"));
    await startByHand(foreign, 5434);
    foreignPid = await pidOf(foreign);
  });

  it("hands over and leads again", async () => {
    expect(await converge("g2", "site-b")).toContain("promote site-b");
    expect(await pair.b.clientSql("INSERT INTO t VALUES (0) RETURNING 'in'")).toBe("in");
    expect(await converge("g3", "site-a")).toContain("promote site-a");
    expect(await pair.a.clientSql("SELECT count(*) FROM t")).toBe("1002");
    expect(await confFiles()).toBe(confBefore);
  });

  it("is rewound in place after a failover, and copied in place where that is cut off", async () => {
    await pair.a.close();
    await docker("kill", pair.a.container);
    const change = { mode: "failover", from: "site-a", to: "site-b", at: "2026-01-01T00:00:00Z" } as const;
    await pair.b.call("promote", { change: { ...change, statementAt: "x" }, alone: true, ...limit });
    expect(await pair.b.clientSql("INSERT INTO t VALUES (0) RETURNING 'in'")).toBe("in");
    await docker("start", pair.a.container);
    await startByHand(foreign, 5434);
    foreignPid = await pidOf(foreign);
    expect(await converge("g4", "site-b")).toContain("rewind site-a");
    expect(await pair.a.clientSql("SELECT count(*) FROM t")).toBe("1003");
    expect(await confFiles()).toBe(confBefore);
    await pair.a.call("stop", limit);
    await inContainer(`touch ${adopted}.rewinding`);
    expect(await converge("g5", "site-b")).toContain("clone site-a");
    expect(await pair.a.clientSql("SELECT count(*) FROM t")).toBe("1003");
    // Nothing of the copy or of a marker is left beside it.
    expect(await inContainer(`ls ${base} | grep "^main[.]" | tr '\\n' ' '`)).toBe("main.log");
  });

  it("says that it is ready where a service manager asks, and leaves cleanly, beside other processes", async () => {
    const script = `
import os, signal, socket, subprocess
manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
manager.bind("/tmp/notify")
manager.settimeout(10)
own = {"NOTIFY_SOCKET": "/tmp/notify", "UNDERSTUDY_DATA": "/tmp/data", "UNDERSTUDY_RUN": "/tmp/run"}
service = subprocess.Popen(["python3", "/etc/understudy/node.py", "run"], env={**os.environ, **own})
print(manager.recv(100).decode(), os.path.exists("/tmp/run/control.sock"))
service.send_signal(signal.SIGTERM)
print(service.wait(10))
`;
    expect(await pair.b.exec("python3", "-c", script)).toBe("READY=1 True\n0");
  });

  it("leaves the other cluster alone, also where numbers are used again", async () => {
    expect(await pidOf(foreign)).toBe(foreignPid);
    // A postmaster that ends by itself leaves children to the agent, as the foreign one is.
    await pair.b.call("awaitStandby", { standby: "site-a", ...limit });
    await inContainer(`kill -KILL $(head -1 ${adopted}/postmaster.pid)`);
    await until("it is up again", 30, async () => (await pair.a.observe()).server.state === "running");
    await pair.a.call("stop", limit);
    const locks = [`${adopted}/postmaster.pid`, "/run/postgresql/.s.PGSQL.5432.lock"];
    await inContainer(
      `for lock in ${locks.join(" ")}; do printf '${foreignPid}\\n${adopted}\\n' > $lock; done`,
    );
    await pair.a.call("start", limit);
    await pair.a.call("stop", limit);
    await inContainer(`printf '${foreignPid}\\n${foreign}\\n' > ${locks[1]}`);
    await expect(pair.a.call("start", limit)).rejects.toMatchObject({ code: "E_START_FAILED" });
    expect(await inContainer(`head -2 ${locks[1]} | tail -1`)).toBe(foreign);
    await inContainer(`rm ${locks[1]}; kill -0 ${foreignPid}`);
    expect(await pidOf(foreign)).toBe(foreignPid);
    await converge("g6", "site-b");
  });
});
