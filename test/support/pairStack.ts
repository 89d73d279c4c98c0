/**
 * A pair that a test moves about: the stack, its ledger, and what must hold when all is over (I1 to I4 and I7 of the
 * acceptance matrix), in containers, on machines, or one site in each. Its nodes are named after their sites, so every
 * word about a site is one about a node.
 */
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import type { Desired } from "../../components/roles/desired.ts";
import type { Observed } from "../../components/roles/facts.ts";
import { type Access, accessFrom } from "./client.ts";
import { complaints } from "./healed.ts";
import { copiesOf, Ledger, type LedgerOptions } from "./ledger.ts";
import { check, type History, summary, type Verdict } from "./ledgerHistory.ts";
import type { NodeHandle } from "./nodeHandle.ts";
import { eventually, sql } from "./nodes.ts";
import { PairPlaces, type PairTarget } from "./pairPlaces.ts";
import { type Outcome, succeed, TestStack } from "./stack.ts";

const run = promisify(execFile);

export type Site = "site-a" | "site-b";

export interface PairStackOptions {
  readonly name: string;
  /** Default: containers. */
  readonly target?: PairTarget;
  /** Second number of the subnet; machines are on one of their own, 50 above it. */
  readonly net: number;
  /** First of three: site-a, site-b, and 21 above it the name server. */
  readonly port: number;
  readonly database?: Record<string, unknown>;
  /** Size of the volume that each node's data is on; none: as large as the disk. */
  readonly volumeMiB?: number;
  /** Default: in containers alone. On a machine of its own where the target is machines. */
  readonly nameServer?: boolean;
}

export interface FailoverConfig {
  readonly from: Site;
  readonly to: Site;
  /** Absent: the fence command of `from` is the proof. */
  readonly fenceConfirmed?: string;
  readonly at: string;
  readonly validForMinutes?: number;
  readonly acceptDataLoss?: boolean;
}

export class PairStack {
  readonly stack: TestStack;
  readonly places: PairPlaces;
  failover: FailoverConfig | undefined;
  /** Config `repair`: by site, any new text. */
  repair: Readonly<Record<string, string>> = {};
  #access: Access | undefined;
  readonly #ledgers: Ledger[] = [];

  constructor({ name, target = "containers", net, port, database, ...more }: PairStackOptions) {
    const { volumeMiB, nameServer = false } = more;
    this.places = new PairPlaces({ name, target, net, port, volumeMiB, nameServer });
    this.stack = new TestStack(name, {
      active: "site-a",
      deployment: {
        domain: `${name}.example.test`,
        database: { kind: "streaming", synchronous: "strict", ...database },
        sites: {},
      },
    });
  }

  get access(): Access {
    if (!this.#access) throw new Error("the pair is not up");
    return this.#access;
  }

  node(site: Site): NodeHandle {
    return this.places.node(site);
  }

  get nodes(): readonly NodeHandle[] {
    return [this.node("site-a"), this.node("site-b")];
  }

  /** What Docker knows the site's node as: a container of the deployment's own, or the machine that it is on. */
  container(site: Site): string {
    return this.node(site).container;
  }

  get containers(): readonly string[] {
    return this.nodes.map(({ container }) => container);
  }

  get active(): Site {
    return this.stack.config.active as Site;
  }

  get standby(): Site {
    return other(this.active);
  }

  /** Everything that is there before the first `up`: the machines, and a stack that knows them. */
  async prepare(): Promise<void> {
    const { sites, database, ...rest } = await this.places.make();
    Object.assign(this.stack.config.deployment, rest);
    Object.assign(this.stack.config.deployment.sites, sites);
    const { database: own } = this.stack.config.deployment;
    this.stack.config.deployment.database = { ...database, ...own };
    await this.stack.init();
  }

  async bringUp(): Promise<void> {
    await this.prepare();
    await succeed(this.up("--skip-preview"));
    await this.findAccess();
  }

  /** After an `up`: how a client gets in. */
  async findAccess(): Promise<void> {
    const { uri, caCertificate } = await this.stack.outputs<{ uri: string; caCertificate: string }>();
    this.#access = accessFrom(uri, caCertificate);
  }

  up(...args: string[]): Promise<Outcome> {
    this.#writeConfig();
    return this.stack.pulumi("up", "--yes", ...args);
  }

  preview(...args: string[]): Promise<Outcome> {
    this.#writeConfig();
    return this.stack.pulumi("preview", ...args);
  }

  /** As an operator does in a hurry: the one value, and no second preview. */
  async moveTo(site: Site): Promise<string> {
    this.stack.config.active = site;
    return await succeed(this.up("--skip-preview"));
  }

  /** The operator's statement that the other site is fenced, said now. */
  declareFenced(from: Site, extra: Partial<FailoverConfig> = {}): void {
    const fenceConfirmed = "powered off by hand, seen by the test";
    this.failover = { from, to: other(from), fenceConfirmed, at: new Date().toISOString(), ...extra };
    this.stack.config.active = this.failover.to;
  }

  async startLedger(options: LedgerOptions = {}, only?: Site): Promise<Ledger> {
    const ledger = await Ledger.start(only ? this.accessOnly(only) : this.access, options);
    this.#ledgers.push(ledger);
    return ledger;
  }

  /** As a client that knows of one site only. */
  accessOnly(site: Site): Access {
    const targets = this.access.targets.filter((target) => target.host.startsWith(`${site}.`));
    if (targets.length !== 1) throw new Error(`no target for ${site}`);
    return { ...this.access, targets };
  }

  /** The wish of the last `up`; with another `active`, what the next would want. */
  async wish(active: Site = this.active): Promise<Desired> {
    const { wish } = await this.stack.outputs<{ wish: string }>();
    return { ...(JSON.parse(wish) as Desired), active };
  }

  async observe(desired?: Desired): Promise<Observed> {
    const request = JSON.stringify({ desired: desired ?? (await this.wish()) });
    const child = run(process.execPath, ["scripts/converge.ts", "observe"], { maxBuffer: 1 << 26 });
    child.child.stdin?.end(request);
    return JSON.parse((await child).stdout) as Observed;
  }

  /** I1 to I3 by the ledger on both copies, I4 by the nodes' own facts. */
  async judge(ledger: Ledger | History): Promise<Verdict> {
    const history = ledger instanceof Ledger ? await ledger.stop() : ledger;
    await this.settled();
    const verdict = check(history, await copiesOf(this.containers, this.access.database));
    const wish = await this.wish();
    const wrong = [
      ...verdict.violations.map(({ invariant, message }) => `${invariant}  ${message}`),
      ...complaints(await this.observe(wish), wish).map((message) => `I4  ${message}`),
    ];
    if (wrong.length > 0) throw new Error(`${wrong.join("\n")}\n${summary(verdict)}`);
    return verdict;
  }

  /** The standby has replayed all that the primary had when it was asked; somebody may write on meanwhile. */
  async settled(seconds = 30): Promise<void> {
    const primary = this.container(this.active);
    let written: string | undefined;
    await eventually(seconds, "the standby has everything and is synchronous", async () => {
      written ??= await sql(primary, "SELECT pg_current_wal_lsn()");
      const state = await sql(
        primary,
        `SELECT sync_state, replay_lsn >= '${written}'::pg_lsn FROM pg_stat_replication`,
      );
      return state === "sync|t" || undefined;
    });
  }

  /** I7, of an update itself: it fails when it changed something. A preview before it would say the same once more. */
  async expectNoChanges(): Promise<void> {
    await succeed(this.up("--skip-preview", "--expect-no-changes"));
  }

  /** After a test that failed, so that the next one fails for reasons of its own: both sites up, whoever led leads. */
  async recover(): Promise<void> {
    this.endLedgers();
    this.failover = undefined;
    delete this.stack.config.deployment.database["settings"];
    await Promise.all(this.nodes.map((node) => node.start()));
    const sites: Site[] = ["site-a", "site-b"];
    this.stack.config.active = await eventually(30, "somebody leads", async () => {
      for (const site of sites) {
        if ((await sql(this.container(site), "SELECT pg_is_in_recovery()").catch(() => "")) === "f")
          return site;
      }
      return undefined;
    });
    await this.up("--skip-preview");
  }

  endLedgers(): void {
    for (const ledger of this.#ledgers.splice(0)) ledger.kill();
  }

  async remove(): Promise<void> {
    this.endLedgers();
    await this.places.removeMachines();
    await this.stack.remove();
    await this.places.remove();
  }

  #writeConfig(): void {
    this.stack.writeConfig({
      ...(this.failover && { "understudy:failover": this.failover }),
      ...(Object.keys(this.repair).length > 0 && { "understudy:repair": this.repair }),
    });
  }
}

export function other(site: Site): Site {
  return site === "site-a" ? "site-b" : "site-a";
}

export { refused, succeed } from "./stack.ts";
