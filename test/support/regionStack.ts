/**
 * Two regions of Patroni that a test does harm to: the stack, its ledger, what a region says of itself, and what must
 * hold when all is over (I1 to I4 and I7 of the acceptance matrix).
 */
import { execFile } from "node:child_process";
import { Resolver } from "node:dns/promises";
import { promisify } from "node:util";
import { accessToUnits, closeAll } from "../../components/hosts/access.ts";
import type { RegionsDesired } from "../../components/regions/desired.ts";
import type { RegionsObserved } from "../../components/regions/facts.ts";
import type { UnitVerbs } from "../../components/regions/verbs.ts";
import { type Access, accessFrom, clientFor } from "./client.ts";
import { copiesOf, Ledger, type LedgerOptions } from "./ledger.ts";
import { check, type History, summary, type Verdict } from "./ledgerHistory.ts";
import type { NodeHandle, Target } from "./nodeHandle.ts";
import { eventually, sql } from "./nodes.ts";
import { RegionFacts, type RegionName } from "./regionFacts.ts";
import { RegionPlaces, type WrittenRegions } from "./regionPlaces.ts";
import { regionComplaints } from "./regionsHealed.ts";
import { type Outcome, type StackConfig, succeed, TestStack } from "./stack.ts";

const run = promisify(execFile);

export interface RegionStackOptions {
  readonly name: string;
  /** Default: containers. */
  readonly target?: Target;
  /** Second number of the subnet. */
  readonly net: number;
  /** First of those that are published: write and read ports of each region, the name server's, where clients are pooled each region's. */
  readonly port: number;
  readonly database?: Record<string, unknown>;
  /** Default: region-a, which is active, and region-b. */
  readonly regions?: readonly RegionName[];
}

export interface RegionFailover {
  readonly from: RegionName;
  readonly to: RegionName;
  readonly fenceConfirmed: string;
  readonly at: string;
  readonly validForMinutes?: number;
  readonly acceptDataLoss?: boolean;
}

interface RegionsConfig extends StackConfig {
  deployment: StackConfig["deployment"] & { regions: WrittenRegions };
}

export class RegionStack extends RegionFacts {
  readonly stack: TestStack<RegionsConfig>;
  readonly places: RegionPlaces;
  failover: RegionFailover | undefined;
  /** Members that left within the last half an hour. */
  readonly former: string[] = [];
  /** Everything that Pulumi has printed. */
  said = "";
  readonly #ledgers: Ledger[] = [];
  #prepared = false;
  #access: Access | undefined;

  constructor(options: RegionStackOptions) {
    super();
    const { name, target = "containers", net, port, database, regions = ["region-a", "region-b"] } = options;
    const pooled = database?.["pooling"] !== undefined;
    this.places = new RegionPlaces({ name, target, net, port, regions, pooled });
    this.stack = new TestStack<RegionsConfig>(name, {
      active: "region-a",
      deployment: {
        domain: `${name}.example.test`,
        database: { kind: "patroni", synchronous: "strict", timing: "fast", ...database },
        // Machines are known once they are there.
        ...(target === "containers" ? this.places.inContainers() : { regions: {} as WrittenRegions }),
      },
    });
  }

  get access(): Access {
    if (!this.#access) throw new Error("the regions are not up");
    return this.#access;
  }

  get target(): Target {
    return this.places.target;
  }

  node(host: string): NodeHandle {
    return this.places.node(host);
  }

  get active(): RegionName {
    return this.stack.config.active as RegionName;
  }

  /** Of two. */
  get standby(): RegionName {
    return this.active === "region-a" ? "region-b" : "region-a";
  }

  /** Everything that is there before the first `up`: the machines, and a stack that knows them. */
  async prepare(): Promise<void> {
    const { deployment } = this.stack.config;
    if (this.target === "machines") {
      const { clientAccess, ...config } = await this.places.onMachines();
      Object.assign(deployment, config);
      deployment.database = { clientAccess, ...deployment.database };
    }
    await this.stack.init();
    this.#prepared = true;
  }

  /** `prepare` first, unless that was done. */
  async bringUp(): Promise<void> {
    if (!this.#prepared) await this.prepare();
    await this.succeed();
    await this.findAccess();
  }

  /** After an `up`: how a client gets in, and who is where. */
  async findAccess(): Promise<void> {
    const { uri, caCertificate, wish } = await this.stack.outputs<Record<string, string>>();
    this.#access = accessFrom(uri ?? "", caCertificate ?? "");
    this.learn(JSON.parse(wish ?? "") as RegionsDesired, this.#access.ca);
  }

  async up(...args: string[]): Promise<Outcome> {
    return await this.#pulumi("up", "--yes", ...args);
  }

  async preview(...args: string[]): Promise<Outcome> {
    return await this.#pulumi("preview", ...args);
  }

  async succeed(...args: string[]): Promise<string> {
    return await succeed(this.up(...args));
  }

  /** As an operator does in a hurry: the one value, and no second preview. */
  async moveTo(region: RegionName): Promise<string> {
    this.stack.config.active = region;
    return await this.succeed("--skip-preview");
  }

  /** The operator's statement that the other region is fenced, said now. */
  declareFenced(from: RegionName, extra: Partial<RegionFailover> = {}): void {
    const to = extra.to ?? (from === "region-a" ? "region-b" : "region-a");
    const fenceConfirmed = "powered off by hand, seen by the test";
    this.failover = { from, to, fenceConfirmed, at: new Date().toISOString(), ...extra };
    this.stack.config.active = to;
  }

  /** I7. */
  async expectNoChanges(): Promise<void> {
    await this.succeed("--skip-preview", "--expect-no-changes");
  }

  async startLedger(options: LedgerOptions = {}): Promise<Ledger> {
    const ledger = await Ledger.start(this.access, options);
    this.#ledgers.push(ledger);
    return ledger;
  }

  endLedgers(): void {
    for (const ledger of this.#ledgers.splice(0)) ledger.kill();
  }

  /** One write of a client that knows the floating name and the name server, and nothing else. */
  async writeThroughTheName(statement: string): Promise<void> {
    const host = `db.${this.stack.name}.example.test`;
    const resolver = new Resolver();
    resolver.setServers([`127.0.0.1:${this.places.namesPort}`]);
    const [address = ""] = await resolver.resolve4(host);
    const client = clientFor(this.access, { host, address, port: 5432 });
    await client.connect();
    await client.query(statement);
    await client.end();
  }

  async observe(): Promise<RegionsObserved> {
    const child = run(process.execPath, ["scripts/convergeRegions.ts", "observe"], { maxBuffer: 1 << 28 });
    child.child.stdin?.end(JSON.stringify({ desired: this.wish }));
    return JSON.parse((await child).stdout) as RegionsObserved;
  }

  /** One verb of a host's agent, in a conversation of its own. */
  async call<V extends keyof UnitVerbs>(
    host: string,
    verb: V,
    args: UnitVerbs[V]["args"],
  ): Promise<UnitVerbs[V]["result"]> {
    const access = accessToUnits(this.hosts().filter(({ name }) => name === host));
    try {
      const session = await access.get(host)?.open();
      if (!session) throw new Error(`there is no ${host}`);
      return await session.call(verb, args);
    } finally {
      await closeAll(access);
    }
  }

  // --------------------------------------------------------------------------------------- when all is over

  /**
   * Everybody streams and has replayed what the leader had written when it was asked, and where commits wait for
   * somebody there is somebody. Clients may write on meanwhile: a lag of Patroni's list is no measure here.
   */
  async settled(seconds = 60): Promise<void> {
    const strict = this.stack.config.deployment.database["synchronous"] === "strict";
    const limit = performance.now() + seconds * 1000;
    await eventually(seconds, "everybody streams", async () => {
      const names = this.regionNames();
      const clusters = await Promise.all(names.map((name) => this.cluster(name)));
      const all = clusters.flatMap(({ members }) => members);
      const wrong = all.filter(({ role, state }) => state !== (role === "leader" ? "running" : "streaming"));
      const missing = all.length < this.allMembers().length;
      const noSync = strict && !all.some(({ role }) => role === "sync_standby");
      const leads = clusters[names.indexOf(this.active)]?.members.some(({ role }) => role === "leader");
      const standbys = clusters.filter((_, index) => names[index] !== this.active);
      const follows = standbys.every(({ members }) => members.some(({ role }) => role === "standby_leader"));
      if (wrong.length > 0 || missing || noSync || !leads || !follows)
        throw new Error(JSON.stringify(all, ["name", "role", "state", "lag"]));
      return true;
    });
    const leader = this.container(await this.leader());
    const written = await sql(leader, "SELECT pg_current_wal_lsn()");
    const others = this.allMembers().filter(({ name }) => this.container(name) !== leader);
    const replayed = others.map(({ name }) =>
      eventually((limit - performance.now()) / 1000, `${name} has replayed ${written}`, async () => {
        const behind = `SELECT pg_last_wal_replay_lsn() < '${written}'::pg_lsn`;
        return (await sql(this.container(name), behind)) === "f" || undefined;
      }),
    );
    await Promise.all(replayed);
  }

  /** I1 to I3 by the ledger on all copies, I4 by the hosts' own facts. */
  async judge(ledger: Ledger | History): Promise<Verdict> {
    const history = ledger instanceof Ledger ? await ledger.stop() : ledger;
    await this.settled();
    const containers = this.allMembers().map(({ name }) => this.container(name));
    const copies = await copiesOf(containers, this.access.database);
    const verdict = check(history, copies);
    const contents = new Set(Object.values(copies).map((ids) => [...ids].sort().join()));
    const wrong = [
      ...verdict.violations.map(({ invariant, message }) => `${invariant}  ${message}`),
      ...(contents.size > 1 ? ["I4  the members hold different rows"] : []),
      ...(await this.complaints()).map((message) => `I4  ${message}`),
    ];
    if (wrong.length > 0) throw new Error(`${wrong.join("\n")}\n${summary(verdict)}`);
    return verdict;
  }

  /** Until there are none: Consul's Autopilot takes its time to call a server that came back a good one. */
  async complaints(seconds = 30): Promise<string[]> {
    let last: string[] = [];
    return await eventually(seconds, "nothing to complain of", async () => {
      last = await this.#complaintsNow();
      return last.length === 0 ? last : undefined;
    }).catch(() => last);
  }

  async #complaintsNow(): Promise<string[]> {
    const slots = this.allMembers().map(async ({ name }) => {
      const names = await sql(this.container(name), "SELECT slot_name FROM pg_replication_slots");
      return [name, names.split("\n").filter((slot) => slot !== "")] as const;
    });
    const [observed, found] = await Promise.all([this.observe(), Promise.all(slots)]);
    const wish = { ...this.wish, active: this.active };
    return regionComplaints(observed, wish, Object.fromEntries(found), this.former);
  }

  /** After a test that failed, so that the next one fails for reasons of its own: all hosts up, whoever led leads. */
  async recover(): Promise<void> {
    this.endLedgers();
    this.failover = undefined;
    for (const region of Object.values(this.stack.config.deployment.regions)) delete region["leader"];
    await Promise.all(this.hosts().map(({ name }) => this.node(name).start()));
    this.stack.config.active = await eventually(90, "somebody leads", async () => {
      for (const region of this.regionNames()) {
        const { members } = await this.cluster(region);
        if (members.some(({ role, state }) => role === "leader" && state === "running")) return region;
      }
      return undefined;
    });
    await this.up("--skip-preview");
    // The test may have declared others.
    await this.findAccess();
    await this.settled(120);
  }

  async remove(): Promise<void> {
    this.endLedgers();
    await this.places.removeMachines();
    await this.stack.remove();
  }

  async #pulumi(...args: string[]): Promise<Outcome> {
    this.stack.writeConfig(this.failover && { "understudy:failover": this.failover });
    const outcome = await this.stack.pulumi(...args);
    this.said += outcome.text;
    return outcome;
  }
}
