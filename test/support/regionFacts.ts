/** What regions say of themselves, asked as anybody may: of Patroni's REST interface, and of Docker. */
import type { DesiredHost, DesiredMember, RegionsDesired } from "../../components/regions/desired.ts";
import { allHosts, membersOf, regionNamed } from "../../components/regions/wish.ts";
import type { NodeHandle, Target } from "./nodeHandle.ts";
import { asPostgres, eventually, sql } from "./nodes.ts";
import { type Cluster, type Failovers, type RestPlace, restJson, restJsonInside } from "./patroniRest.ts";
import { docker } from "./stack.ts";

export type RegionName = "region-a" | "region-b" | "region-c";

export abstract class RegionFacts {
  abstract readonly active: RegionName;
  abstract readonly target: Target;
  #known: { readonly wish: RegionsDesired; readonly ca: string } | undefined;

  /** Of the deployment, after its first `up`: names and addresses stay. */
  learn(wish: RegionsDesired, ca: string): void {
    this.#known = { wish, ca };
  }

  get wish(): RegionsDesired {
    if (!this.#known) throw new Error("the regions are not up");
    return this.#known.wish;
  }

  /** The host seen from outside, by its name. */
  abstract node(host: string): NodeHandle;

  /** What Docker knows the host as: a container of the deployment's own, or the machine that it is on. */
  container(host: string): string {
    return this.node(host).container;
  }

  /** One value from SQL of every member, in their order. */
  async everywhere(statement: string): Promise<string[]> {
    return await Promise.all(this.allMembers().map(({ name }) => sql(this.container(name), statement)));
  }

  /** Of the database, and of the folder that each member has it in: a copy made anew has another one. */
  async identities(): Promise<string[]> {
    const systems = await this.everywhere("SELECT system_identifier FROM pg_control_system()");
    const stat = ["stat", "-c", "%n %i %W", "/var/lib/understudy/pgdata/PG_VERSION"];
    const folders = this.allMembers().map(({ name }) => asPostgres(this.container(name), ...stat));
    return [...systems, ...(await Promise.all(folders))];
  }

  regionNames(): readonly RegionName[] {
    return this.wish.regions.map(({ name }) => name as RegionName);
  }

  hosts(): readonly DesiredHost[] {
    return allHosts(this.wish);
  }

  members(region: RegionName): readonly DesiredMember[] {
    return membersOf(this.wish, region);
  }

  allMembers(): readonly DesiredMember[] {
    return this.wish.regions.flatMap(({ members }) => members);
  }

  servers(region: RegionName): readonly DesiredHost[] {
    return regionNamed(this.wish, region).servers;
  }

  addressesOf(hosts: readonly string[]): string[] {
    return this.hosts().flatMap(({ name, address }) => (hosts.includes(name) ? [address] : []));
  }

  rest(member: string): RestPlace {
    const found = this.hosts().find(({ name }) => name === member) as DesiredMember | undefined;
    if (!found) throw new Error(`there is no ${member}`);
    return { name: member, address: found.address, port: found.restPort, ca: this.#known?.ca ?? "" };
  }

  /** By the word of whichever member answers. */
  async cluster(region: RegionName): Promise<Cluster> {
    return await this.#ofRegion<Cluster>(region, "/cluster");
  }

  /**
   * Which timelines have ended, and where. When, and who led then, is left out: Patroni forgets that when it writes the
   * history anew from the server's own, as it may after Consul was away.
   */
  async failovers(region: RegionName): Promise<readonly (readonly [timeline: number, lsn: number])[]> {
    const history = await this.#ofRegion<Failovers>(region, "/history");
    return history.map(([timeline, lsn]) => [timeline, lsn]);
  }

  async dynamicConfig(region: RegionName): Promise<Record<string, unknown>> {
    return await this.#ofRegion<Record<string, unknown>>(region, "/config");
  }

  /** Whoever holds the region's lock. */
  async leader(region: RegionName = this.active): Promise<string> {
    const { members } = await this.cluster(region);
    const leader = members.find(({ role }) => role === "leader" || role === "standby_leader");
    if (!leader) throw new Error(`nobody leads ${region}: ${JSON.stringify(members)}`);
    return leader.name;
  }

  async syncStandby(region: RegionName = this.active): Promise<string> {
    // For a loop or two nobody is, while Patroni has another one become it.
    return await eventually(10, `${region} has a synchronous standby`, async () => {
      const { members } = await this.cluster(region);
      const found = members.find(({ role }) => role === "sync_standby");
      if (!found) throw new Error(JSON.stringify(members));
      return found.name;
    });
  }

  /** Each with where its server is in its life: as text, to be compared. */
  async incarnations(): Promise<string> {
    const of = async (name: string) => {
      type Status = { postmaster_start_time: string; timeline?: number; role: string };
      const { postmaster_start_time, role } = await this.#ask<Status>(name, "/patroni");
      return `${name} ${role} ${postmaster_start_time}`;
    };
    const containers = this.hosts().map(({ name }) => this.container(name));
    const format = "{{.Name}} {{.Id}} {{.State.StartedAt}}";
    const [servers, made, configs] = await Promise.all([
      Promise.all(this.allMembers().map(({ name }) => of(name))),
      docker("inspect", "-f", format, ...containers),
      Promise.all(this.regionNames().map((region) => this.dynamicConfig(region))),
    ]);
    return [...servers, made, ...configs.map((config) => JSON.stringify(config))].join("\n");
  }

  async #ofRegion<T>(region: RegionName, path: string): Promise<T> {
    return await Promise.any(this.members(region).map(({ name }) => this.#ask<T>(name, path)));
  }

  async #ask<T>(member: string, path: string): Promise<T> {
    const place = this.rest(member);
    return this.target === "machines"
      ? await restJsonInside<T>(this.container(member), place, path)
      : await restJson<T>(place, path);
  }
}
