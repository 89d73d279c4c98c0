/** A preview of regions that reaches nobody, from what the last update left. */
import { describe, expect, test } from "vitest";
import type { Presence } from "../../../components/hosts/containers/presence.ts";
import {
  isNobodyReached,
  previewFromRecord,
  type RecordPreviewArgs,
  type Sight,
} from "../../../components/record/preview.ts";
import { type RecordOutputs, recordOf, textOf } from "../../../components/record/record.ts";
import type { RecordedHosts } from "../../../components/record/regionFacts.ts";
import { regionsRecord } from "../../../components/record/regionsRecord.ts";
import { foreseeRegions } from "../../../components/regions/converge.ts";
import type { RegionsDesired } from "../../../components/regions/desired.ts";
import type { HostFacts, RegionsObserved } from "../../../components/regions/facts.ts";
import { describe as inWords } from "../../../components/regions/plan/consequences.ts";
import { certificateNotes } from "../../../components/regions/render/certificates.ts";
import { allHosts } from "../../../components/regions/wish.ts";
import { regionsDesired } from "../../../components/regionsDesired.ts";
import type { RegionsOutlook } from "../../../components/regionsOutlook.ts";
import type { SshRoute } from "../../../components/roles/desired.ts";
import type { RegionalDeployment } from "../../../components/spec/regionalModel.ts";
import { observe } from "../regions/plan/observed.ts";
import { withFacts, withReport } from "../regions/plan/short.ts";
import { World } from "../regions/plan/world.ts";
import { twoRegions, type Variation } from "../regions/render/sample.ts";
import { accepted } from "../spec/regional/configuration.ts";
import { onMachines } from "../spec/regional/onMachines.ts";

type RegionsSight = Sight<RegionsDesired, RegionsOutlook>;
type Routes = Readonly<Record<string, SshRoute>>;

const kind = regionsRecord;
const now = new Date("2026-01-02T03:00:00Z");
const left = "2025-12-31T23:59:59.000Z";

const wishFor = (deployment: RegionalDeployment, routes: Routes = {}) =>
  regionsDesired(deployment, certificateNotes(deployment, 0), routes);

/** Regions that are as they should be, after an update. */
function healthy(deployment: RegionalDeployment, routes: Routes = {}): RegionsObserved {
  const found = observe(World.healthy(wishFor(deployment, routes)));
  return Object.keys(found.hosts).reduce(
    (seen, name) => withReport(seen, name, () => ({ generation: left })),
    found,
  );
}

/** Nothing is declared in the database, as nothing is in the simulated one. */
const empty = { databases: {}, roles: {} };
const deploymentOf = ({ database = {}, ...vary }: Variation = {}) =>
  twoRegions({ ...vary, database: { ...empty, ...database } });
const before = deploymentOf();
const containers = Object.fromEntries(
  [...allHosts(wishFor(before)).map(({ name }) => name), "dns"].map((name) => [`demo-${name}`, "m1"]),
);
const there: Presence = { reachable: true, containers, networks: { demo: "m1" }, fresh: "m9" };
const gone: Presence = { reachable: false, containers: {}, networks: {}, fresh: "m9" };

function outputsOf(deployment: RegionalDeployment, observed = healthy(deployment)): RecordOutputs {
  const desired = wishFor(deployment);
  return {
    facts: textOf(recordOf(kind, { deployment, desired, observed, presence: { "": there } })),
    wish: JSON.stringify({ ...desired, machines: [] }),
  };
}

function lookedInVain(deployment: RegionalDeployment, routes: Routes = {}): RegionsSight {
  const desired = wishFor(deployment, routes);
  const silent: HostFacts = { reach: "unreachable", reason: "nobody listens at 127.0.0.1:9" };
  const hosts = Object.fromEntries(allHosts(desired).map(({ name }) => [name, silent]));
  const observed = { at: now.toISOString(), until: now.toISOString(), hosts };
  return {
    outlook: { ...foreseeRegions(observed, desired), silentMachines: Object.keys(routes) },
    presence: Object.keys(routes).length > 0 ? {} : { "": gone },
    ...{ routes, desired, fromRecord: false },
  };
}

function previewOf(
  deployment: RegionalDeployment,
  outputs: RecordOutputs,
  routes: Routes = {},
): RegionsSight {
  const args: RecordPreviewArgs<RegionsDesired, RecordedHosts, RegionsOutlook> = {
    ...{ kind, deployment, outputs, now },
    found: lookedInVain(deployment, routes),
    desiredWith: (ways) => wishFor(deployment, ways),
  };
  return previewFromRecord(args);
}

const steps = ({ outlook }: RegionsSight) => outlook.steps.map(inWords);

describe("nobody is reached", () => {
  test("where no host and no engine answers", () => {
    expect(isNobodyReached(kind, lookedInVain(before))).toBe(true);
  });

  test("not where a single host or engine does: who is down then is a fact", () => {
    const nothing = lookedInVain(before);
    const { outlook } = nothing;
    for (const facts of [
      { reach: "absent", data: "none" },
      { reach: "stopped", reason: "exit 1", report: null },
    ] as const) {
      const observed = withFacts(outlook.observed, "region-b-proxy", facts);
      expect(isNobodyReached(kind, { ...nothing, outlook: { ...outlook, observed } })).toBe(false);
    }
    expect(isNobodyReached(kind, { ...nothing, presence: { "": there } })).toBe(false);
  });
});

describe("a preview of regions from the record", () => {
  test("of an unchanged deployment has nothing to do, the generation of the record and its marks", () => {
    const { outlook, presence, fromRecord } = previewOf(before, outputsOf(before));
    expect(outlook).toMatchObject({ steps: [], refusals: [], generation: left, silentMachines: [] });
    expect(presence[""]).toMatchObject({ reachable: true, containers, networks: there.networks });
    expect(fromRecord).toBe(true);
  });

  test("says that nobody was reached, how old the facts are, what they cannot tell, and that an update looks", () => {
    const lines = previewOf(before, outputsOf(before)).outlook.text.split("\n");
    expect(lines[0]).toContain(`the last update left at ${left} (27 hours ago)`);
    expect(lines[1]).toContain("`pulumi up` looks, plans anew");
    expect(lines[2]).toMatch(/^Patroni changes by itself who leads .* whether another update runs/);
    expect(lines.slice(3, 6)).toEqual([
      "  all 14 hosts: nobody listens at 127.0.0.1:9",
      "",
      expect.stringContaining("Nothing to do; region-a is active."),
    ]);
  });

  test("shows a change of the active region", () => {
    const seen = previewOf(deploymentOf({ active: "region-b" }), outputsOf(before));
    expect(seen.outlook.refusals).toEqual([]);
    expect(steps(seen)).toEqual(
      expect.arrayContaining([
        expect.stringContaining("make region-a a standby cluster of region-b"),
        expect.stringContaining("promote region-b"),
      ]),
    );
    expect(seen.outlook.generation).toBe(now.toISOString());
  });

  test("shows a setting that needs restarts: which, in which order, and who takes over", () => {
    const after = deploymentOf({ database: { settings: { max_connections: 150 } } });
    const { text, refusals } = previewOf(after, outputsOf(before)).outlook;
    expect(refusals).toEqual([]);
    expect(text).toMatch(
      /max_connections: 100 → 150[\s\S]*restart PostgreSQL on region-b-[\s\S]*restart PostgreSQL on region-a-[\s\S]*switch over from region-a-1/,
    );
    expect(text).not.toContain("restart PostgreSQL on region-a-1");
  });

  test("shows what a changed file reads like, and who reloads it", () => {
    const after = deploymentOf({ database: { timing: "wan" } });
    const { text } = previewOf(after, outputsOf(before)).outlook;
    expect(text).toMatch(/region-b-proxy: haproxy[\s\S]*\n\s+- .* inter 1000ms.*\n\s+\+ .* inter 2000ms/);
    expect(text).toContain("reload HAProxy on region-b-proxy");
  });

  test("shows a member that is new, whose container no engine has yet", () => {
    const members = ["1", "2", "3", "4"].map((n) => [`region-a-${n}`, {}]);
    const after = deploymentOf({ regionA: { members: Object.fromEntries(members) } });
    const seen = previewOf(after, outputsOf(before));
    expect(seen.outlook.refusals).toEqual([]);
    expect(steps(seen)).toContain("wait until region-a-4 runs in its cluster");
    expect(seen.presence[""]?.containers).not.toHaveProperty("demo-region-a-4");
  });

  test("fails for what the facts speak against, as an update would", () => {
    const found = withReport(healthy(before), "region-b-2", ({ patroni, data }) => ({
      patroni: patroni && { ...patroni, systemIdentifier: "1" },
      data,
    }));
    const { refusals } = previewOf(before, outputsOf(before, found)).outlook;
    expect(refusals.map(({ code }) => code)).toContain("E_SYSID_MISMATCH");
  });

  test("does not fail for who did not answer then, and says so", () => {
    const found = withFacts(healthy(before), "region-b-proxy", { reach: "unreachable", reason: "cut" });
    const { outlook } = previewOf(before, outputsOf(before, found));
    expect(outlook.refusals).toEqual([]);
    expect(outlook.text).toContain("E_NODE_UNREACHABLE");
  });

  test("without any update before is that of a first deployment", () => {
    const seen = previewOf(before, {});
    expect(seen.outlook.refusals).toEqual([]);
    expect(steps(seen).join("\n")).toMatch(/wait until somebody leads beside region-a-1, as primary/);
    expect(seen.outlook.text).toContain("no update has left facts");
    expect(seen.outlook.text).not.toContain("Patroni changes by itself");
  });

  test("refuses where an update left none, or those of another kind of deployment", () => {
    const { wish } = outputsOf(before);
    const ofPair = JSON.stringify({ format: 1, at: left, marks: {}, nodes: {} });
    for (const facts of [undefined, "{}", ofPair, '{"format":2,"hosts":{}}']) {
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
    const again = textOf(recordOf(kind, { deployment: before, desired, observed, presence }));
    expect(again).toBe(outputs.facts);
    expect(Buffer.byteLength(again)).toBeLessThan(20_000);
  });
});

test("machines are reached as they were at the last update, which is no change", () => {
  const deployment = accepted({ ...onMachines({ database: empty }), stack: "demo" });
  const way = (keys: readonly string[]): Routes =>
    Object.fromEntries(
      deployment.regions
        .flatMap(({ servers, members, proxies }) => [...servers, ...members, ...proxies])
        .map(({ name, address }) => [name, { host: address, port: 22, user: "root", hostKeys: keys }]),
    );
  const [known, unknown] = [way(["ssh-ed25519 AAAAC3"]), way([])];
  const desired = wishFor(deployment, known);
  const observed = healthy(deployment, known);
  const machines = Object.entries(known).map(([host, route]) => ({ host, route }));
  const outputs = {
    facts: textOf(recordOf(kind, { deployment, desired, observed, presence: {} })),
    wish: JSON.stringify({ ...desired, machines }),
  };
  const vain = lookedInVain(deployment, unknown);
  expect(isNobodyReached(kind, vain)).toBe(true);
  const { routes, outlook } = previewOf(deployment, outputs, unknown);
  expect(routes).toEqual(known);
  expect(outlook).toMatchObject({ steps: [], refusals: [], generation: left });
});

describe("after an update the hosts are looked at until", () => {
  const desired = wishFor(before);
  const found = healthy(before);
  const isAtRest = (seen: RegionsObserved) => kind.isAtRest(seen, found, desired);

  test("they show what the update has made", () => {
    expect(isAtRest(found)).toBe(true);
  });

  test("all answer, and tell everything", () => {
    expect(isAtRest(withFacts(found, "region-a-2", { reach: "unreachable", reason: "busy" }))).toBe(false);
    expect(isAtRest(withReport(found, "region-a-2", () => ({ patroni: null })))).toBe(false);
  });
});
