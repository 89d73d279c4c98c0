import { describe, expect, test } from "vitest";
import { assessRegions } from "../../../components/regions/assess.ts";
import type {
  PatroniFacts,
  ProgramFacts,
  SnapshotFacts,
  UnitReport,
} from "../../../components/regions/facts.ts";
import { renderRegionsStatus } from "../../../components/regions/renderStatus.ts";
import { allHosts } from "../../../components/regions/wish.ts";
import type { NameAnswer } from "../../../components/roles/findings.ts";
import { UnitFakes } from "../../support/unitFakes.ts";

const right: NameAnswer = { name: "db.demo.test", addresses: ["10.9.1.20"], error: null };

function judge(fakes: UnitFakes, names = [right]): readonly [string, ...string[]] {
  const { verdict, findings } = assessRegions(fakes.observed(), fakes.desired, names);
  return [verdict, ...findings.map(({ code }) => code)];
}

function messages(fakes: UnitFakes): string {
  const { findings } = assessRegions(fakes.observed(), fakes.desired, [right]);
  return findings.map(({ message }) => message).join("\n");
}

/** One host's report, changed. */
function having(host: string, change: (report: UnitReport) => Partial<UnitReport>): UnitFakes {
  const fakes = new UnitFakes();
  const found = allHosts(fakes.desired).find(({ name }) => name === host);
  if (!found) throw new Error(`no host ${host}`);
  fakes.reports[host] = change(fakes.report(found));
  return fakes;
}

function patroniOf(host: string, change: (patroni: PatroniFacts) => Partial<PatroniFacts>): UnitFakes {
  return having(host, ({ patroni }) => {
    if (!patroni) throw new Error(`${host} has no Patroni`);
    return { patroni: { ...patroni, ...change(patroni) } };
  });
}

const certified = (host: string, notAfter: string) =>
  having(host, () => ({ certificate: { notAfter, sans: [host] } }));

const program = (state: ProgramFacts["state"], reason: string | null = null): ProgramFacts => ({
  ...{ state, reason, restarts: 2, loaded: {}, installed: {} },
});

function snapshots(facts: Partial<SnapshotFacts>): UnitFakes {
  const none = { everyHours: 24, held: 0, newestAt: null, failure: null };
  return having("a-consul-1", () => ({ snapshots: { ...none, ...facts } }));
}

test("the age of the last snapshot is shown, and a new server may have none", () => {
  const fakes = snapshots({});
  expect(judge(fakes)).toEqual(["fine"]);
  const shown = (each: UnitFakes) =>
    renderRegionsStatus(assessRegions(each.observed(), each.desired, [right]));
  expect(shown(fakes)).toContain("running, no snapshot yet");
  const at = new Date(Date.parse(fakes.observed().at) - 5.5 * 3_600_000).toISOString();
  expect(shown(snapshots({ newestAt: at }))).toContain("running, snapshot 5 h old");
});

test("healthy regions are fine", () => {
  expect(judge(new UnitFakes())).toEqual(["fine"]);
});

describe("something is wrong", () => {
  test.each([
    [
      "Patroni is superseded",
      having("b-1", () => ({
        patroni: null,
        programs: { patroni: program("superseded", "a leads on timeline 2") },
      })),
      "W_SUPERSEDED",
    ],
    [
      "Patroni is held",
      having("b-1", () => ({ patroni: null, programs: { patroni: program("held") } })),
      "W_HELD",
    ],
    [
      "HAProxy ends again and again",
      having("a-proxy", () => ({ programs: { haproxy: program("backoff") } })),
      "W_PROGRAM",
    ],
    ["snapshots of Consul stay away", snapshots({ newestAt: "2025-01-01T00:00:00Z" }), "W_CONSUL_SNAPSHOT"],
    ["the first snapshot cannot be taken", snapshots({ failure: "no leader" }), "W_CONSUL_SNAPSHOT"],
    ["a Consul agent that does not answer", having("a-2", () => ({ consul: null })), "W_CONSUL"],
    [
      "no Consul leader",
      having("a-consul-1", ({ consul }) => ({ consul: consul && { ...consul, leader: null } })),
      "W_CONSUL",
    ],
    [
      "a token that nobody knows",
      having("a-2", ({ consul }) => ({ consul: consul && { ...consul, tokenValid: false } })),
      "W_CONSUL_TOKEN",
    ],
    [
      "an unhealthy Consul",
      having("a-consul-1", ({ consul }) => ({ consul: consul && { ...consul, healthy: false } })),
      "W_CONSUL_HEALTH",
    ],
    [
      "a host that gossip has lost",
      having("a-consul-1", ({ consul }) => ({
        consul: consul && { ...consul, members: [{ node: "a-2", status: "failed", server: false }] },
      })),
      "W_CONSUL_MEMBER",
    ],
    ["a Patroni that does not answer", having("a-2", () => ({ patroni: null })), "W_PATRONI"],
    [
      "a full disk",
      having("a-2", ({ data }) => ({ data: data && { ...data, freeBytes: 1e6 } })),
      "W_DISK_SPACE",
    ],
    ["no certificate that can be read", having("a-proxy", () => ({ certificate: null })), "W_CERTIFICATE"],
    ["a certificate of yesterday", certified("a-2", "2025-12-30T12:00:00Z"), "W_CERTIFICATE"],
    ["a certificate that ends tonight", certified("b-consul-1", "2026-01-01T12:00:00Z"), "W_CERTIFICATE"],
    ["nobody leads", patroniOf("a-1", () => ({ role: "replica" })), "W_LEADER"],
    ["Patroni is paused", patroniOf("a-1", () => ({ paused: true })), "W_PAUSED"],
    [
      "a replica that lags",
      patroniOf("a-1", ({ cluster }) => ({
        cluster: { ...cluster, members: cluster.members.map((each) => ({ ...each, lagBytes: 2 ** 30 })) },
      })),
      "W_LAG",
    ],
    [
      "no synchronous standby",
      patroniOf("a-1", ({ cluster }) => ({
        cluster: { ...cluster, members: cluster.members.map((each) => ({ ...each, syncStandby: false })) },
      })),
      "W_SYNC",
    ],
    ["a region far behind", patroniOf("b-1", ({ lsn }) => ({ lsn: { ...lsn, replayed: "0/0" } })), "W_LAG"],
    [
      "a region that does not stream",
      patroniOf("b-1", () => ({ source: { host: "10.9.1.1", streaming: false } })),
      "W_REGION_STREAM",
    ],
  ] as const)("%s", (_what, fakes, code) => {
    const [verdict, ...codes] = judge(fakes);
    expect(verdict).toBe("wrong");
    expect(codes).toContain(code);
  });

  test("standby_cluster was taken away by hand", () => {
    const fakes = new UnitFakes();
    fakes.region("b").standbyCluster = null;
    const [verdict, ...codes] = judge(fakes);
    expect(verdict).toBe("wrong");
    expect(codes).toContain("W_STANDBY_CLUSTER_MISSING");
  });

  test("the configuration in Consul is not as wished", () => {
    const fakes = new UnitFakes();
    const [region] = fakes.desired.regions;
    if (region) Object.assign(region, { dynamic: { ttl: 60 } });
    expect(judge(fakes)).toEqual(["wrong", expect.stringMatching(/^W_UPDATE_DUE$/)]);
  });

  test("a stopped host", () => {
    const fakes = new UnitFakes();
    fakes.away.set("a-2", { reach: "stopped", reason: "exit 137", report: null });
    expect(judge(fakes)[0]).toBe("wrong");
    expect(messages(fakes)).toContain("a-2 does not run: exit 137");
  });

  test("the name leads elsewhere", () => {
    expect(judge(new UnitFakes(), [{ ...right, addresses: ["10.9.2.20"] }])).toEqual(["wrong", "W_NAME"]);
    expect(judge(new UnitFakes(), [{ ...right, addresses: [] }])).toEqual(["wrong", "W_NAME"]);
  });
});

describe("it cannot be told", () => {
  test("a host that does not answer is told once", () => {
    const fakes = new UnitFakes();
    fakes.away.set("a-proxy", { reach: "unreachable", reason: "no answer within 20 s" });
    expect(judge(fakes)).toEqual(["unknown", "E_NODE_UNREACHABLE"]);
  });

  test("a name server that does not", () => {
    expect(judge(new UnitFakes(), [{ ...right, addresses: [], error: "ETIMEOUT" }])).toEqual([
      "unknown",
      "W_NAME",
    ]);
  });
});

test("notes do not make it wrong", () => {
  const { findings } = assessRegions(
    patroniOf("a-2", () => ({ pendingRestart: ["max_connections"] })).observed(),
    new UnitFakes().desired,
    [right],
  );
  expect(findings).toContainEqual(
    expect.objectContaining({
      severity: "note",
      code: "N_RESTART_PENDING",
      message: "a-2: max_connections waits for a restart",
    }),
  );
});

test("the table", () => {
  const fakes = new UnitFakes();
  fakes.away.set("b-2", { reach: "unreachable", reason: "no answer within 20 s" });
  expect(renderRegionsStatus(assessRegions(fakes.observed(), fakes.desired, [right]))).toMatchInlineSnapshot(`
    "REGION  HOST        ROLE            STATE                  TIMELINE  SYNC  LAG  CONSUL LED BY  CERTIFICATE UNTIL
    a *     a-consul-1  Consul leader   running                -         -     -    a-consul-1     2026-02-19 12:56
    a *     a-1         primary         running                1         -     -    a-consul-1     2026-02-19 12:56
    a *     a-2         replica         streaming              1         sync  0 B  a-consul-1     2026-02-19 12:56
    a *     a-proxy     proxy           running                -         -     -    -              2026-02-19 12:56
    b       b-consul-1  Consul leader   running                -         -     -    b-consul-1     2026-02-19 12:56
    b       b-1         standby_leader  running                1         -     -    b-consul-1     2026-02-19 12:56
    b       b-2         unreachable     no answer within 20 s  -         -     -    -              -
    b       b-proxy     proxy           running                -         -     -    -              2026-02-19 12:56
    * is to take writes

    db.demo.test → 10.9.1.20

    UNKNOWN E_NODE_UNREACHABLE  b-2 does not answer: no answer within 20 s. Bring it or the way to it back, then run again.

    Not everything could be seen."
  `);
});
