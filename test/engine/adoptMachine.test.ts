/**
 * A primary that somebody made by hand on a machine becomes site-a in place, through `pulumi up`: it is looked into while
 * its old server runs, that one goes on serving until nothing is left that can fail, and it can be had back in the end.
 */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { machineFingerprint, onMachine, powerOn, reboot } from "../support/machines.ts";
import { eventually, sql } from "../support/nodes.ts";
import { PairStack, refused, succeed } from "../support/pairStack.ts";
import { docker } from "../support/stack.ts";

const adopted = "/var/lib/postgresql/17/main";
const oldUnit = "postgresql@17-main.service";
const unit = "understudy-postgres.service";
const password = "kept-by-its-owner";

const pair = new PairStack({ name: "ado-adopt", target: "machines", net: 81, port: 16762 });
const a = () => pair.container("site-a");
const onA = (script: string) => onMachine(a(), script);
const rows = (site: "site-a" | "site-b") =>
  sql(pair.container(site), "SELECT count(*), sum(n) FROM item", "shop");
const whole = "1000|500500";

/** Everything in /etc/postgresql but what keeps the cluster from starting, which is told apart below. */
const oldConfiguration = () =>
  onA("find /etc/postgresql -type f ! -name start.conf -exec sha256sum {} + | sort");
let configurationBefore: string;

function machineOfA(): Record<string, unknown> {
  const { machine } = pair.stack.config.deployment.sites["site-a"] as { machine: Record<string, unknown> };
  return machine;
}

/** A refusal before anything is made: what it says, and that the machine is as it was. */
async function refusedUntouched(code: string): Promise<string> {
  const data = [adopted];
  const before = await machineFingerprint(a(), data);
  const said = await refused(pair.preview(), code);
  expect(await machineFingerprint(a(), data)).toBe(before);
  expect(await rows("site-a"), "its old server serves").toBe(whole);
  return said.replace(/\s+/g, " ");
}

beforeAll(async () => {
  await pair.prepare();
  await onA(`export DEBIAN_FRONTEND=noninteractive
    apt-get -q update > /dev/null; apt-get -qy install --no-install-recommends postgresql-17 > /dev/null 2>&1
    cd /etc/postgresql/17/main
    printf "# my own words\\nwork_mem = '7MB'\\n" > conf.d/mine.conf
    sed -i "s/^max_connections = .*/max_connections = 120  # more/" postgresql.conf
    echo "host shop shopkeeper 10.0.0.0/8 scram-sha-256" >> pg_hba.conf
    systemctl restart ${oldUnit}`);
  await sql(a(), `CREATE ROLE shopkeeper LOGIN PASSWORD '${password}'`);
  await sql(a(), "CREATE DATABASE shop OWNER shopkeeper");
  await sql(
    a(),
    "SET ROLE shopkeeper; CREATE TABLE item AS SELECT generate_series(1, 1000) AS n; RESET ROLE",
    "shop",
  );
  configurationBefore = await oldConfiguration();
  const { clientAccess } = pair.stack.config.deployment.database as { clientAccess: object[] };
  const shop = { databases: ["shop"], roles: ["shopkeeper"], network: pair.places.machines.subnet };
  pair.stack.config.deployment.database["clientAccess"] = [...clientAccess, shop];
});

afterAll(async () => {
  await pair.remove();
});

describe("while its old server runs", () => {
  test("a directory that cannot be adopted is refused, and nothing is changed", async () => {
    machineOfA()["adopt"] = "/var/lib/postgresql/17/other";
    expect(await refusedUntouched("E_ADOPT")).toContain(
      "is to adopt /var/lib/postgresql/17/other, and there is no such directory",
    );
    machineOfA()["adopt"] = adopted;
    pair.stack.config.deployment.database["version"] = 16;
    expect(await refusedUntouched("E_ADOPT")).toContain(
      "it is of PostgreSQL 17, while `database.version` is 16",
    );
    delete pair.stack.config.deployment.database["version"];
  });

  test("what is in it and against it is refused, all at once", async () => {
    await onA("install -d -o postgres -g postgres /var/lib/postgresql/space");
    for (const statement of [
      "ALTER SYSTEM SET max_connections = 150",
      "CREATE ROLE verifier SUPERUSER NOLOGIN",
      "CREATE ROLE rewinder LOGIN",
      "CREATE TABLESPACE elsewhere LOCATION '/var/lib/postgresql/space'",
    ])
      await sql(a(), statement);
    const said = await refusedUntouched("E_AUTO_CONF");
    expect(said).toContain(`${adopted}/postgresql.auto.conf of site-a sets max_connections`);
    expect(said).toMatch(/E_TABLESPACE .*\/var\/lib\/postgresql\/space/);
    expect(said).toContain(
      'has a role "verifier" that is not as the deployment\'s own of that name: it has SUPERUSER and lacks LOGIN',
    );
    expect(said).toContain(
      'has a role "rewinder" that is not as the deployment\'s own of that name: it lacks EXECUTE on',
    );
    // An update refuses what a preview refuses.
    await refused(pair.up("--skip-preview"), "E_AUTO_CONF");
    expect(await onA("command -v python3 || echo nothing was installed")).toBe("nothing was installed");
    for (const statement of [
      "ALTER SYSTEM RESET ALL",
      "DROP ROLE verifier",
      "DROP ROLE rewinder",
      "DROP TABLESPACE elsewhere",
    ])
      await sql(a(), statement);
    await onA("rmdir /var/lib/postgresql/space");
  });

  test("a server that lets nobody look into it is refused", async () => {
    await onA(`cd /etc/postgresql/17/main; cp -p pg_hba.conf /root/pg_hba.conf
      echo 'local all all scram-sha-256' > pg_hba.conf; systemctl reload ${oldUnit}`);
    try {
      const said = (await refused(pair.preview(), "E_ADOPT_ACCESS")).replace(/\s+/g, " ");
      expect(said).toContain("`local postgres postgres peer`");
    } finally {
      await onA(
        `cp -p /root/pg_hba.conf /etc/postgresql/17/main/; rm /root/pg_hba.conf; systemctl reload ${oldUnit}`,
      );
    }
    expect(await oldConfiguration()).toBe(configurationBefore);
  });

  test("a preview says what will happen", async () => {
    const said = (await succeed(pair.preview())).replace(/\s+/g, " ");
    expect(said).toMatch(
      new RegExp(
        `N_ADOPT site-a takes over ${adopted} in place: this update stops the server that runs on it`,
      ),
    );
    expect(said).toContain("writes stop for some seconds");
    expect(said).toMatch(/N_ADOPT_LOWERED site-a ran with max_connections = 120, and gets \d+/);
    expect(said).toMatch(/N_ADOPT_SETTINGS The old configuration of site-a sets .*TimeZone/);
    expect(said).toMatch(/copy site-a to site-b .*about [2-9]\d MiB/);
    expect(await onA(`systemctl is-active ${oldUnit}`)).toBe("active");
  });
});

describe("the update", () => {
  test("that is cut off by a power cut right after the stop leaves nobody serving, and no second server", async () => {
    const up = pair.up("--skip-preview");
    await onA(`until [ "$(systemctl is-active ${oldUnit})" = inactive ]; do sleep 0.05; done`);
    await docker("kill", a());
    const { code, text } = await up;
    expect(code, text).not.toBe(0);
    expect(text).toMatch(/error: .*site-a|E_[A-Z_]+ +site-a/s);
    await powerOn(a());
    await eventually(
      30,
      "the agent runs",
      async () => (await onA(`systemctl is-active ${unit} || true`)) === "active" || undefined,
    );
    expect(await onA(`systemctl is-active ${oldUnit} || true`)).toBe("inactive");
    // Nobody has started anything, and the agent says why.
    expect(
      await onA(
        "cat /run/understudy/clients.conf 2> /dev/null; ls /var/lib/understudy/state/adopted.json 2>&1 || true",
      ),
    ).toMatch(/No such file/);
    // Its word and systemd's "Started" come from two writers, in either order.
    await eventually(
      30,
      "the agent says that the data is to be adopted",
      async () =>
        /is to be adopted/.test(await onA(`journalctl --unit ${unit} --output cat | tail -n 2`)) || undefined,
    );
    expect(await onA("pgrep --exact postgres || echo nobody")).toBe("nobody");
    expect(await oldConfiguration()).toBe(configurationBefore);
  });

  test("is finished by the next one, and everything is there", async () => {
    await succeed(pair.up("--skip-preview"));
    await pair.findAccess();
    await pair.settled();
    for (const site of ["site-a", "site-b"] as const) expect(await rows(site)).toBe(whole);
    expect(await sql(a(), "SHOW data_directory")).toBe(adopted);
    expect(await oldConfiguration()).toBe(configurationBefore);
    const ca = "sslmode=verify-full sslrootcert=/etc/understudy/secrets/ca.crt";
    const client = `host=site-b.ado-adopt.example.test hostaddr=10.131.0.12 user=shopkeeper dbname=shop ${ca}`;
    expect(
      await onA(`PGPASSWORD=${password} psql -XAtq '${client}' -c 'SELECT count(*) FROM item'`),
      "who could log in still can",
    ).toBe("1000");
    expect(await onA("test -e /var/lib/understudy/state/degraded.json || echo settled")).toBe("settled");
  });

  test("and the one after it finds nothing to do", async () => {
    await pair.expectNoChanges();
  });
});

describe("from then on", () => {
  test("the machine comes up with our server alone, which leads", async () => {
    await reboot(a());
    await pair.settled(60);
    expect(await onA(`systemctl is-active ${oldUnit} || true`)).toBe("inactive");
    expect(await onA("pgrep --full --count '^/usr/lib/postgresql/17/bin/postgres -D'")).toBe("1");
    await pair.expectNoChanges();
  });

  test("it hands over and leads again, in place", async () => {
    await pair.moveTo("site-b");
    await pair.settled();
    await sql(pair.container("site-b"), "INSERT INTO item VALUES (1001)", "shop");
    await pair.moveTo("site-a");
    await pair.settled();
    for (const site of ["site-a", "site-b"] as const) expect(await rows(site)).toBe("1001|501501");
    expect(await sql(a(), "SHOW data_directory")).toBe(adopted);
  });

  test("after a failover it is rewound in place", async () => {
    await docker("kill", a());
    pair.declareFenced("site-a");
    await succeed(pair.up("--skip-preview"));
    await sql(pair.container("site-b"), "INSERT INTO item VALUES (1002)", "shop");
    await powerOn(a());
    pair.failover = undefined;
    expect(await succeed(pair.up("--skip-preview"))).toMatch(/rewind site-a/);
    await pair.settled();
    expect(await rows("site-a")).toBe("1002|502503");
    expect(await sql(a(), "SHOW data_directory")).toBe(adopted);
    await pair.moveTo("site-a");
    expect(await oldConfiguration()).toBe(configurationBefore);
  });

  test("destroy leaves it, and its old server can have it back", async () => {
    const said = (await succeed(pair.stack.pulumi("destroy", "--yes"))).replace(/\s+/g, " ");
    expect(said).toContain(`the data stays in ${adopted}`);
    expect(await onA("ls -d /etc/understudy /etc/systemd/system/understudy* 2> /dev/null || echo gone")).toBe(
      "gone",
    );
    await onA("cp -p /var/lib/understudy-host/start.conf-17-main /etc/postgresql/17/main/start.conf");
    await reboot(a());
    await eventually(
      30,
      "the old server serves",
      async () => (await rows("site-a")) === "1002|502503" || undefined,
    );
    expect(await onA(`systemctl is-active ${oldUnit}`)).toBe("active");
    expect(await sql(a(), "SHOW work_mem")).toBe("7MB");
    await sql(a(), "INSERT INTO item VALUES (1003)", "shop");
  });
});
