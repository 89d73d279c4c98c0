/** Facts and wishes made up by name, for tests of the plan. Everything not asked for is healthy. */
import type { Desired, DesiredNode } from "../../components/roles/desired.ts";
import type {
  CatalogFacts,
  ControlFacts,
  NodeFacts,
  NodeReport,
  Observed,
  SqlFacts,
} from "../../components/roles/facts.ts";
import type { NodeState } from "../../components/roles/plan/state.ts";
import type { Synchronous } from "../../components/spec/model.ts";

export const SYSTEM = "7300000000000000001";

export const conf = (settings: Readonly<Record<string, string | number>>): string =>
  Object.entries({ max_connections: 100, max_wal_senders: 10, work_mem: "4MB", ...settings })
    .map(([name, value]) => `${name} = '${value}'\n`)
    .sort()
    .join("");

export function files(settings: Readonly<Record<string, string | number>> = {}): Record<string, string> {
  return {
    "postgresql.conf": conf(settings),
    "pg_hba.conf": "hostssl all all all scram-sha-256\nhost all all all reject\n",
  };
}

export function desiredNode(name: string, site = name): DesiredNode {
  return {
    name,
    site,
    clientName: `${name}.ha.example.test`,
    address: `10.0.0.${name.charCodeAt(0)}`,
    port: 5432,
    slot: name.replaceAll("-", "_"),
    majorVersion: 17,
    reach: { kind: "docker", container: `demo-${name}`, dataVolume: `demo-${name}-data`, image: "postgres" },
    files: files(),
  };
}

export function desired(synchronous: Synchronous = "strict", names: readonly string[] = ["a", "b"]): Desired {
  return {
    deployment: "demo",
    active: names[0] ?? "a",
    nodes: names.map((name) => desiredNode(name)),
    policy: { synchronous, degradeAfterSeconds: 30, stepTimeoutSeconds: 60 },
    catalog: { roles: [], databases: [] },
  };
}

export const emptyCatalog: CatalogFacts = {
  roles: {},
  databases: { postgres: { owner: "postgres", extensions: ["plpgsql"], settings: {} } },
};

export function control(state: string, change: Partial<ControlFacts> = {}): ControlFacts {
  return {
    systemIdentifier: SYSTEM,
    timeline: 1,
    state,
    checkpointLsn: "0/3000148",
    redoLsn: "0/3000110",
    majorVersion: 17,
    checksums: true,
    walLogHints: false,
    ...change,
  };
}

export function sqlFacts(inRecovery: boolean, change: Partial<SqlFacts> = {}): SqlFacts {
  return {
    inRecovery,
    timeline: 1,
    systemIdentifier: SYSTEM,
    versionNum: 170004,
    startedAt: "2026-01-01T00:00:00Z",
    currentLsn: inRecovery ? null : "0/3000148",
    receiveLsn: inRecovery ? "0/3000148" : null,
    replayLsn: inRecovery ? "0/3000148" : null,
    replayPaused: false,
    walReceiver: null,
    senders: [],
    slots: [],
    synchronousStandbyNames: "",
    clientsAdmitted: true,
    restartSettings: ["max_connections", "max_wal_senders", "shared_buffers"],
    pendingRestart: [],
    backupRunning: false,
    archiveBacklog: 0,
    configErrors: [],
    alterSystem: {},
    catalog: emptyCatalog,
    ...change,
  };
}

export function report(node: string, change: Partial<NodeReport> = {}): NodeReport {
  const content = files();
  return {
    node,
    clock: "2026-01-01T00:00:00.000000Z",
    agent: { running: "000000000000", installed: "000000000000" },
    generation: "g1",
    data: {
      state: "ready",
      control: control("in production"),
      standbySignal: false,
      follows: null,
      freeBytes: 1e10,
      sizeBytes: 4e7,
    },
    server: { state: "running", reason: null, sql: null },
    files: { installed: content, loaded: content, started: content },
    certificate: { notAfter: "2027-01-01T00:00:00Z", sans: [node] },
    degraded: null,
    ...change,
  };
}

export const up = (value: NodeReport): NodeFacts => ({ reach: "up", report: value });

/**
 * A node in one of the plan's states. As what it leads, its slots and senders say that the peers are healthy;
 * as a standby it follows the first of them.
 */
export function nodeIn(
  state: NodeState,
  name: string,
  peers: readonly string[],
  role: "primary" | "standby",
): NodeFacts {
  const base = report(name);
  const standby = { standbySignal: true, follows: peers[0] ?? null };
  const down = (controlState: string, serverState: NodeReport["server"]["state"] = "stopped"): NodeFacts =>
    up({
      ...base,
      data: { ...base.data, control: control(controlState), ...(role === "standby" ? standby : {}) },
      server: { state: serverState, reason: null, sql: null },
    });
  const without = (data: NodeReport["data"]["state"], kept: ControlFacts | null = null): NodeFacts =>
    up({
      ...base,
      data: { ...base.data, state: data, control: kept, sizeBytes: 0 },
      server: { state: "stopped", reason: null, sql: null },
    });
  const recovering = (change: Partial<SqlFacts>): NodeFacts =>
    up({
      ...base,
      data: {
        ...base.data,
        control: control("in archive recovery"),
        standbySignal: true,
        follows: peers[0] ?? null,
      },
      server: { state: "running", reason: null, sql: sqlFacts(true, change) },
    });
  switch (state) {
    case "primary":
      return up({
        ...base,
        server: {
          state: "running",
          reason: null,
          sql: sqlFacts(false, { senders: peers.map(sender), slots: peers.map((peer) => slot(peer)) }),
        },
      });
    case "standby-streaming":
      return recovering({ walReceiver: { status: "streaming", host: "10.0.0.97", slot: name } });
    case "standby-lagging":
      return recovering({});
    case "stopped-clean":
      return down("shut down");
    case "stopped-clean-standby":
      return down("shut down in recovery");
    case "stopped-dirty":
      return down(role === "standby" ? "in archive recovery" : "in production");
    case "failed":
      return down(role === "standby" ? "in archive recovery" : "in production", "failed");
    case "starting":
      return down(role === "standby" ? "in archive recovery" : "in production", "starting");
    case "empty":
      return without("empty");
    case "half-built":
      return without("building");
    case "rewinding":
      return without("rewinding", control("in production"));
    case "unit-stopped":
      return { reach: "stopped", reason: "exit 137" };
    case "absent":
      return { reach: "absent", data: "none" };
    case "absent-kept":
      return { reach: "absent", data: "kept" };
    case "unreachable":
      return { reach: "unreachable", reason: "no answer within 20 s" };
  }
}

export function sender(name: string): SqlFacts["senders"][number] {
  return {
    applicationName: name,
    clientAddress: "10.0.0.98",
    state: "streaming",
    syncState: "sync",
    sentLsn: "0/3000148",
    flushLsn: "0/3000148",
    replayLsn: "0/3000148",
    lagBytes: 0,
    lagSeconds: 0,
  };
}

export function slot(
  name: string,
  change: Partial<SqlFacts["slots"][number]> = {},
): SqlFacts["slots"][number] {
  return {
    name: name.replaceAll("-", "_"),
    kind: "physical",
    active: true,
    walStatus: "reserved",
    heldBytes: 0,
    ...change,
  };
}

export function observed(nodes: Readonly<Record<string, NodeFacts>>): Observed {
  return { at: "2026-01-01T00:00:00.000Z", nodes };
}
