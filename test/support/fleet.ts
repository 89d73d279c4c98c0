/**
 * Nodes that live in memory and obey the verbs (`simVerbs.ts`). A node behaves as its facts say, also in what it
 * refuses. Clients write after every verb, so that a plan that loses a write or lets two nodes take them is caught.
 */
import type { Desired, DesiredNode } from "../../components/roles/desired.ts";
import type { NodeFacts, NodeReport, Observed } from "../../components/roles/facts.ts";
import { type NodeAccess, NodeError, type Session, type Verbs } from "../../components/roles/session.ts";
import { emptyCatalog, report, sender, sqlFacts } from "./facts.ts";
import { lsn, nodeFromFacts, type SimNode } from "./simNode.ts";
import { controlOf, type SimWorld, simVerbs, startServer } from "./simVerbs.ts";

/** Verbs that are no part of what a converge does to a node. */
const silent = new Set([
  "observe",
  "prepare",
  "lock",
  "unlock",
  "control",
  "probeStart",
  "probeStop",
  "verify",
]);

export class SimFleet {
  readonly nodes: Record<string, SimNode>;
  readonly desired: Desired;
  /** Every call that changes something, as `node verb`. */
  readonly calls: string[] = [];
  /** Before the call with this number (from 0) everything is cut off, as by a killed converge. */
  cutAt: number | undefined;
  /** `node verb` → the refusal. */
  readonly refuses = new Map<string, string>();
  /** Writes that a client was told were committed. */
  readonly acknowledged: string[] = [];
  /** More than one node took writes at the same time. */
  readonly splits: string[] = [];
  #writes = 0;

  constructor(desired: Desired, nodes: Record<string, SimNode>) {
    this.desired = desired;
    this.nodes = nodes;
  }

  /** From facts, as a test of the plan makes them up. */
  static from(observed: Observed, desired: Desired): SimFleet {
    const nodes = Object.entries(observed.nodes).map(([name, facts]) => {
      const wish = desired.nodes.find((node) => node.name === name);
      if (!wish) throw new Error(`no wish for ${name}`);
      return [name, nodeFromFacts(facts, wish, desired)] as const;
    });
    return new SimFleet(desired, Object.fromEntries(nodes));
  }

  node(name: string): SimNode {
    const node = this.nodes[name];
    if (!node) throw new Error(`no node ${name}`);
    return node;
  }

  facts(name: string): NodeFacts {
    const node = this.node(name);
    if (node.unit === "unreachable" || node.cutOff) return { reach: "unreachable", reason: "cut off" };
    if (node.unit === "absent") return { reach: "absent", data: "none" };
    if (node.unit === "up") return { reach: "up", report: this.#report(name) };
    if (!node.readable) return { reach: "stopped", reason: "exit 137" };
    return { reach: "stopped", reason: "exit 137", report: this.#report(name) };
  }

  observed(): Observed {
    const names = Object.keys(this.nodes);
    return {
      at: "2026-01-01T00:00:00.000Z",
      nodes: Object.fromEntries(names.map((name) => [name, this.facts(name)])),
    };
  }

  access(): Map<string, NodeAccess> {
    return new Map(Object.keys(this.nodes).map((name) => [name, this.#accessTo(name)]));
  }

  /** The host goes down: nothing is flushed, nobody is told. */
  kill(name: string, unit: "stopped" | "unreachable" = "stopped"): void {
    Object.assign(this.node(name), { unit, server: "stopped", streams: false, readable: false });
    for (const other of Object.values(this.nodes)) if (other.follows === name) other.streams = false;
  }

  /** As a site's fence command does it. */
  powerOff(name: string): void {
    this.#note(name, "powerOff");
    this.kill(name, "unreachable");
    this.write();
  }

  /** The container comes up and its supervisor starts what is there. */
  startUnit(name: string): void {
    const node = this.node(name);
    node.unit = "up";
    if (node.data === "ready") startServer(name, node, this.#world);
  }

  /** Who would acknowledge a write now. */
  takers(): string[] {
    return Object.entries(this.nodes).flatMap(([name, node]) =>
      node.unit === "up" && node.server === "running" && !node.standby ? [name] : [],
    );
  }

  /** A client writes wherever it is let. A commit that nobody confirms is in the WAL, and never acknowledged. */
  write(): void {
    const takers = this.takers();
    if (takers.length > 1) this.splits.push(`${takers.join(" and ")} after ${this.calls.at(-1)}`);
    for (const name of takers) {
      const node = this.node(name);
      const record = `write ${this.#writes++} on ${name}`;
      const confirming = Object.values(this.nodes).filter((other) => other.streams && other.follows === name);
      node.wal.push(record);
      for (const other of confirming) other.wal = [...node.wal];
      const waits = this.desired.policy.synchronous === "strict" && node.degraded === null;
      if (confirming.length > 0 || !waits) this.acknowledged.push(record);
    }
  }

  readonly #world: SimWorld = (() => {
    const fleet = this;
    return {
      node: (name: string) => fleet.node(name),
      wish: (name: string) => fleet.#wish(name),
      report: (name: string) => fleet.#report(name),
      get all() {
        return fleet.nodes;
      },
    };
  })();

  #accessTo(name: string): NodeAccess {
    const converse = (): Session => {
      let locked = false;
      return {
        call: async (verb, args) => {
          await Promise.resolve();
          const result = this.#call(name, verb, args);
          if (verb === "lock") locked = true;
          if (verb === "unlock") locked = false;
          return result;
        },
        close: async () => {
          const { lock } = this.node(name);
          if (locked && lock) this.node(name).lock = { ...lock, alive: false };
        },
      };
    };
    const session = converse();
    return {
      observe: async () => this.facts(name),
      open: async () => session,
      openAnother: async () => converse(),
      startUnit: async () => {
        this.#note(name, "startUnit");
        this.startUnit(name);
      },
      restartUnit: async () => {
        throw new Error("nothing restarts the unit of a pair's node");
      },
      close: async () => undefined,
    };
  }

  #note(name: string, verb: string): void {
    if (this.cutAt === this.calls.length) throw new NodeError(name, "E_CHANNEL", "cut off");
    this.calls.push(`${name} ${verb}`);
  }

  #call<V extends keyof Verbs>(name: string, verb: V, args: Verbs[V]["args"]): Verbs[V]["result"] {
    const { unit, readable, cutOff } = this.node(name);
    if (cutOff) throw new NodeError(name, "E_CHANNEL", "it is cut off");
    if (unit !== "up" && !(unit === "stopped" && readable)) {
      throw new NodeError(name, "E_CHANNEL", `its unit is ${unit}`);
    }
    if (!silent.has(verb)) this.#note(name, verb);
    const refusal = this.refuses.get(`${name} ${verb}`);
    if (refusal !== undefined) throw new NodeError(name, "E_TEST", refusal);
    const result = simVerbs(name, this.#world)[verb](args);
    if (!silent.has(verb)) this.write();
    return result;
  }

  #wish(name: string): DesiredNode {
    const wish = this.desired.nodes.find((node) => node.name === name);
    if (!wish) throw new Error(`no wish for ${name}`);
    return wish;
  }

  #report(name: string): NodeReport {
    const node = this.node(name);
    const standbys = Object.entries(this.nodes).filter(
      ([, other]) => other.streams && other.follows === name,
    );
    const whole = node.data === "ready" || node.data === "rewinding";
    const end = lsn(node.wal.length);
    const sql =
      node.unit !== "up" || node.server !== "running"
        ? null
        : sqlFacts(node.standby, {
            systemIdentifier: node.systemIdentifier,
            timeline: node.timeline,
            currentLsn: node.standby ? null : end,
            receiveLsn: node.standby ? end : null,
            replayLsn: node.standby ? end : null,
            walReceiver: node.streams ? { status: "streaming", host: "", slot: null } : null,
            senders: standbys.map(([standby]) => sender(standby)),
            slots: node.slots,
            catalog: emptyCatalog,
          });
    return report(name, {
      generation: node.generation,
      files: node.files,
      server: { state: node.unit === "up" ? node.server : "stopped", reason: null, sql },
      promotion: node.promotion,
      history: node.history,
      degraded: node.degraded,
      lock: node.lock,
      received: {
        policy: this.desired.policy.synchronous,
        degraded: null,
        lastContactAt: "2026-01-01T00:00:00Z",
        primaryEndLsn: end,
        receivedLsn: end,
      },
      data: {
        state: node.data,
        control: whole ? controlOf(node) : null,
        standbySignal: whole && node.standby,
        follows: whole ? node.follows : null,
        freeBytes: 1e10,
        sizeBytes: 4e7,
      },
    });
  }
}
