/**
 * Regions that live in memory. Patroni is imitated by `settle`: just enough of it (leaders, standby clusters, copies,
 * rewinds) to see whether a plan leads where it should. A WAL is a list of records, and clients write after each step.
 */
import { parse } from "yaml";
import type { DesiredHost, RegionsDesired } from "../../../../components/regions/desired.ts";
import type { RegionChangeFacts } from "../../../../components/regions/facts.ts";
import { isStandby } from "../../../../components/regions/plan/regionState.ts";

type Config = Record<string, unknown>;

export interface SimHost {
  unit: "up" | "stopped" | "absent" | "unreachable";
  /** As installed; a program has loaded what is in `loaded`. */
  files: Record<string, string>;
  loaded: Record<string, string>;
  secret: { installed: string; loaded: string };
  /** Of a machine's systemd unit. */
  unitFile?: { running: string; installed: string };
}

export interface SimMember {
  readonly host: SimHost;
  patroni: "running" | "held" | "superseded" | "stopped";
  wal: string[];
  timeline: number;
  /** Takes writes. */
  primary: boolean;
  controlState: string;
  pending: string[];
}

export interface SimRegion {
  readonly name: string;
  config: Config | null;
  leader: string | null;
  led: boolean;
  granted: boolean;
  peers: string[];
  failed: string[];
  readonly members: Record<string, SimMember>;
}

export class World {
  readonly desired: RegionsDesired;
  readonly hosts: Record<string, SimHost> = {};
  readonly regions: Record<string, SimRegion> = {};
  /** More than one region took writes at the same time. */
  readonly splits: string[] = [];
  readonly unproven: string[] = [];
  /** What clients were told is committed. */
  readonly acknowledged: string[] = [];
  /** The region whose leader a gate has just proven to have everything. */
  gated: string | null = null;
  catalogMade = true;
  #writes = 0;

  constructor(desired: RegionsDesired) {
    this.desired = desired;
    for (const { name, servers, members, proxies } of desired.regions) {
      for (const host of [...servers, ...members, ...proxies]) this.hosts[host.name] = newHost(host);
      this.regions[name] = {
        ...{ name, config: null, leader: null, led: false, granted: false, peers: [], failed: [] },
        members: Object.fromEntries(members.map((host) => [host.name, newMember(this.host(host.name))])),
      };
    }
  }

  /** Everything runs as the wish says, and clients have written. */
  static healthy(desired: RegionsDesired): World {
    const world = new World(desired);
    for (const { name, servers } of desired.regions) {
      Object.assign(world.region(name), {
        led: true,
        granted: true,
        peers: servers.map((host) => host.name),
      });
    }
    for (let n = 0; n < 4; n += 1) world.live();
    return world;
  }

  /** Regions and members are declared beside those that are there; the update has installed files and made units. */
  static grown(from: RegionsDesired, to: RegionsDesired): World {
    const [old, world] = [World.healthy(from), new World(to)];
    for (const [name, { loaded }] of Object.entries(old.hosts)) Object.assign(world.host(name), { loaded });
    for (const region of Object.values(old.regions)) {
      const members = world.region(region.name).members;
      for (const [name, member] of Object.entries(region.members))
        Object.assign(members[name] ?? {}, { ...member, host: world.host(name) });
      Object.assign(world.region(region.name), { ...region, members });
    }
    return world;
  }

  host(name: string): SimHost {
    const found = this.hosts[name];
    if (!found) throw new Error(`no host ${name}`);
    return found;
  }

  region(name: string): SimRegion {
    const found = this.regions[name];
    if (!found) throw new Error(`no region ${name}`);
    return found;
  }

  member(name: string): SimMember {
    const found = this.regionOf(name).members[name];
    if (!found) throw new Error(`no member ${name}`);
    return found;
  }

  regionOf(host: string): SimRegion {
    const wish = this.desired.regions.find(({ servers, members, proxies }) =>
      [...servers, ...members, ...proxies].some(({ name }) => name === host),
    );
    return this.region(wish?.name ?? "");
  }

  /** Patroni's loop, then a client's write. */
  live(): void {
    for (const region of this.inOrder()) this.settle(region);
    const writers = Object.values(this.regions).filter((region) => this.writer(region) !== null);
    if (writers.length > 1) this.splits.push(writers.map(({ name }) => name).join("+"));
    for (const region of writers) {
      const record = `write ${this.#writes++}`;
      this.member(region.leader ?? "").wal.push(record);
      this.acknowledged.push(record);
    }
    for (const region of this.inOrder()) this.settle(region);
  }

  /** Who leads first: the others copy from it. */
  inOrder(): SimRegion[] {
    const leads = (region: SimRegion) => Number(region.config !== null && !isStandby(region.config));
    const active = (region: SimRegion) => Number(region.name === this.desired.active);
    return Object.values(this.regions).sort((a, b) => leads(b) - leads(a) || active(b) - active(a));
  }

  writer(region: SimRegion): SimMember | null {
    const leader = region.leader === null ? undefined : region.members[region.leader];
    return leader?.primary && this.runs(leader) ? leader : null;
  }

  runs(member: SimMember): boolean {
    return member.host.unit === "up" && member.patroni === "running";
  }

  change(region: SimRegion, of = Object.values(region.members)): RegionChangeFacts | null {
    const records = of.filter((each) => this.runs(each)).flatMap(({ wal }) => wal);
    const said = records.filter((record) => record.startsWith("change "));
    const changes = said.map((record) => JSON.parse(record.slice(7)) as RegionChangeFacts);
    return changes.sort((a, b) => b.timeline - a.timeline)[0] ?? null;
  }

  settle(region: SimRegion): void {
    for (const member of Object.values(region.members)) if (!this.runs(member)) member.primary = false;
    if (!region.led || !region.granted) return;
    const live = Object.entries(region.members).filter(([, member]) => this.runs(member));
    if (live.length === 0) {
      region.leader = null;
      return;
    }
    if (region.config === null && !this.#begin(region, live[0]?.[1])) return;
    const holds = live.filter(([, { wal }]) => wal.length > 0);
    const furthest = holds.sort(([, a], [, b]) => b.wal.length - a.wal.length)[0]?.[0] ?? null;
    if (!holds.some(([name]) => name === region.leader)) region.leader = furthest;
    const leader = region.members[region.leader ?? ""];
    if (leader === undefined) return;
    if (isStandby(region.config ?? {})) this.#follow(region, leader);
    else if (!leader.primary) this.promote(leader);
    for (const [, member] of live) {
      if (member === leader) continue;
      member.primary = false;
      this.copy(member, leader);
    }
  }

  promote(member: SimMember): void {
    const born = member.wal.length === 1;
    Object.assign(member, { primary: true, controlState: "in production" });
    if (!born) member.timeline += 1;
  }

  #begin(region: SimRegion, first: SimMember | undefined): boolean {
    if (first === undefined) return false;
    const wish = this.desired.regions.find(({ name }) => name === region.name);
    const { active } = this.desired;
    if (region.name === active) {
      first.wal = ["born"];
      first.timeline = 1;
      region.config = structuredClone({ ...wish?.dynamic });
      return true;
    }
    const source = this.writer(this.region(active));
    if (source === null || !this.#keepsWalFor(region, active) || !this.copy(first, source)) return false;
    region.config = structuredClone({ ...wish?.dynamic, standby_cluster: wish?.standbyClusterOf[active] });
    return true;
  }

  /** A primary that becomes a standby stops with a checkpoint, which everybody who streams from it receives. */
  #follow(region: SimRegion, leader: SimMember): void {
    if (leader.primary) {
      leader.primary = false;
      leader.wal.push("shutdown");
      const streaming = Object.values(this.regions).filter((other) => this.source(other) === region.name);
      for (const other of streaming) {
        const member = other.members[other.leader ?? ""];
        if (member && this.runs(member) && !member.primary) this.copy(member, leader);
      }
    }
    leader.controlState = "in archive recovery";
    const source = this.writer(this.region(this.source(region) ?? region.name));
    if (source !== null && source !== leader) this.copy(leader, source);
  }

  /** By the slot that its standby leader streams through. */
  #keepsWalFor(region: SimRegion, of: string): boolean {
    const wish = this.desired.regions.find(({ name }) => name === region.name)?.standbyClusterOf[
      of
    ] as Config;
    return Object.hasOwn(
      (this.region(of).config?.["slots"] ?? {}) as Config,
      String(wish["primary_slot_name"]),
    );
  }

  /** Streaming, a rewind or a new copy: the history is the source's then. Whether the source admits it. */
  copy(member: SimMember, source: SimMember): boolean {
    // One that was rendered says it in pg_hba's words, and is taken to admit everybody.
    const file = parse(source.host.loaded["patroni/patroni.yml"] ?? "{}") as { admits?: string[] };
    if (file.admits && !file.admits.includes(this.#addressOf(member))) return false;
    member.wal = [...source.wal];
    member.timeline = source.timeline;
    member.controlState = "in archive recovery";
    return true;
  }

  #addressOf(member: SimMember): string {
    const declared = this.desired.regions.flatMap(({ members }) => members);
    return declared.find(({ name }) => this.member(name) === member)?.address ?? "";
  }

  source(region: SimRegion): string | null {
    const hosts = String((region.config?.standby_cluster as Config | undefined)?.host ?? "").split(",");
    const found = this.desired.regions.find(({ members }) => members.some((m) => hosts.includes(m.address)));
    return found?.name ?? null;
  }
}

function newHost({ files }: DesiredHost): SimHost {
  return { unit: "up", files: { ...files }, loaded: { ...files }, secret: { installed: "1", loaded: "1" } };
}

function newMember(host: SimHost): SimMember {
  return {
    ...{ host, patroni: "running", wal: [], timeline: 0, primary: false, controlState: "", pending: [] },
  } as SimMember;
}
