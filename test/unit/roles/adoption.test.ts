import { describe, expect, test } from "vitest";
import type { Desired } from "../../../components/roles/desired.ts";
import type { AdoptionFacts, DataFacts, NodeFacts } from "../../../components/roles/facts.ts";
import { unfitForAdoption } from "../../../components/roles/plan/adoption.ts";
import type { Moment } from "../../../components/roles/plan/fleet.ts";
import { plan } from "../../../components/roles/plan/plan.ts";
import { control, desired, files, nodeIn, observed } from "../../support/facts.ts";
import { withReport } from "../../support/modify.ts";
import { short } from "../../support/shortPlan.ts";

const directory = "/var/lib/postgresql/17/main";
const fit: AdoptionFacts = {
  directory,
  taken: false,
  obstacle: null,
  elsewhere: null,
  otherServer: null,
  autoConf: [],
  tablespaces: [],
  walDirectory: null,
  recoverySignal: false,
  preparedTransactions: 0,
  ranWith: { max_connections: 100 },
  access: null,
  roles: {},
};

/** The first node adopts; what it is to run with. */
function adopting(settings: Readonly<Record<string, string | number>> = {}): Desired {
  const wish = desired("strict");
  const nodes = wish.nodes.map((node) =>
    node.name === "a" ? { ...node, adopt: directory, files: files(settings) } : node,
  );
  return { ...wish, nodes };
}

interface Found {
  readonly adopted?: Partial<AdoptionFacts>;
  readonly data?: Partial<DataFacts>;
  readonly generation?: string | null;
}

/** Stopped by the installation, and not started by the agent. */
function first({ adopted = {}, data = {}, generation = null }: Found): NodeFacts {
  return withReport(nodeIn("stopped-clean", "a", ["b"], "primary"), (report) => ({
    generation,
    data: { ...report.data, ...data, adopted: { ...fit, ...adopted } },
  }));
}

const second = nodeIn("empty", "b", ["a"], "standby");

function planFor(found: Found, wish = adopting(), moment: Moment = "preview") {
  return plan(observed({ a: first(found), b: second }), wish, moment);
}

test("one that is fit is started as the primary that it is, and its standby is copied from it", () => {
  const made = planFor({});
  expect(short(made)).toBe("start(a) | clone(b) start(b) await(b)");
  expect(made.notices.map(({ code, message }) => `${code} ${message}`)).toEqual([
    expect.stringMatching(`N_ADOPT a takes over ${directory} in place`),
    expect.stringMatching("N_CATALOG_UNSEEN"),
  ]);
});

describe("what is against it is named, with what to do", () => {
  const rows: readonly (readonly [string, Found, string, string])[] = [
    [
      "an owned setting that ALTER SYSTEM set",
      { adopted: { autoConf: ["primary_conninfo"] } },
      "E_AUTO_CONF",
      "sets primary_conninfo and .*ALTER SYSTEM RESET primary_conninfo",
    ],
    [
      "a setting that we state, and one that we do not",
      { adopted: { autoConf: ["max_connections", "log_statement"] } },
      "E_AUTO_CONF",
      "sets max_connections and",
    ],
    [
      "a tablespace",
      { adopted: { tablespaces: ["/disk2/ts"] } },
      "E_TABLESPACE",
      "/disk2/ts.*SET TABLESPACE pg_default",
    ],
    [
      "a parent that cannot be written to",
      { adopted: { obstacle: "/data is not writable for the account of the node" } },
      "E_ADOPT_PLACE",
      "/data is not writable",
    ],
    [
      "data in the usual place already",
      { adopted: { elsewhere: "/var/lib/understudy/pgdata" } },
      "E_ADOPT_PLACE",
      "has its data in /var/lib/understudy/pgdata.*leave it out",
    ],
    ["its old server", { adopted: { otherServer: 812 } }, "E_ADOPT_RUNNING", "process 812.*disable its unit"],
    ["another path", { data: { control: null } }, "E_ADOPT_EMPTY", "PG_VERSION"],
    ["a standby", { data: { standbySignal: true } }, "E_ADOPT_STANDBY", "is a standby's"],
    [
      "a stopped standby",
      { data: { control: control("shut down in recovery") } },
      "E_ADOPT_STANDBY",
      "is a standby's",
    ],
    ["a recovery", { adopted: { recoverySignal: true } }, "E_ADOPT_STANDBY", "in the middle of a recovery"],
    [
      "prepared transactions",
      { adopted: { preparedTransactions: 2 } },
      "E_PREPARED",
      "has 2 prepared transactions, and max_prepared_transactions is 0",
    ],
    [
      "a superuser of another name",
      { adopted: { access: 'role "postgres" does not exist' } },
      "E_NO_SUPERUSER",
      'role "postgres" does not exist. .*CREATE ROLE postgres SUPERUSER LOGIN',
    ],
    [
      "a role with the name of one of ours",
      { adopted: { roles: { replicator: "has SUPERUSER" } } },
      "E_ROLE_TAKEN",
      'it has SUPERUSER. .*ALTER ROLE "replicator" RENAME',
    ],
    [
      "another major version",
      { data: { control: control("shut down", { majorVersion: 16 }) } },
      "E_PG_VERSION",
      "16",
    ],
  ];

  test.each(rows)("%s", (_, found, code, message) => {
    const { refusals, steps } = planFor(found);
    const named = refusals.filter((refusal) => refusal.code === code);
    expect(named).toMatchObject([{ message: expect.stringMatching(new RegExp(message)) }]);
    expect(steps).toEqual([]);
  });

  test("everything together", () => {
    const adopted = { autoConf: ["ssl"], tablespaces: ["/x"], roles: { rewinder: "lacks LOGIN" } };
    expect(planFor({ adopted }).refusals.map(({ code }) => code)).toEqual([
      "E_TABLESPACE",
      "E_AUTO_CONF",
      "E_ROLE_TAKEN",
    ]);
  });
});

describe("what is not against it", () => {
  test("settings of ALTER SYSTEM that nobody else states", () => {
    expect(planFor({ adopted: { autoConf: ["log_statement"] } }).refusals).toEqual([]);
  });

  test("prepared transactions that the settings have room for", () => {
    const wish = adopting({ max_prepared_transactions: 2 });
    expect(planFor({ adopted: { preparedTransactions: 2 } }, wish).refusals).toEqual([]);
  });

  test("less of a shared setting and WAL elsewhere are named", () => {
    const adopted = { ranWith: { max_connections: 300, max_worker_processes: 16 }, walDirectory: "/wal" };
    const notices = planFor({ adopted }).notices.map(({ code, message }) => `${code} ${message}`);
    expect(notices.slice(1, 3)).toEqual([
      expect.stringContaining(
        "N_ADOPT_LOWERED a ran with max_connections = 300, and gets 100; max_worker_processes = 16, and gets 8.",
      ),
      expect.stringContaining("N_WAL_ELSEWHERE The WAL of a is in /wal"),
    ]);
  });
});

describe("once it is ours", () => {
  const ours = { generation: "g1" };

  test("it is a node's like any other", () => {
    const adopted = { taken: true, autoConf: ["max_connections"], tablespaces: ["/x"] };
    const made = planFor({ ...ours, adopted });
    expect(made.refusals).toEqual([]);
    expect(made.notices.map(({ code }) => code)).toEqual(["N_CATALOG_UNSEEN"]);
  });

  test("data elsewhere and a second server are still refused", () => {
    const adopted = { taken: true, elsewhere: "/old", otherServer: 7 };
    const codes = planFor({ ...ours, adopted }).refusals.map(({ code }) => code);
    expect(codes).toEqual(["E_ADOPT_PLACE", "E_ADOPT_RUNNING"]);
  });

  test("a first takeover that was cut off goes on, also where it is a standby by now", () => {
    const made = planFor({ adopted: { taken: true }, data: { standbySignal: true, follows: "b" } });
    expect(made.refusals.map(({ code }) => code)).not.toContain("E_ADOPT_STANDBY");
  });
});

describe("where nothing is", () => {
  const nothing = (moment: Moment, a: NodeFacts = nodeIn("empty", "a", ["b"], "primary")) =>
    plan(observed({ a, b: second }), adopting(), moment);

  test.each(["preview", "apply"] as const)("a new database does not take its place (%s)", (moment) => {
    expect(nothing(moment).refusals).toMatchObject([
      { code: "E_ADOPT_EMPTY", message: expect.stringContaining(`a is to adopt ${directory}`) },
    ]);
  });

  test("before the agent is on the machine nobody has looked", () => {
    const made = nothing("preview", { reach: "absent", data: "none" });
    expect(made.refusals).toEqual([]);
    expect(short(made)).toBe("| clone(b) start(b) await(b)");
    expect(made.notices[0]).toMatchObject({
      code: "N_ADOPT",
      message: expect.stringContaining("looked into when the agent is there"),
    });
  });

  test("what its machine says of it is judged, and what its clients notice is told", () => {
    const foreseen = (found: Partial<AdoptionFacts>): NodeFacts => ({
      reach: "absent",
      data: "none",
      adoption: {
        found: { ...fit, otherServer: 812, ...found },
        data: { state: "ready", control: { state: "in production" }, standbySignal: false },
        settings: ["TimeZone", "max_connections", "port", "shared_preload_libraries"],
        sizeBytes: 3 * 2 ** 30,
      },
    });
    const unfit = nothing("preview", foreseen({ tablespaces: ["/x"], roles: { verifier: "lacks LOGIN" } }));
    expect(unfit.refusals.map(({ code }) => code)).toEqual(["E_TABLESPACE", "E_ROLE_TAKEN"]);
    const shut = nothing("preview", foreseen({ access: "fe_sendauth: no password supplied" }));
    expect(shut.refusals).toMatchObject([
      { code: "E_ADOPT_ACCESS", message: expect.stringContaining("no password supplied") },
    ]);
    const { refusals, notices } = nothing("preview", foreseen({}));
    expect(refusals).toEqual([]);
    expect(notices.slice(0, 2).map(({ code, message }) => `${code} ${message}`)).toEqual([
      expect.stringMatching(
        /^N_ADOPT a takes over .* this update stops the server .* for some seconds.* a marker says so/,
      ),
      expect.stringMatching(
        /^N_ADOPT_SETTINGS The old configuration of a sets TimeZone, .*shared_preload_libraries/,
      ),
    ]);
    expect(notices[1]?.message).not.toMatch(/\bport\b/);
  });

  test("a node that was lost is made anew from the one that leads", () => {
    const nodes = { a: nodeIn("empty", "a", ["b"], "standby"), b: nodeIn("primary", "b", [], "primary") };
    expect(short(plan(observed(nodes), { ...adopting(), active: "b" }))).toContain("clone(a)");
  });
});

test("the old server may run while it is looked into beforehand", () => {
  const [wish] = adopting().nodes;
  if (!wish) throw new Error("no wish");
  const data = { ...nodeData(first({})), control: control("in production") };
  expect(unfitForAdoption({ ...fit, otherServer: 812 }, wish, data)).toEqual([]);
  expect(unfitForAdoption({ ...fit, tablespaces: ["/x"] }, wish, data)).toMatchObject([
    { code: "E_TABLESPACE" },
  ]);
});

function nodeData(facts: NodeFacts): DataFacts {
  if (facts.reach !== "up") throw new Error("not up");
  return facts.report.data;
}
