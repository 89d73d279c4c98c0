/**
 * A pair that a test moves about: the stack, its ledger, and what must hold when all is over (I1 to I4 and I7 of the
 * acceptance matrix). Its nodes are named after their sites, so every word about a site is one about a node.
 */
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import type { Desired } from "../../components/roles/desired.ts";
import type { Observed } from "../../components/roles/facts.ts";
import { type Access, accessFrom } from "./client.ts";
import { complaints } from "./healed.ts";
import { copiesOf, Ledger, type LedgerOptions } from "./ledger.ts";
import { check, type History, summary, type Verdict } from "./ledgerHistory.ts";
import { eventually, sql } from "./nodes.ts";
import { docker, type Outcome, type StackConfig, TestStack } from "./stack.ts";

const run = promisify(execFile);

export type Site = "site-a" | "site-b";

export interface PairStackOptions {
  readonly name: string;
  /** Second number of the subnet. */
  readonly net: number;
  /** First of three: site-a, site-b, and 21 above it the name server. */
  readonly port: number;
  readonly database?: Record<string, unknown>;
}

export interface FailoverConfig {
  readonly from: Site;
  readonly to: Site;
  readonly fenceConfirmed: string;
  readonly at: string;
  readonly validForMinutes?: number;
  readonly acceptDataLoss?: boolean;
}

export class PairStack {
  readonly stack: TestStack;
  failover: FailoverConfig | undefined;
  #access: Access | undefined;
  readonly #ledgers: Ledger[] = [];

  constructor({ name, net, port, database }: PairStackOptions) {
    this.stack = new TestStack(name, {
      active: "site-a",
      deployment: {
        domain: `${name}.example.test`,
        database: { kind: "streaming", synchronous: "strict", ...database },
        containers: { subnet: `10.${net}.0.0/16` },
        names: { publishedPort: port + 21 },
        sites: {
          "site-a": { target: "containers", publishedPort: port },
          "site-b": { target: "containers", publishedPort: port + 1 },
        },
      } satisfies StackConfig["deployment"],
    });
  }

  get access(): Access {
    if (!this.#access) throw new Error("the pair is not up");
    return this.#access;
  }

  container(site: Site): string {
    return `${this.stack.name}-${site}`;
  }

  get containers(): readonly string[] {
    return [this.container("site-a"), this.container("site-b")];
  }

  get active(): Site {
    return this.stack.config.active as Site;
  }

  get standby(): Site {
    return other(this.active);
  }

  async bringUp(): Promise<void> {
    await this.stack.init();
    await succeed(this.up());
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

  async observe(): Promise<Observed> {
    const request = JSON.stringify({ desired: await this.wish() });
    const child = run(process.execPath, ["scripts/converge.ts", "observe"], { maxBuffer: 1 << 26 });
    child.child.stdin?.end(request);
    return JSON.parse((await child).stdout) as Observed;
  }

  /** I1 to I3 by the ledger on both copies, I4 by the nodes' own facts. */
  async judge(ledger: Ledger | History): Promise<Verdict> {
    const history = ledger instanceof Ledger ? await ledger.stop() : ledger;
    await this.settled();
    const verdict = check(history, await copiesOf(this.containers, this.access.database));
    const wrong = [
      ...verdict.violations.map(({ invariant, message }) => `${invariant}  ${message}`),
      ...complaints(await this.observe(), await this.wish()).map((message) => `I4  ${message}`),
    ];
    if (wrong.length > 0) throw new Error(`${wrong.join("\n")}\n${summary(verdict)}`);
    return verdict;
  }

  /** The standby has replayed all that the primary has. */
  async settled(seconds = 30): Promise<void> {
    const primary = this.container(this.active);
    await eventually(seconds, "the standby has everything and is synchronous", async () => {
      const state = await sql(
        primary,
        "SELECT sync_state, pg_current_wal_lsn() = replay_lsn FROM pg_stat_replication",
      );
      return state === "sync|t" || undefined;
    });
  }

  /** I7. */
  async expectNoChanges(): Promise<void> {
    await succeed(this.up("--expect-no-changes"));
  }

  /** After a test that failed, so that the next one fails for reasons of its own: both sites up, whoever led leads. */
  async recover(): Promise<void> {
    this.endLedgers();
    this.failover = undefined;
    delete this.stack.config.deployment.database["settings"];
    for (const container of this.containers) await docker("start", container);
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
    await this.stack.remove();
  }

  #writeConfig(): void {
    this.stack.writeConfig(this.failover ? { "understudy:failover": this.failover } : {});
  }
}

export function other(site: Site): Site {
  return site === "site-a" ? "site-b" : "site-a";
}

export async function succeed(outcome: Promise<Outcome>): Promise<string> {
  const { code, text } = await outcome;
  if (code !== 0) throw new Error(text);
  return text;
}

/** A refusal with this code; its text. */
export async function refused(outcome: Promise<Outcome>, code: string): Promise<string> {
  const { code: status, text } = await outcome;
  if (status === 0 || !text.includes(code)) throw new Error(`not refused with ${code}:\n${text}`);
  return text;
}
