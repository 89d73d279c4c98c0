import { describe, expect, test } from "vitest";
import type { Desired } from "../../../components/roles/desired.ts";
import { changedSettings, readConf } from "../../../components/roles/plan/conf.ts";
import { plan } from "../../../components/roles/plan/plan.ts";
import type { Step } from "../../../components/roles/steps.ts";
import { desired, files, nodeIn, observed } from "../../support/facts.ts";
import { withFiles, withReport, withSql } from "../../support/modify.ts";

type Files = Readonly<Record<string, string>>;

const primary = nodeIn("primary", "a", ["b"], "primary");
const standby = nodeIn("standby-streaming", "b", ["a"], "standby");

function wishing(a: Files, b: Files = a): Desired {
  const wish = desired("strict");
  const wanted: Record<string, Files> = { a, b };
  return { ...wish, nodes: wish.nodes.map((node) => ({ ...node, files: wanted[node.name] ?? {} })) };
}

/** Both nodes run with the default files; the wish is installed on them. */
function planFor(a: Files, b: Files = a, running: Files = files()) {
  const nodes = {
    a: withFiles(primary, { installed: a, loaded: running, started: running }),
    b: withFiles(standby, { installed: b, loaded: running, started: running }),
  };
  return plan(observed(nodes), wishing(a, b));
}

const await_: Step = { kind: "awaitStandby", node: "a", standby: "b" };
const reload = (node: string, ...changed: string[]): Step => ({ kind: "reload", node, changed });
const restart = (node: "a" | "b", ...changed: string[]): Step => {
  return { kind: "restart", node, as: node === "a" ? "primary" : "standby", changed };
};

describe("the classification of a change", () => {
  test("none", () => {
    expect(planFor(files())).toMatchObject({ steps: [], notices: [], refusals: [] });
  });

  test("a reloadable setting reloads, the standby first", () => {
    expect(planFor(files({ work_mem: "8MB" })).steps).toEqual([
      reload("b", "work_mem"),
      reload("a", "work_mem"),
    ]);
  });

  test("a rule for clients reloads", () => {
    const changed = { ...files(), "pg_hba.conf": "hostssl all app 10.0.0.0/8 scram-sha-256\n" };
    expect(planFor(changed).steps).toEqual([reload("b", "pg_hba.conf"), reload("a", "pg_hba.conf")]);
  });

  test("a renewed certificate reloads its node alone", () => {
    const renewed = { ...files(), "certificate.json": '{"epoch": 2}' };
    const before = { ...files(), "certificate.json": '{"epoch": 1}' };
    expect(planFor(before, renewed, before).steps).toEqual([reload("b", "certificate.json")]);
  });

  test("a file that the wish does not know is compared as installed", () => {
    const installed = { ...files(), "certificate.json": "2" };
    const loaded = { ...files(), "certificate.json": "1" };
    const nodes = { a: withFiles(primary, { installed, loaded, started: loaded }), b: standby };
    expect(plan(observed(nodes), wishing(files())).steps).toEqual([reload("a", "certificate.json")]);
  });

  test("a restart-only setting restarts, the standby first, and takes the reloadable ones along", () => {
    const made = planFor(files({ shared_buffers: "1GB", work_mem: "8MB" }));
    expect(made.steps).toEqual([
      restart("b", "shared_buffers", "work_mem"),
      await_,
      restart("a", "shared_buffers", "work_mem"),
      await_,
    ]);
    expect(made.notices.map(({ code }) => code)).toEqual(["N_WRITE_GAP"]);
  });

  test("a setting that is no longer there counts as changed", () => {
    const before = files({ shared_buffers: "1GB" });
    expect(planFor(files(), files(), before).steps.map(({ kind }) => kind)).toContain("restart");
  });

  test("a restart that was cut off after the reload is still seen", () => {
    const wanted = files({ shared_buffers: "1GB" });
    const nodes = {
      a: withFiles(primary, { installed: wanted, loaded: wanted, started: files() }),
      b: withFiles(standby, { installed: wanted, loaded: wanted, started: wanted }),
    };
    expect(plan(observed(nodes), wishing(wanted)).steps).toEqual([restart("a", "shared_buffers"), await_]);
  });

  test("taking back a restart-only setting that was only loaded is a reload", () => {
    const nodes = {
      a: withFiles(primary, {
        installed: files(),
        loaded: files({ shared_buffers: "1GB" }),
        started: files(),
      }),
      b: standby,
    };
    expect(plan(observed(nodes), wishing(files())).steps).toEqual([reload("a", "shared_buffers")]);
  });

  test("a server that is started anyhow is neither reloaded nor restarted", () => {
    const wanted = files({ shared_buffers: "1GB" });
    const nodes = {
      a: withFiles(primary, { installed: wanted, loaded: wanted, started: wanted }),
      b: withFiles(nodeIn("stopped-clean-standby", "b", ["a"], "standby"), { installed: wanted }),
    };
    expect(plan(observed(nodes), wishing(wanted)).steps.map(({ kind }) => kind)).toEqual([
      "start",
      "awaitStandby",
    ]);
  });
});

describe("shared-memory settings", () => {
  test("go up on the standby first", () => {
    expect(planFor(files({ max_connections: 200 })).steps).toEqual([
      restart("b", "max_connections"),
      await_,
      restart("a", "max_connections"),
      await_,
    ]);
  });

  test("go down on the primary first", () => {
    expect(planFor(files({ max_connections: 50 })).steps).toEqual([
      restart("a", "max_connections"),
      await_,
      restart("b", "max_connections"),
      await_,
    ]);
  });

  test("go down on the primary before a standby is repaired", () => {
    const lower = files({ max_connections: 50 });
    const nodes = {
      a: withFiles(primary, { installed: lower }),
      b: withFiles(nodeIn("empty", "b", ["a"], "standby"), { installed: lower }),
    };
    expect(plan(observed(nodes), wishing(lower)).steps.map((step) => `${step.kind} ${step.node}`)).toEqual([
      "restart a",
      "clone b",
      "start b",
      "awaitStandby a",
    ]);
  });

  test("up and down at once is refused with both names", () => {
    const made = planFor(files({ max_connections: 200, max_wal_senders: 5 }));
    expect(made.steps).toEqual([]);
    expect(made.refusals).toMatchObject([
      {
        code: "E_CHANGE_TOO_WIDE",
        message: expect.stringMatching(/max_connections goes up.*max_wal_senders goes down/),
      },
    ]);
  });

  test("less on the standby than on the primary is refused", () => {
    const made = planFor(files({ max_connections: 200 }), files({ max_connections: 150 }));
    expect(made.refusals).toMatchObject([
      {
        code: "E_STANDBY_PARAM",
        message: expect.stringContaining("max_connections = 150, less than the primary's 200"),
      },
    ]);
  });
});

describe("notices", () => {
  test("ALTER SYSTEM, unusable lines and an old supervisor are told", () => {
    const a = withSql(primary, { alterSystem: { work_mem: "1GB" }, configErrors: ["pg_hba.conf:3: bad"] });
    const b = withReport(standby, () => ({ agent: { running: "1", installed: "2" } }));
    const { notices, steps } = plan(observed({ a, b }), desired("strict"));
    expect(notices.map(({ code }) => code)).toEqual(["N_CONFIG_ERROR", "N_ALTER_SYSTEM", "N_AGENT_OLD"]);
    expect(steps).toEqual([]);
  });
});

describe("reading a rendered file", () => {
  test("quotes, case, comments and includes", () => {
    const text =
      "# head\nWork_Mem = '4MB'\nsearch_path = '''a'', b'   # why\ninclude_if_exists '/x'\n\nnonsense\n";
    expect(readConf(text)).toEqual({ work_mem: "4MB", search_path: "''a'', b" });
  });

  test("names that only one side has", () => {
    expect(changedSettings({ a: "1", b: "2" }, { b: "2", c: "3" })).toEqual(["a", "c"]);
  });
});
