import { describe, expect, test } from "vitest";
import { parse } from "../../../components/spec/parse.ts";
import { type Given, minimal, parseWith, problemsWith, sites } from "./configuration.ts";
import { onMachines } from "./onMachines.ts";

/** `code path` of every problem, in the order in which they are reported. */
const found = (given: Given) => problemsWith(given).map(({ code, path }) => `${code} ${path}`);

test("the minimal example takes defaults for all the rest", () => {
  const node = (name: string, letter: string, host: number, publishedPort: number) => ({
    name,
    place: { target: "containers", dockerHost: undefined, ownEngine: false },
    fenceCommand: undefined,
    node: {
      name,
      site: name,
      address: `10.86.0.${host}`,
      port: 5432,
      client: { host: "127.0.0.1", port: publishedPort },
      publishedPort,
      slot: `site_${letter}`,
      memoryMiB: 512,
      image: undefined,
      settings: {},
    },
  });
  expect(parseWith()).toEqual({
    ok: true,
    warnings: [],
    deployment: {
      name: "demo",
      domain: "ha.example.test",
      active: "site-a",
      failover: undefined,
      repair: {},
      database: {
        kind: "streaming",
        version: 17,
        synchronous: "strict",
        degradeAfterSeconds: 30,
        standbyReads: true,
        settings: {},
        clientAccess: [
          { databases: ["app"], roles: ["app"], network: "10.86.0.0/16", method: "scram-sha-256" },
        ],
        roles: [
          {
            name: "app",
            login: true,
            createDb: false,
            createRole: false,
            connectionLimit: -1,
            memberOf: [],
            settings: {},
          },
        ],
        databases: [{ name: "app", owner: "app", extensions: [], settings: {} }],
        slotWalKeepMiB: 1024,
        stepTimeoutSeconds: 60,
      },
      sites: [node("site-a", "a", 11, 15_432), node("site-b", "b", 12, 15_433)],
      names: {
        floating: "db.ha.example.test",
        ttlSeconds: 5,
        server: { kind: "container", address: "10.86.0.2", publishedPort: 15_353 },
      },
      certificates: {
        caValidityDays: 3650,
        validityHours: 2160,
        renewBeforeHours: 720,
        ownCaCertificate: undefined,
      },
      containers: { subnet: "10.86.0.0/16", dockerHost: undefined },
    },
  });
});

test("everything that the Inmanta document sets can be said", () => {
  const parsed = parseWith({
    deployment: {
      database: {
        synchronous: "strict",
        standbyReads: false,
        settings: { listen_addresses: "*", wal_level: "replica", synchronous_commit: "on" },
        roles: { inmanta: {} },
        databases: { inmanta: {} },
      },
    },
  });
  expect(parsed.ok && parsed.warnings).toEqual([]);
  expect(parsed.ok && parsed.deployment.database).toMatchObject({
    standbyReads: false,
    // listen_addresses only repeats what the deployment owns, so nobody has to merge it.
    settings: { wal_level: "replica", synchronous_commit: "on" },
    databases: [{ name: "inmanta", owner: "inmanta" }],
    clientAccess: [{ databases: ["inmanta"], roles: ["inmanta"] }],
  });
});

test("all problems are reported at once, unreadable parts beside broken rules", () => {
  const given = {
    active: "site-c",
    deployment: {
      domian: "ha.example.test",
      domain: undefined,
      database: {
        kind: "streamin",
        version: "17",
        synchronous: "strict",
        slotWalKeepMiB: 0,
        settings: { shared_bufers: "1GB", fsync: "off", port: 5433, work_mem: ["8MB"] },
        clientAccess: [
          { databases: ["app"], roles: [], network: "10.0.0.0/8", type: "host" },
          { databases: ["replication"], roles: ["app"], network: "10.0.0.0/33", method: "md5" },
        ],
        roles: { app: { password: "canary" }, batch: null, pg_x: {} },
        databases: { app: { owner: "nobody", extensions: [1] } },
      },
      sites: {
        "site-a": { publishedPort: "15432" },
        "site-b": { target: "container", address: "10.99.0.1", memoryMiB: 5 },
        "SITE-A": { target: "containers" },
      },
      names: { ttlSeconds: 0, floating: "db.elsewhere.test" },
      certificates: { validityHours: 100, renewBeforeHours: 200, caPrivateKey: "canary" },
    },
  };
  expect(found(given)).toEqual([
    "E_ACTIVE_UNKNOWN active",
    "E_SECRET_PLAINTEXT deployment.certificates.caPrivateKey",
    "E_CERT_VALIDITY deployment.certificates.renewBeforeHours",
    "E_RANGE deployment.database.clientAccess[0].roles",
    "E_HBA_WEAK deployment.database.clientAccess[0].type",
    "E_HBA_WEAK deployment.database.clientAccess[1].databases",
    "E_HBA_WEAK deployment.database.clientAccess[1].method",
    "E_HBA_NETWORK deployment.database.clientAccess[1].network",
    "E_TYPE deployment.database.databases.app.extensions[0]",
    "E_CHOICE deployment.database.kind",
    "E_SECRET_PLAINTEXT deployment.database.roles.app.password",
    "E_TYPE deployment.database.roles.batch",
    "E_IDENT deployment.database.roles.pg_x",
    "E_DURABILITY_LOWERED deployment.database.settings.fsync",
    "E_GUC_MANAGED deployment.database.settings.port",
    "E_TYPE deployment.database.settings.work_mem",
    "E_WAL_RETENTION deployment.database.slotWalKeepMiB",
    "E_TYPE deployment.database.version",
    "E_REQUIRED deployment.domain",
    "E_UNKNOWN_KEY deployment.domian",
    "E_DNS_TTL deployment.names.ttlSeconds",
    "E_HOSTNAME deployment.sites.SITE-A",
    "E_NAME_DUP deployment.sites.SITE-A",
    "E_TYPE deployment.sites.site-a.publishedPort",
    "E_RANGE deployment.sites.site-b.memoryMiB",
    "E_CHOICE deployment.sites.site-b.target",
  ]);
});

test("a rule that would draw a wrong conclusion from an unreadable part keeps silent", () => {
  // With `strict`, the default, the setting would be refused; what was meant is not known.
  const settings = { synchronous_commit: "local" };
  expect(found({ deployment: { database: { synchronous: "sometimes", settings } } })).toEqual([
    "E_CHOICE deployment.database.synchronous",
  ]);
  expect(found({ active: 3, deployment: {} })).toEqual(["E_TYPE active"]);
  expect(found({ deployment: { sites: "site-a" } })).toEqual(["E_TYPE deployment.sites"]);
});

describe("a required field that is missing is told, and hides no other problem", () => {
  const machine = (field: object) => ({ "site-a": { target: "machines", address: "192.0.2.11", ...field } });
  test.each([
    ["deployment.domain", { domain: undefined }],
    ["deployment.database.kind", { database: { kind: undefined } }],
    ["deployment.sites.site-a.target", { sites: { "site-a": { target: undefined } } }],
    ["deployment.sites.site-a.machine.host", { sites: machine({ machine: {} }) }],
    ["deployment.sites.site-a.machine.jump.host", { sites: machine({ machine: { host: "a", jump: {} } }) }],
    [
      "deployment.sites.site-a.machine.packageMirror.suite",
      { sites: machine({ machine: { host: "a", packageMirror: { url: "http://a", key: "x" } } }) },
    ],
    [
      "deployment.sites.site-a.fenceCommand.command",
      { sites: machine({ machine: { host: "a" }, fenceCommand: {} }) },
    ],
    ["deployment.names.server.kind", { names: { server: { port: 54 } } }],
  ])("%s", (path, deployment) => {
    const problems = found({
      active: "site-c",
      deployment: { ...deployment, certificates: { validityHours: 50, renewBeforeHours: 60 } },
    });
    expect(problems).toContain(`E_REQUIRED ${path}`);
    expect(problems).toContain("E_CERT_VALIDITY deployment.certificates.renewBeforeHours");
    expect(problems).not.toContain("E_ADDRESS deployment.sites.site-a.address");
    expect(problems).not.toContain("E_NAME_SERVER deployment.names.server.port");
  });
});

describe("the configuration key `repair`", () => {
  test("any text will do, and what Pulumi makes of a number", () => {
    const repair = { "site-a": "ticket 12", "site-b": 7 };
    expect(parseWith(onMachines({}, { repair }))).toMatchObject({
      ok: true,
      deployment: { repair: { "site-a": "ticket 12", "site-b": "7" } },
    });
  });

  test.each([
    ["site-a", "E_TYPE repair"],
    [["site-a"], "E_TYPE repair"],
    [{ "site-a": ["x"] }, "E_TYPE repair.site-a"],
    [{ "site-a": null }, "E_TYPE repair.site-a"],
  ])("%j is refused", (repair, problem) => {
    expect(found(onMachines({}, { repair }))).toEqual([problem]);
  });
});

describe("what is not a configuration at all", () => {
  test.each([
    ["nothing", undefined, "E_REQUIRED deployment"],
    ["null", null, "E_REQUIRED deployment"],
    ["a text", "domain: x", "E_TYPE deployment"],
    ["a list", [minimal], "E_TYPE deployment"],
  ])("%s", (_name, deployment, problem) => {
    const parsed = parse({ stack: "demo", active: "site-a", deployment });
    expect(parsed.ok ? [] : parsed.problems.map(({ code, path }) => `${code} ${path}`)).toEqual([problem]);
  });

  test("an empty map lacks what has no default", () => {
    const parsed = parse({ stack: "demo", active: "site-a", deployment: {} });
    expect(parsed.ok ? [] : parsed.problems.map(({ code, path }) => `${code} ${path}`)).toEqual([
      "E_REQUIRED deployment.database",
      "E_REQUIRED deployment.domain",
      "E_REQUIRED deployment.sites",
    ]);
  });

  test("names of JavaScript's own are names like any other", () => {
    const deployment = JSON.parse(
      '{"domain":"a.test","database":{"kind":"streaming","settings":{"__proto__":"x","constructor":"y","tostring":1}},' +
        '"sites":{"__proto__":{"target":"containers"},"constructor":{"target":"containers"},"site-a":{"target":"containers"}}}',
    );
    const parsed = parse({ stack: "demo", active: "site-a", deployment });
    expect(parsed.ok ? [] : parsed.problems.map(({ code, path }) => `${code} ${path}`)).toEqual([
      "E_GUC_UNKNOWN deployment.database.settings.constructor",
      "E_GUC_UNKNOWN deployment.database.settings.tostring",
    ]);
  });
});

describe("words of the schema's own problems", () => {
  const message = (given: Given) => problemsWith(given).map((problem) => problem.message);
  test.each([
    [
      { domian: "x" },
      "there is no such option. Known here: name, domain, database, sites, names, certificates, containers.",
    ],
    [{ contaners: {} }, 'there is no such option. Did you mean "containers"?'],
    [{ database: { version: "17" } }, '"17"; expected a whole number: write it without quotes'],
    [{ database: { version: 17.5 } }, "17.5; expected a whole number"],
    [
      { database: { synchronous: "strikt" } },
      '"strikt"; expected "strict" or "available" or "off". Did you mean "strict"?',
    ],
    [{ database: { stepTimeoutSeconds: 4 } }, "4; expected 5 or more"],
    [
      { database: { clientAccess: [] } },
      "an empty list; expected at least one; leave it out for the default",
    ],
    [{ database: { settings: { work_mem: null } } }, "null; expected a text, a number, true or false"],
    [{ sites: { "site-a": { publishedPort: 65_536 } } }, "65536; expected 65535 or less"],
    [{ sites: { "site-a": { target: undefined } } }, 'is missing; expected "containers" or "machines"'],
    [
      { database: { roles: { app: { superuser: true } } } },
      "no role of yours is a superuser: it could undo what keeps the data safe",
    ],
  ])("%j", (deployment, expected) => {
    expect(message({ deployment })).toEqual([expected]);
  });
});

test("no message shows a secret, wherever somebody put it", () => {
  const canary = "canary-4711";
  const pem = `-----BEGIN PRIVATE KEY-----\n${canary}\n-----END PRIVATE KEY-----`;
  const given = {
    deployment: {
      database: {
        settings: {
          primary_conninfo: `host=x password=${canary}`,
          archive_command: `curl https://user:${canary}@example.test %p`,
          ssl_passphrase_command: `echo ${canary}`,
          restore_command: `a\n${canary}`,
          log_line_prefix: `password: ${canary}`,
        },
        password: canary,
        roles: { app: { password: canary, connectionLimit: `password=${canary}`, token: canary } },
      },
      certificates: { ownCaCertificate: pem, privateKey: pem, caValidityDays: pem },
      sshPrivateKey: pem,
      containers: { dockerHost: `tcp://user:${canary}@host:2375` },
      names: { serverAddress: `://user:${canary}@x`, server: { kind: "external", dnsKey: canary } },
      sites: {
        "site-a": {
          target: "machines",
          machine: {
            host: `ssh://user:${canary}@host`,
            user: `password=${canary}`,
            keyFile: pem,
            hostKey: pem,
            jump: { host: "x", keyFile: `b3BlbnNzaC1rZXktdjE${canary}`, password: canary },
            packageMirror: { url: `https://u:${canary}@m.test`, suite: `password=${canary}`, key: pem },
            adopt: `/password=${canary}`,
          },
          fenceCommand: { command: ["fence", "--token", canary] },
        },
        "site-b": {
          dockerHost: `ssh://user:${canary}@host`,
          fenceCommand: { command: [`fence password=${canary}`] },
        },
      },
    },
  };
  const problems = problemsWith(given);
  expect(problems.length).toBeGreaterThan(25);
  expect(JSON.stringify(problems)).not.toContain(canary);
});

test("100 sites are parsed in less than 200 ms, right or wrong", () => {
  const names = Array.from({ length: 100 }, (_, index) => `site-${index + 1}`);
  const deployment = {
    ...minimal,
    database: { kind: "streaming", settings: { max_replication_slots: 200, max_wal_senders: 200 } },
    sites: sites(...names),
  };
  parse({ stack: "warm-up", active: "site-1", deployment });
  const timed = (given: Parameters<typeof parse>[0]) => {
    const started = performance.now();
    const parsed = parse(given);
    expect(performance.now() - started).toBeLessThan(200);
    return parsed;
  };
  const parsed = timed({ stack: "demo", active: "site-1", deployment });
  const wrong = timed({
    stack: "demo",
    active: "x",
    deployment: { ...deployment, domain: 1, nonsense: 2 },
  });
  expect(parsed.ok && parsed.deployment.sites.length).toBe(100);
  expect(wrong.ok).toBe(false);
});
