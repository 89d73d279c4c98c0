/**
 * The life of a pair, in one story, wherever its sites are: each test goes on from where the last one stopped, because
 * bringing up a pair is the expensive part.
 */
import type { TLSSocket } from "node:tls";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Access, clientFor, connectWritable, type Target } from "../support/client.ts";
import { onMachine } from "../support/machines.ts";
import type { Incarnation, Target as Kind } from "../support/nodeHandle.ts";
import { eventually, sql } from "../support/nodes.ts";
import { PairStack, type PairStackOptions, succeed } from "../support/pairStack.ts";
import { docker } from "../support/stack.ts";

export function pairStory({ target, ...options }: PairStackOptions & { readonly target: Kind }): void {
  describe(`a pair, ${target}`, () => {
    const pair = new PairStack({ ...options, target, nameServer: true });
    const { stack } = pair;
    const [A, B] = [pair.container("site-a"), pair.container("site-b")];

    beforeAll(async () => {
      await pair.prepare();
    });

    afterAll(async () => {
      await pair.remove();
    });

    async function incarnations(): Promise<[Incarnation, Incarnation]> {
      return [await pair.node("site-a").incarnation(), await pair.node("site-b").incarnation()];
    }

    test("comes up from nothing and takes a verified client's write on both sites", async () => {
      await succeed(pair.up());
      const { active, endpoint } = await stack.outputs<{ active: string; endpoint: string }>();
      expect(active).toBe("site-a");
      expect(endpoint).toBe(`db.${options.name}.example.test:5432`);
      await pair.findAccess();
      const client = await connectWritable(pair.access);
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
      const [first] = pair.access.targets;
      if (!first) throw new Error("no target");
      const plain = clientFor(pair.access, first);
      Object.assign(plain, { ssl: false });
      (plain as unknown as { connection: { ssl: boolean } }).connection.ssl = false;
      await expect(plain.connect()).rejects.toThrow(/pg_hba.conf|no encryption/);
      await expect(clientFor({ ...pair.access, ca: "" }, first).connect()).rejects.toThrow();
      await expect(
        clientFor(pair.access, { ...first, host: "other.example.test" }).connect(),
      ).rejects.toThrow(/altnames/);
    });

    test("a second up changes nothing and restarts nothing", async () => {
      const before = await incarnations();
      const text = await succeed(pair.up("--expect-no-changes"));
      expect(text).not.toMatch(/\b(created|updated|replaced|deleted)\b/);
      expect(await incarnations()).toEqual(before);
    });

    test("shows a reloadable change line by line at preview, touches nothing, and reloads at up", async () => {
      const before = await incarnations();
      stack.config.deployment.database["settings"] = { log_min_duration_statement: "250ms" };
      const preview = await succeed(pair.preview());
      expect(preview).toMatch(/\+\s*log_min_duration_statement = '250ms'/);
      expect(preview).toMatch(/reload/);
      expect(await sql(A, "SHOW log_min_duration_statement")).toBe("-1");
      await succeed(pair.up("--skip-preview"));
      expect(await sql(A, "SHOW log_min_duration_statement")).toBe("250ms");
      expect(await sql(B, "SHOW log_min_duration_statement")).toBe("250ms");
      expect(await incarnations()).toEqual(before);
    });

    test("restarts for a raised max_connections, the standby first, and replaces no container", async () => {
      const before = await incarnations();
      stack.config.deployment.database["settings"] = {
        log_min_duration_statement: "250ms",
        max_connections: 150,
      };
      expect(await succeed(pair.preview())).toMatch(/restart[^\n]*site-b[\s\S]*restart[^\n]*site-a/i);
      await succeed(pair.up("--skip-preview"));
      const after = await incarnations();
      expect(await sql(A, "SHOW max_connections")).toBe("150");
      expect(after.map((each) => each.container)).toEqual(before.map((each) => each.container));
      expect(after[0]?.postmaster).not.toBe(before[0]?.postmaster);
      expect(Date.parse(after[1]?.postmaster ?? "")).toBeLessThan(Date.parse(after[0]?.postmaster ?? ""));
    });

    test("lowers it again on the primary first", async () => {
      stack.config.deployment.database["settings"] = { max_connections: 120 };
      await succeed(pair.up("--skip-preview"));
      const [a, b] = await incarnations();
      expect(await sql(B, "SHOW max_connections")).toBe("120");
      expect(Date.parse(a.postmaster)).toBeLessThan(Date.parse(b.postmaster));
    });

    test("more memory restarts the servers with larger buffers, where they are", async () => {
      const before = await incarnations();
      const buffers = await sql(A, "SHOW shared_buffers");
      for (const site of Object.values(stack.config.deployment.sites))
        Object.assign(site, { memoryMiB: 768 });
      await succeed(pair.up("--skip-preview"));
      if (target === "containers")
        expect(await docker("inspect", "-f", "{{.HostConfig.Memory}}", A)).toBe(String(768 * 2 ** 20));
      expect(await sql(A, "SHOW shared_buffers")).not.toBe(buffers);
      expect((await incarnations()).map((each) => each.container)).toEqual(
        before.map((each) => each.container),
      );
      await pair.expectNoChanges();
    });

    test.runIf(target === "containers")(
      "another image replaces the containers, the standby's first, on the same data",
      async () => {
        const image = await docker("inspect", "-f", "{{.Config.Image}}", A);
        const other = "understudy-test/postgres:other";
        await docker("tag", image, other);
        for (const site of Object.values(stack.config.deployment.sites))
          Object.assign(site, { image: other });
        await succeed(pair.up());
        const [a, b] = await incarnations();
        expect(await docker("inspect", "-f", "{{.Config.Image}}", B)).toBe(other);
        expect(Date.parse(b.startedAt)).toBeLessThan(Date.parse(a.startedAt));
        const client = await eventually(30, "clients are let in", () => connectWritable(pair.access));
        expect((await client.query("SELECT count(*)::int AS n FROM ledger")).rows).toEqual([{ n: 100 }]);
        await client.end();
        await pair.expectNoChanges();
      },
    );

    test("a certificate in its renewal window is reissued and loaded without a restart", async () => {
      const before = await incarnations();
      const first = pair.access.targets[0];
      if (!first) throw new Error("no target");
      const serial = await servedSerial(pair.access, first);
      // 61 of 90 days: the renewal window of 30 days has begun.
      stack.extraEnvironment = { UNDERSTUDY_NOW: new Date(Date.now() + 61 * 86_400_000).toISOString() };
      expect(await succeed(pair.preview())).toMatch(/certificate/);
      await succeed(pair.up("--skip-preview"));
      expect(await servedSerial(pair.access, first)).not.toBe(serial);
      expect(await incarnations()).toEqual(before);
      await pair.expectNoChanges();
      stack.extraEnvironment = {};
      await succeed(pair.up("--skip-preview"));
    });

    test("creates what the stack declares, and drops nothing that it no longer declares", async () => {
      stack.config.deployment.database["roles"] = { app: {}, report: { connectionLimit: 5 } };
      stack.config.deployment.database["databases"] = {
        app: { owner: "app", extensions: ["pg_trgm"] },
        stats: { owner: "report" },
      };
      await succeed(pair.up());
      expect(await sql(A, "SELECT rolconnlimit FROM pg_roles WHERE rolname = 'report'")).toBe("5");
      expect(await sql(A, "SELECT count(*) FROM pg_extension WHERE extname = 'pg_trgm'", "app")).toBe("1");
      delete stack.config.deployment.database["roles"];
      delete stack.config.deployment.database["databases"];
      await succeed(pair.up("--skip-preview"));
      expect(await sql(A, "SELECT count(*) FROM pg_database WHERE datname = 'stats'")).toBe("1");
    });

    test("rebuilds a standby that was deleted with all that it had", async () => {
      await pair.places.lose("site-b");
      const primary = await pair.node("site-a").incarnation();
      await succeed(pair.up());
      await eventually(30, "the standby in sync", async () =>
        (await sql(A, "SELECT sync_state FROM pg_stat_replication")) === "sync" ? true : undefined,
      );
      expect(await sql(B, "SELECT count(*) FROM ledger", "app")).toBe("100");
      expect(await pair.node("site-a").incarnation()).toEqual(primary);
      await pair.expectNoChanges();
    });

    test("a restarted primary admits clients only once its standby is in sync", async () => {
      await pair.node("site-b").stop();
      await pair.node("site-a").stop();
      await pair.node("site-a").start();
      await eventually(
        30,
        "the primary answers",
        async () => (await sql(A, "SELECT 1")) === "1" || undefined,
      );
      await expect(connectWritable(pair.access)).rejects.toThrow();
      await pair.node("site-b").start();
      const client = await eventually(30, "clients are let in", () => connectWritable(pair.access));
      await client.query("INSERT INTO ledger VALUES (101)");
      await client.end();
    });

    test("refuses a configuration with several mistakes at once, before anything is touched", async () => {
      const good = structuredClone(stack.config);
      stack.config.active = "site-c";
      stack.config.deployment.database["settings"] = { fsync: "off", hba_file: "/tmp/x" };
      const { code, text } = await pair.up();
      Object.assign(stack.config, good);
      expect(code).not.toBe(0);
      for (const error of ["E_ACTIVE_UNKNOWN", "E_DURABILITY_LOWERED", "E_GUC_MANAGED"])
        expect(text).toContain(error);
      expect(text).not.toMatch(/\bat \S+ \(|node_modules/);
      await pair.expectNoChanges();
    });

    test("keeps every secret out of argv, environment, labels and logs", async () => {
      const places = await Promise.all(pair.nodes.map((node) => node.exposed()));
      for (const place of places) expect(place.includes(pair.access.password)).toBe(false);
    });

    test.runIf(target === "machines")("a reboot of both sites brings back the pair as it was", async () => {
      await Promise.all(pair.nodes.map((node) => node.stop()));
      await Promise.all(pair.nodes.map((node) => node.start()));
      const client = await eventually(60, "clients are let in", () => connectWritable(pair.access));
      expect((await client.query("SELECT count(*)::int AS n FROM ledger")).rows).toEqual([{ n: 101 }]);
      await client.end();
      await pair.expectNoChanges();
    });

    test.runIf(target === "containers")(
      "destroy refuses to delete the data, and nothing is left once it is allowed to",
      async () => {
        const refused = await stack.pulumi("destroy", "--yes");
        expect(refused.code).not.toBe(0);
        expect(refused.text).toMatch(/protect/);
        await succeed(pair.up("--skip-preview"));
        await succeed(stack.pulumi("state", "unprotect", "--all", "--yes"));
        await succeed(stack.pulumi("destroy", "--yes"));
        const filter = `label=understudy.deployment=${options.name}`;
        for (const kind of [
          ["ps", "-aq"],
          ["volume", "ls", "-q"],
          ["network", "ls", "-q"],
        ]) {
          expect(await docker(...kind, "--filter", filter)).toBe("");
        }
      },
    );

    test.runIf(target === "machines")(
      "destroy takes everything of ours off the machines but the data",
      async () => {
        await succeed(stack.pulumi("state", "unprotect", "--all", "--yes"));
        await succeed(stack.pulumi("destroy", "--yes"));
        for (const { container } of pair.nodes) {
          const left = await onMachine(
            container,
            "ls -d /etc/understudy /etc/systemd/system/*understudy* 2>/dev/null; nft list tables; true",
          );
          expect(left).not.toMatch(/understudy/);
          expect(
            await onMachine(container, "ls /var/lib/understudy/pgdata/PG_VERSION; systemctl --failed -q"),
          ).toBe("/var/lib/understudy/pgdata/PG_VERSION");
        }
      },
    );
  });
}

/** Serial number of the certificate that the server presents to a client that checks it in full. */
async function servedSerial(access: Access, target: Target): Promise<string> {
  const client = clientFor(access, target);
  await client.connect();
  const socket = (client as unknown as { connection: { stream: TLSSocket } }).connection.stream;
  const { serialNumber } = socket.getPeerCertificate();
  await client.end();
  return serialNumber;
}
