import { describe, expect, test } from "vitest";
import type { CatalogFacts, RoleFacts } from "../../../components/roles/facts.ts";
import { plan } from "../../../components/roles/plan/plan.ts";
import { identifier, isSet, literal, reset, set } from "../../../components/roles/plan/sql.ts";
import type { Database, Role } from "../../../components/spec/model.ts";
import { desired, emptyCatalog, nodeIn, observed } from "../../support/facts.ts";
import { withSql } from "../../support/modify.ts";

const role = (name: string, change: Partial<Role> = {}): Role => ({
  name,
  login: true,
  createDb: false,
  createRole: false,
  connectionLimit: -1,
  memberOf: [],
  settings: {},
  ...change,
});

const database = (name: string, change: Partial<Database> = {}): Database => ({
  name,
  owner: "app",
  extensions: [],
  settings: {},
  ...change,
});

const found = (change: Partial<RoleFacts> = {}): RoleFacts => ({
  login: true,
  superuser: false,
  replication: false,
  createDb: false,
  createRole: false,
  connectionLimit: -1,
  memberOf: [],
  settings: {},
  passwordMatches: true,
  ...change,
});

function planFor(catalog: CatalogFacts, roles: readonly Role[], databases: readonly Database[] = []) {
  const a = withSql(nodeIn("primary", "a", ["b"], "primary"), { catalog });
  const nodes = { a, b: nodeIn("standby-streaming", "b", ["a"], "standby") };
  return plan(observed(nodes), { ...desired("strict"), catalog: { roles, databases } });
}

function statements(...args: Parameters<typeof planFor>): string[] {
  return planFor(...args).steps.flatMap((step) =>
    step.kind === "sql" ? step.statements : [`${step.kind} ${"role" in step ? step.role : ""}`],
  );
}

describe("a new deployment", () => {
  test("everything is made in an order in which it can be, and the preview shows it", () => {
    const wish = {
      roles: [
        role("app", { memberOf: ["readers"], settings: { work_mem: "8MB" } }),
        role("readers", { login: false }),
      ],
      databases: [database("shop", { extensions: ["pg_trgm"], settings: { timezone: "UTC" } })],
    };
    const nodes = { a: nodeIn("empty", "a", ["b"], "primary"), b: nodeIn("empty", "b", ["a"], "standby") };
    const made = plan(observed(nodes), { ...desired("strict"), catalog: wish });
    expect(made.lookAgainAfter).toBeNull();
    expect(made.steps.slice(-5)).toEqual([
      {
        kind: "sql",
        node: "a",
        database: "postgres",
        summary: "roles: 3 statements",
        statements: [
          'CREATE ROLE "app" LOGIN NOCREATEDB NOCREATEROLE CONNECTION LIMIT -1',
          `ALTER ROLE "app" SET "work_mem" = '8MB'`,
          'CREATE ROLE "readers" NOLOGIN NOCREATEDB NOCREATEROLE CONNECTION LIMIT -1',
        ],
      },
      {
        kind: "sql",
        node: "a",
        database: "postgres",
        summary: "memberships: 1 statement",
        statements: ['GRANT "readers" TO "app"'],
      },
      { kind: "password", node: "a", role: "app" },
      {
        kind: "sql",
        node: "a",
        database: "postgres",
        summary: "databases: 2 statements",
        statements: ['CREATE DATABASE "shop" OWNER "app"', `ALTER DATABASE "shop" SET "timezone" = 'UTC'`],
      },
      {
        kind: "sql",
        node: "a",
        database: "shop",
        summary: "extensions: 1 statement",
        statements: ['CREATE EXTENSION IF NOT EXISTS "pg_trgm" CASCADE'],
      },
    ]);
  });
});

describe("an existing one", () => {
  test("what is as declared needs nothing", () => {
    const catalog = {
      roles: { app: found({ settings: { work_mem: "8MB", jit: "on" } }) },
      databases: { ...emptyCatalog.databases, shop: { owner: "app", extensions: ["plpgsql"], settings: {} } },
    };
    const wish = [role("app", { settings: { work_mem: "8MB", jit: true } })];
    expect(planFor(catalog, wish, [database("shop")])).toMatchObject({ steps: [], notices: [] });
  });

  test("attributes that differ are altered, and no others", () => {
    const catalog = {
      ...emptyCatalog,
      roles: { app: found({ login: false, superuser: true, connectionLimit: 3 }) },
    };
    expect(statements(catalog, [role("app", { connectionLimit: 5 })])).toEqual([
      'ALTER ROLE "app" LOGIN CONNECTION LIMIT 5 NOSUPERUSER',
    ]);
  });

  test("settings are set and reset", () => {
    const catalog = { ...emptyCatalog, roles: { app: found({ settings: { work_mem: "4MB", jit: "off" } }) } };
    expect(statements(catalog, [role("app", { settings: { work_mem: "8MB" } })])).toEqual([
      `ALTER ROLE "app" SET "work_mem" = '8MB'`,
      'ALTER ROLE "app" RESET "jit"',
    ]);
  });

  test("a new owner", () => {
    const catalog = {
      roles: { app: found() },
      databases: { shop: { owner: "postgres", extensions: ["plpgsql"], settings: {} } },
    };
    expect(statements(catalog, [role("app")], [database("shop")])).toEqual([
      'ALTER DATABASE "shop" OWNER TO "app"',
    ]);
  });

  test.each([
    [true, []],
    [false, ["password app"]],
    [null, ["password app"]],
  ])("a password that matches: %s", (passwordMatches, expected) => {
    expect(
      statements({ ...emptyCatalog, roles: { app: found({ passwordMatches }) } }, [role("app")]),
    ).toEqual(expected);
  });

  test("what is not declared is named and stays", () => {
    const catalog = {
      roles: {
        app: found({ memberOf: ["old"] }),
        old: found(),
        postgres: found({ superuser: true }),
        replicator: found({ replication: true }),
        rewinder: found(),
        verifier: found(),
      },
      databases: { ...emptyCatalog.databases, attic: { owner: "old", extensions: [], settings: {} } },
    };
    const made = planFor(catalog, [role("app")]);
    expect(made.steps).toEqual([]);
    expect(made.notices.map(({ message }) => message)).toEqual([
      expect.stringContaining('REVOKE "old" FROM "app"'),
      expect.stringContaining('DROP ROLE "old"'),
      expect.stringContaining('DROP DATABASE "attic"'),
    ]);
    expect(JSON.stringify(made.steps)).not.toMatch(/DROP|REVOKE/);
  });

  test("a primary that does not answer yet is compared later, and says so", () => {
    const nodes = {
      a: nodeIn("stopped-clean", "a", ["b"], "primary"),
      b: nodeIn("standby-lagging", "b", ["a"], "standby"),
    };
    const made = plan(observed(nodes), {
      ...desired("strict"),
      catalog: { roles: [role("app")], databases: [] },
    });
    expect(made.steps.some(({ kind }) => kind === "sql")).toBe(false);
    expect(made.notices.map(({ code }) => code)).toContain("N_CATALOG_UNSEEN");
  });
});

describe("quoting", () => {
  test.each([
    ["app", '"app"'],
    ['a"; DROP DATABASE x; --', '"a""; DROP DATABASE x; --"'],
    ["Ünï cödé", '"Ünï cödé"'],
    ["", '""'],
  ])("identifier %s", (name, quoted) => {
    expect(identifier(name)).toBe(quoted);
  });

  test.each([
    ["it's", "'it''s'"],
    ["back\\slash", "E'back\\\\slash'"],
    ["\\'; DROP", "E'\\\\''; DROP'"],
    ["two\nlines", "'two\nlines'"],
  ])("literal %s", (value, quoted) => {
    expect(literal(value)).toBe(quoted);
  });

  test("NUL cannot be said", () => {
    expect(() => identifier("a\0b")).toThrow("NUL");
    expect(() => literal("a\0b")).toThrow("NUL");
  });

  test("a list of names is quoted name by name", () => {
    expect(set('ROLE "app"', "search_path", '"$user", app, Public')).toBe(
      `ALTER ROLE "app" SET "search_path" = '$user', 'app', 'Public'`,
    );
    expect(set('ROLE "app"', "search_path", "")).toBe(`ALTER ROLE "app" SET "search_path" = ''`);
  });

  test("a stored list is compared by its names", () => {
    expect(isSet("search_path", '"$user", app', '"$user",app')).toBe(true);
    expect(isSet("search_path", '"user", app', "user, app")).toBe(true);
    expect(isSet("search_path", "app", "app, public")).toBe(false);
    expect(isSet("search_path", '""', "")).toBe(true);
    expect(isSet("work_mem", undefined, "4MB")).toBe(false);
    expect(isSet("jit", "off", false)).toBe(true);
  });

  test("the name of a setting is not a way in", () => {
    expect(() => set('ROLE "app"', "work_mem = '1'; DROP ROLE x; --", 1)).toThrow(
      "not the name of a setting",
    );
    expect(reset('ROLE "app"', "auto_explain.log_min_duration")).toBe(
      'ALTER ROLE "app" RESET "auto_explain"."log_min_duration"',
    );
  });
});
