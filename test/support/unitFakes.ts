/**
 * Hosts of regions that live in memory: each answers the verbs as a table says, every call is noted, and a region's
 * configuration in Consul and its role follow from the verbs that move the active region. No plan is needed for it.
 */
import type { DesiredHost, RegionsDesired } from "../../components/regions/desired.ts";
import type {
  ControlFacts,
  HostFacts,
  PatroniFacts,
  RegionChangeFacts,
  RegionsObserved,
  UnitReport,
} from "../../components/regions/facts.ts";
import type { UnitAccess, UnitFleet, UnitSession } from "../../components/regions/session.ts";
import type { UnitVerbs } from "../../components/regions/verbs.ts";
import { allHosts } from "../../components/regions/wish.ts";
import { NodeError } from "../../components/roles/conversation.ts";
import { emptyCatalog } from "./facts.ts";
import { following, regionsWish } from "./unitWish.ts";

export const control: ControlFacts = {
  systemIdentifier: "7300000000000000001",
  majorVersion: 17,
  state: "shut down",
  timeline: 1,
  redoLsn: "0/5000028",
  checkpointLsn: "0/5000028",
  checksums: true,
  walLogHints: false,
};

type Answer = (args: never, host: string) => unknown;

interface SimRegion {
  standbyCluster: unknown;
  timeline: number;
  /** Of the member that leads. */
  leader: string | null;
}

/** Verbs that are no part of what a converge does to a host. */
const silent = new Set(["observe", "lock", "unlock"]);

export class UnitFakes {
  readonly desired: RegionsDesired;
  readonly calls: string[] = [];
  readonly args: unknown[] = [];
  /** `host verb` → what it throws. */
  readonly refuses = new Map<string, Error>();
  /** Before the call with this number everything is cut off, as by a killed converge. */
  cutAt: number | undefined;
  readonly regions: Record<string, SimRegion>;
  readonly generations: Record<string, string | null> = {};
  readonly away = new Map<string, HostFacts>();
  readonly reports: Record<string, Partial<UnitReport>> = {};
  readonly answers: Partial<Record<keyof UnitVerbs, Answer>> = {};
  readonly locks: Record<string, string> = {};
  change: RegionChangeFacts | null = null;
  /** More than one region took writes at the same time. */
  readonly splits: string[] = [];

  constructor(desired = regionsWish(), leads = "a") {
    this.desired = desired;
    this.regions = Object.fromEntries(
      desired.regions.map(({ name }) => [
        name,
        {
          standbyCluster: name === leads ? null : following(leads),
          ...{ timeline: 1, leader: `${name}-1` },
        },
      ]),
    );
    for (const { name } of allHosts(desired)) this.generations[name] = "g1";
  }

  access(): UnitFleet {
    return new Map(allHosts(this.desired).map((each) => [each.name, this.#accessTo(each)]));
  }

  region(name: string): SimRegion {
    const found = this.regions[name];
    if (!found) throw new Error(`no region ${name}`);
    return found;
  }

  /** Regions that would acknowledge a write. */
  takers(): string[] {
    return Object.entries(this.regions).flatMap(([name, { standbyCluster }]) =>
      standbyCluster === null ? [name] : [],
    );
  }

  observed(): RegionsObserved {
    const hosts = Object.fromEntries(allHosts(this.desired).map((each) => [each.name, this.facts(each)]));
    return { at: "2026-01-01T00:00:00.000Z", until: "2026-01-01T00:00:01.000Z", hosts };
  }

  facts(of: DesiredHost): HostFacts {
    return this.away.get(of.name) ?? { reach: "up", report: this.report(of) };
  }

  report({ name, region }: DesiredHost): UnitReport {
    const isMember = this.desired.regions.some(({ members }) => members.some((each) => each.name === name));
    const isProxy = this.desired.regions.some(({ proxies }) => proxies.some((each) => each.name === name));
    const program = { state: "running", reason: null, restarts: 0, loaded: {}, installed: {} } as const;
    return {
      name,
      clock: "2026-01-01T00:00:00Z",
      agent: { running: "x", installed: "x" },
      generation: this.generations[name] ?? null,
      lock: null,
      certificate: { notAfter: "2026-02-19T12:56:07Z", sans: [name] },
      files: {},
      programs: isProxy
        ? { haproxy: program }
        : isMember
          ? { consul: program, patroni: program }
          : { consul: program },
      consul: isProxy
        ? null
        : {
            ...{
              leader: `${region}-consul-1`,
              members: [],
              healthy: true,
              access: this.#granted(region),
              tokenValid: true,
            },
            peers: [{ node: `${region}-consul-1`, address: "10.9.1.11", voter: true, leader: true }],
          },
      patroni: isMember ? this.#patroni(name, region) : null,
      data: isMember ? { state: "ready", control, freeBytes: 1e10 } : null,
      catalog: this.#takesWrites(name, region) ? emptyCatalog : null,
      change: this.change,
      problems: [],
      ...this.reports[name],
    };
  }

  #takesWrites(name: string, region: string): boolean {
    const { leader, standbyCluster } = this.region(region);
    return leader === name && standbyCluster === null;
  }

  /** Its own replica, and the standby leaders of the regions that follow. */
  #sendersOf(name: string): PatroniFacts["replication"] {
    const others = Object.entries(this.regions).filter(([other]) => other !== name);
    const own = this.desired.regions.find((region) => region.name === name)?.members ?? [];
    const streaming = [...own.map((member) => member.name), ...others.map(([, { leader }]) => leader ?? "")];
    return streaming
      .filter((each) => each !== this.region(name).leader)
      .map((each) => ({ name: each, state: "streaming", syncState: "async", flushLsn: "0/5000110" }));
  }

  /** As the wish has it. */
  #granted(name: string) {
    const { tokens = {} } = this.desired.regions.find((region) => region.name === name)?.access ?? {};
    return { policies: {}, tokens };
  }

  #patroni(name: string, region: string): PatroniFacts {
    const { standbyCluster, timeline, leader } = this.region(region);
    const leads = leader === name;
    const leading = standbyCluster === null ? "primary" : "standby_leader";
    return {
      version: "4.1.5",
      role: leads ? leading : "replica",
      state: leads ? "running" : "streaming",
      ...{ timeline, systemIdentifier: control.systemIdentifier },
      lsn:
        leads && standbyCluster === null
          ? { written: "0/5000110", received: null, replayed: null }
          : { written: null, received: "0/5000110", replayed: "0/5000110" },
      ...{ pendingRestart: [], paused: false },
      cluster: {
        leader,
        members: [1, 2].map((n) => ({
          name: `${region}-${n}`,
          role: leader === `${region}-${n}` ? leading : "replica",
          state: leader === `${region}-${n}` ? "running" : "streaming",
          ...{ timeline, lagBytes: leader === `${region}-${n}` ? null : 0 },
          syncStandby: standbyCluster === null && leader !== `${region}-${n}`,
        })),
      },
      config: { ttl: 20, ...(standbyCluster === null ? {} : { standby_cluster: standbyCluster }) },
      replication: leads ? this.#sendersOf(region) : [],
      source: leads && standbyCluster !== null ? { host: "10.9.1.1", streaming: true } : null,
    };
  }

  #accessTo(of: DesiredHost): UnitAccess {
    const converse = (): UnitSession => {
      let holds = false;
      return {
        call: async (verb, args) => {
          await Promise.resolve();
          const result = this.#call(of, verb, args);
          if (verb === "lock") holds = true;
          if (verb === "unlock" && holds) delete this.locks[of.name];
          if (verb === "unlock") holds = false;
          return result;
        },
        close: async () => {
          if (holds) delete this.locks[of.name];
        },
      };
    };
    const session = converse();
    return {
      observe: async () => this.facts(of),
      open: async () => session,
      openAnother: async () => converse(),
      startUnit: async () => this.#note(of.name, "startUnit", null),
      restartUnit: async (timeoutSeconds) => this.#note(of.name, "restartUnit", { timeoutSeconds }),
      close: async () => undefined,
    };
  }

  #note(name: string, verb: string, args: unknown): void {
    if (this.cutAt === this.calls.length) throw new NodeError(name, "E_CHANNEL", "cut off");
    this.calls.push(`${name} ${verb}`);
    this.args.push(args);
  }

  #call<V extends keyof UnitVerbs>(
    of: DesiredHost,
    verb: V,
    args: UnitVerbs[V]["args"],
  ): UnitVerbs[V]["result"] {
    if (this.away.has(of.name)) throw new NodeError(of.name, "E_CHANNEL", "it does not answer");
    if (!silent.has(verb)) this.#note(of.name, verb, args);
    const refusal = this.refuses.get(`${of.name} ${verb}`);
    if (refusal !== undefined) throw refusal;
    const answer = (this.answers[verb] ?? this.#standard[verb]) as Answer;
    const result = answer(args as never, of.name);
    if (this.takers().length > 1) this.splits.push(`${this.takers().join(" and ")} after ${of.name} ${verb}`);
    return result as UnitVerbs[V]["result"];
  }

  #regionOf(name: string): SimRegion {
    const found = allHosts(this.desired).find((each) => each.name === name);
    return this.region(found?.region ?? "");
  }

  readonly #standard: {
    readonly [V in keyof UnitVerbs]: (args: UnitVerbs[V]["args"], host: string) => UnitVerbs[V]["result"];
  } = {
    observe: (_, name) => {
      const found = allHosts(this.desired).find((each) => each.name === name);
      if (!found) throw new Error(`no host ${name}`);
      return this.report(found);
    },
    lock: ({ owner }, name) => {
      const held = this.locks[name];
      if (held !== undefined) throw new NodeError(name, "E_LOCKED", `held by ${held}`);
      this.locks[name] = owner;
      return { tookOver: null };
    },
    unlock: () => ({}),
    generation: ({ value }, name) => {
      this.generations[name] = value;
      return {};
    },
    reload: () => ({}),
    restart: () => ({ ms: 1 }),
    hold: () => ({ ms: 1 }),
    start: () => ({ ms: 1 }),
    awaitConsul: (_, name) => ({ leader: `${name}-leader` }),
    grant: () => ({ changed: ["policy agent"] }),
    awaitVoters: () => ({ voters: ["a-consul-1"] }),
    removeServer: () => ({}),
    forgetNode: () => ({}),
    useGossipKey: () => ({ rotated: true }),
    snapshot: () => ({ path: "/x", bytes: 1 }),
    awaitLeader: ({ as }, name) => {
      const { standbyCluster, leader } = this.#regionOf(name);
      if (leader === null || (standbyCluster === null) !== (as === "primary")) {
        throw new NodeError(name, "E_NO_LEADER", `nobody leads as ${as}`);
      }
      return { leader, ms: 1 };
    },
    awaitMember: () => ({ role: "replica", ms: 1 }),
    patchConfig: () => ({}),
    restartMember: () => ({ ms: 1 }),
    switchover: ({ candidate }, name) => {
      this.#regionOf(name).leader = candidate;
      return { leader: candidate, ms: 1 };
    },
    demoteCluster: ({ standbyCluster }, name) => {
      this.#regionOf(name).standbyCluster = standbyCluster;
      return { control, ms: 1 };
    },
    promoteCluster: ({ change }, name) => {
      const region = this.#regionOf(name);
      region.standbyCluster = null;
      const timeline = region.timeline + 1;
      // Everybody else streams from it, and follows to the new timeline.
      for (const each of Object.values(this.regions)) each.timeline = timeline;
      if (change) this.change = { ...change, timeline };
      return { leader: region.leader ?? name, timeline, ms: 1 };
    },
    gate: (args) => ({ control: args.control, ms: 1 }),
    becomeStandbyCluster: ({ standbyCluster }, name) => {
      this.#regionOf(name).standbyCluster = standbyCluster;
      return {};
    },
    control: () => control,
    keepDivergent: () => ({ path: "/x", bytes: 1 }),
    checkpoint: () => ({ ms: 1 }),
    sql: () => ({}),
    password: () => ({}),
    awaitBackend: () => ({ ms: 1 }),
    pauseClients: () => ({ clients: 2, ms: 1 }),
    resumeClients: () => ({ heldMs: 7 }),
    probeStart: () => ({}),
    probeStop: () => ({
      ...{ acknowledged: 10, gapMs: 1200 },
      ...{ before: { server: "a-1", timeline: 1 }, after: { server: "b-1", timeline: 2 } },
    }),
    verify: () => ({ server: "b-1", timeline: 2, ms: 3 }),
  };
}
