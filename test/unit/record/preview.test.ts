import { describe, expect, test } from "vitest";
import { desiredState } from "../../../components/desiredState.ts";
import { marksAfter, presenceBy } from "../../../components/hosts/containers/engines.ts";
import type { Presence } from "../../../components/hosts/containers/presence.ts";
import type { Outlook } from "../../../components/outlook.ts";
import { pairRecord } from "../../../components/record/pairRecord.ts";
import * as preview from "../../../components/record/preview.ts";
import { type RecordOutputs, readRecord, recordOf, textOf } from "../../../components/record/record.ts";
import { foresee } from "../../../components/roles/converge.ts";
import type { Desired, SshRoute } from "../../../components/roles/desired.ts";
import type { NodeFacts, Observed } from "../../../components/roles/facts.ts";
import type { Deployment } from "../../../components/spec/model.ts";
import { parse } from "../../../components/spec/parse.ts";
import { nodeIn, observed } from "../../support/facts.ts";
import { withFiles, withReport, withSql } from "../../support/modify.ts";

const { age, previewFromRecord } = preview;
type Sight = preview.Sight<Desired, Outlook>;
const kind = pairRecord;
const isNobodyReached = (found: Omit<Sight, "desired" | "fromRecord">) =>
  preview.isNobodyReached(kind, found);

const now = new Date("2026-01-02T03:00:00Z");
const left = "2026-01-01T00:00:00.000Z";

function deploymentOf(active = "site-a", database: object = {}): Deployment {
  const parsed = parse({
    stack: "demo",
    active,
    deployment: {
      domain: "ha.example.test",
      database: { kind: "streaming", databases: {}, roles: {}, ...database },
      sites: { "site-a": { target: "containers" }, "site-b": { target: "containers" } },
    },
  });
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
  return parsed.deployment;
}

const wishFor = (deployment: Deployment, routes: Readonly<Record<string, SshRoute>> = {}) =>
  desiredState(deployment, { "site-a": "{}\n", "site-b": "{}\n" }, routes);

const there: Presence = {
  reachable: true,
  containers: { "demo-site-a": "m1", "demo-site-b": "m1", "demo-dns": "m2" },
  networks: { demo: "m1" },
  fresh: "m9",
};
const gone: Presence = { reachable: false, containers: {}, networks: {}, fresh: "m9" };

/** A pair that is as it should be, with the files of its wish. */
function healthy(deployment: Deployment): Observed {
  const wish = wishFor(deployment);
  const nodes = wish.nodes.map(({ name, files }): [string, NodeFacts] => {
    const leads = name === deployment.active;
    const facts = nodeIn(
      leads ? "primary" : "standby-streaming",
      name,
      [leads ? "site-b" : "site-a"],
      leads ? "primary" : "standby",
    );
    const withAll = withFiles(facts, { installed: files, loaded: files, started: files });
    if (withAll.reach !== "up") throw new Error("it is up");
    return [name, { reach: "up", report: { ...withAll.report, generation: left } }];
  });
  return observed(Object.fromEntries(nodes));
}

function outputsOf(deployment: Deployment, found = healthy(deployment), presence = there): RecordOutputs {
  const wish = wishFor(deployment);
  return {
    facts: textOf(recordOf(kind, { deployment, desired: wish, observed: found, presence: { "": presence } })),
    wish: JSON.stringify({ ...wish, machines: [] }),
  };
}

const silent: NodeFacts = { reach: "unreachable", reason: "site-a: nobody listens" };

function lookedInVain(deployment: Deployment): Sight {
  const desired = wishFor(deployment);
  const nobody = observed({ "site-a": silent, "site-b": { reach: "unreachable", reason: "no route" } });
  return {
    outlook: { ...foresee(nobody, desired), silentMachines: [] },
    presence: { "": gone },
    ...{ routes: {}, desired, fromRecord: false },
  };
}

function previewOf(deployment: Deployment, outputs: RecordOutputs): Sight {
  const found = lookedInVain(deployment);
  const desiredWith = (routes: Readonly<Record<string, SshRoute>>) => wishFor(deployment, routes);
  return previewFromRecord({ kind, deployment, found, desiredWith, outputs, now });
}

const before = deploymentOf();

describe("nobody is reached", () => {
  const nothing = lookedInVain(before);
  const route = { host: "h", port: 22, user: "op", hostKeys: [] };

  test("where no node, no engine and no machine answers", () => {
    expect(isNobodyReached(nothing)).toBe(true);
    const silentMachines = ["site-a"];
    const machines = { ...nothing, presence: {}, routes: { "site-a": route } };
    expect(isNobodyReached({ ...machines, outlook: { ...nothing.outlook, silentMachines } })).toBe(true);
  });

  test("not where one node, one engine or one machine does", () => {
    const { outlook } = nothing;
    for (const facts of [
      { reach: "absent", data: "none" },
      { reach: "stopped", reason: "exit 1" },
    ] as const) {
      const nodes = { ...outlook.observed.nodes, "site-b": facts };
      const seen = { ...outlook, observed: { ...outlook.observed, nodes } };
      expect(isNobodyReached({ ...nothing, outlook: seen })).toBe(false);
    }
    expect(isNobodyReached({ ...nothing, presence: { "": gone, "site-b": there } })).toBe(false);
    expect(isNobodyReached({ ...nothing, routes: { "site-a": route } })).toBe(false);
  });
});

describe("a preview from the record", () => {
  test("of an unchanged deployment has nothing to do, the generation of the record and its marks", () => {
    const { outlook, presence, fromRecord } = previewOf(before, outputsOf(before));
    expect(outlook).toMatchObject({ steps: [], refusals: [], generation: left, silentMachines: [] });
    expect(presence[""]).toMatchObject({
      ...{ reachable: true, containers: there.containers, networks: there.networks },
    });
    expect(fromRecord).toBe(true);
  });

  test("says at its top that nobody was reached and why, and how old the facts are", () => {
    const lines = previewOf(before, outputsOf(before)).outlook.text.split("\n");
    expect(lines.slice(0, 5)).toEqual([
      `NOBODY WAS REACHED from this machine. This preview is planned from the facts that the last update left at ${left} (27 hours ago).`,
      "How things are now was not seen; `pulumi up` looks, plans anew, and refuses where it reaches nobody.",
      "  site-a: nobody listens",
      "  site-b: no route",
      "",
    ]);
  });

  test("shows a changed setting line by line, and its steps, with a generation that makes the role change run", () => {
    const after = deploymentOf("site-a", { settings: { work_mem: "8MB" } });
    const { outlook } = previewOf(after, outputsOf(before));
    expect(outlook.text).toContain("+ work_mem = '8MB'");
    expect(outlook.steps.map(({ kind, node }) => `${kind} ${node}`)).toEqual([
      "reload site-b",
      "reload site-a",
    ]);
    expect(outlook.generation).toBe(now.toISOString());
  });

  test("shows a switchover", () => {
    const { outlook } = previewOf(deploymentOf("site-b"), outputsOf(before));
    expect(outlook.refusals).toEqual([]);
    expect(outlook.steps.map(({ kind }) => kind)).toContain("promote");
  });

  test("fails for what the facts speak against, as an update would", () => {
    const { nodes } = healthy(before);
    const { "site-b": standby } = nodes;
    if (standby?.reach !== "up") throw new Error("it is up");
    const other = withSql(
      withReport(standby, ({ data }) => ({
        data: { ...data, control: data.control && { ...data.control, systemIdentifier: "1" } },
      })),
      { systemIdentifier: "1" },
    );
    const found = observed({ ...nodes, "site-b": other });
    const { outlook } = previewOf(before, outputsOf(before, found));
    expect(outlook.refusals.map(({ code }) => code)).toContain("E_SYSID_MISMATCH");
  });

  test("does not fail for who did not answer then, and says so", () => {
    const found = observed({ ...healthy(before).nodes, "site-b": { reach: "unreachable", reason: "cut" } });
    const { outlook } = previewOf(before, outputsOf(before, found));
    expect(outlook.refusals).toEqual([]);
    expect(outlook.text).toContain("E_NODE_UNREACHABLE");
    expect(outlook.generation).toBe(now.toISOString());
  });

  test("without any update before is that of a first deployment", () => {
    const { outlook, presence } = previewOf(before, {});
    expect(outlook.refusals).toEqual([]);
    expect(outlook.steps[0]).toEqual({ kind: "initdb", node: "site-a" });
    expect(outlook.text).toContain("no update has left facts");
    expect(presence[""]).toMatchObject({ reachable: true, containers: {} });
  });

  test("refuses where an update left something else: an existing database must not look like a new one", () => {
    const { wish } = outputsOf(before);
    for (const facts of [undefined, "{}", "no JSON", '{"format":2}']) {
      const { outlook, fromRecord } = previewOf(before, { wish, facts });
      expect(outlook.refusals.map(({ code }) => code)).toContain("E_NODE_UNREACHABLE");
      expect(outlook.text).toContain("left no facts that this version could plan from");
      expect(fromRecord).toBe(false);
    }
  });

  test("leaves the record as it is", () => {
    const outputs = outputsOf(before);
    const { outlook, desired, presence } = previewOf(before, outputs);
    const { observed } = outlook;
    expect(textOf(recordOf(kind, { deployment: before, desired, observed, presence }))).toBe(outputs.facts);
  });
});

describe("the marks of an engine", () => {
  test("are the found ones, and for what is made now the new one", () => {
    const { containers } = there;
    const missing = {
      ...there,
      containers: { "demo-site-a": containers["demo-site-a"] ?? "" },
      networks: {},
    };
    expect(marksAfter(before, { "": missing })).toEqual({
      "": {
        containers: { "demo-site-a": "m1", "demo-site-b": "m9", "demo-dns": "m9" },
        networks: { demo: "m9" },
      },
    });
  });

  test("of one that did not answer are unknown: it is left as it was again", () => {
    const marks = marksAfter(before, { "": gone });
    expect(marks).toEqual({ "": null });
    expect(presenceBy(before, marks, now)[""]?.reachable).toBe(false);
  });

  test("of one that the record does not know: it is new, and empty", () => {
    expect(presenceBy(before, {}, now)[""]).toEqual({
      ...{ reachable: true, containers: {}, networks: {}, fresh: now.toISOString() },
    });
  });
});

test("the record is read only with the wish that it was written with", () => {
  const outputs = outputsOf(before);
  expect(readRecord(kind, { facts: outputs.facts })).toBe("never");
  expect(readRecord(kind, outputs)).toMatchObject({ record: { at: left }, wish: { active: "site-a" } });
});

describe("an age in words", () => {
  const cases = [
    ["2026-01-02T02:59:30Z", "0 minutes ago"],
    ["2026-01-02T02:59:00Z", "1 minute ago"],
    ["2026-01-02T01:01:00Z", "119 minutes ago"],
    ["2026-01-02T01:00:00Z", "2 hours ago"],
    ["2025-12-31T03:00:01Z", "47 hours ago"],
    ["2025-12-31T03:00:00Z", "2 days ago"],
  ] as const;
  for (const [at, words] of cases) test(words, () => expect(age(at, now)).toBe(words));
});
