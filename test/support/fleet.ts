/**
 * Nodes that live in memory and obey the verbs: just enough of PostgreSQL and its agent to see whether a plan,
 * carried out, leads where it should. A node behaves as its facts say, also in what it refuses.
 */
import type { Desired, DesiredNode } from "../../components/roles/desired.ts";
import type { NodeFacts, NodeReport, Observed } from "../../components/roles/facts.ts";
import { type NodeAccess, NodeError, type Session, type Verbs } from "../../components/roles/session.ts";
import { control, emptyCatalog, report, SYSTEM, sender, slot, sqlFacts } from "./facts.ts";
import { nodeFromFacts, type SimNode } from "./simNode.ts";

export class SimFleet {
  readonly nodes: Record<string, SimNode>;
  readonly desired: Desired;
  /** Every call that changes something, as `node verb`. */
  readonly calls: string[] = [];
  /** Before the call with this number (from 0) the node is cut off, as by a killed container. */
  cutAt: number | undefined;
  /** `node verb` → the refusal. */
  readonly refuses = new Map<string, string>();

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
    if (node.unit === "unreachable") return { reach: "unreachable", reason: "cut off" };
    if (node.unit === "absent") return { reach: "absent", data: "none" };
    if (node.unit === "stopped") return { reach: "stopped", reason: "exit 137" };
    return { reach: "up", report: this.#report(name, node) };
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

  #accessTo(name: string): NodeAccess {
    const session: Session = {
      call: async (verb, args) => {
        await Promise.resolve();
        return this.#call(name, verb, args);
      },
      close: async () => undefined,
    };
    return {
      observe: async () => this.facts(name),
      open: async () => session,
      startUnit: async () => {
        this.calls.push(`${name} startUnit`);
        this.startUnit(name);
      },
      close: async () => undefined,
    };
  }

  /** The container comes up and its supervisor starts what is there. */
  startUnit(name: string): void {
    const node = this.node(name);
    node.unit = "up";
    if (node.data === "ready") this.#start(name, node);
  }

  #call<V extends keyof Verbs>(name: string, verb: V, args: Verbs[V]["args"]): Verbs[V]["result"] {
    const node = this.node(name);
    if (verb !== "observe" && this.cutAt === this.calls.length)
      throw new NodeError(name, "E_CHANNEL", "cut off");
    if (verb !== "observe") this.calls.push(`${name} ${verb}`);
    const refusal = this.refuses.get(`${name} ${verb}`);
    if (refusal !== undefined) throw new NodeError(name, "E_TEST", refusal);
    const verbs: { [K in keyof Verbs]: (args: Verbs[K]["args"]) => Verbs[K]["result"] } = {
      observe: () => this.#report(name, node),
      initdb: () => {
        this.#requireNoData(name, node);
        Object.assign(node, {
          data: "ready",
          standby: false,
          controlState: "shut down",
          systemIdentifier: SYSTEM,
        });
        return {};
      },
      clone: ({ from, discard }) => {
        if (node.server === "running") throw new NodeError(name, "E_RUNNING", "the server runs");
        if (discard === undefined) this.#requireNoData(name, node, ["empty", "building"]);
        else if (discard !== node.systemIdentifier) throw new NodeError(name, "E_DATA", "another system");
        const source = this.node(from);
        const wish = this.#wish(name);
        if (!source.slots.some((s) => s.name === wish.slot && s.walStatus !== "lost")) {
          throw new NodeError(name, "E_SLOT", "no slot");
        }
        Object.assign(node, {
          data: "ready",
          standby: true,
          follows: from,
          controlState: "shut down in recovery",
          systemIdentifier: source.systemIdentifier,
          slots: [],
        });
        return { bytes: 4e7 };
      },
      follow: ({ from }) => {
        if (node.server === "running") throw new NodeError(name, "E_RUNNING", "the server runs");
        Object.assign(node, { standby: true, follows: from });
        return {};
      },
      start: () => {
        this.#start(name, node);
        return { ms: 1 };
      },
      restart: () => {
        this.#start(name, node);
        return { ms: 1 };
      },
      stop: () => {
        const state = node.standby ? "shut down in recovery" : "shut down";
        Object.assign(node, { server: "held", streams: false, controlState: state });
        return { ms: 1 };
      },
      reload: () => {
        node.files = { ...node.files, loaded: node.files.installed };
        return { errors: [] };
      },
      slots: ({ ensure, drop }) => {
        const kept = node.slots.filter((s) => !drop.includes(s.name));
        const missing = ensure.filter((s) => !kept.some((k) => k.name === s));
        node.slots = [...kept, ...missing.map((s) => slot(s, { active: false }))];
        return {};
      },
      sql: () => ({}),
      password: () => ({}),
      awaitStandby: ({ standby }) => {
        const other = this.node(standby);
        const fits =
          other.unit === "up" && other.server === "running" && other.standby && other.follows === name;
        const held = node.slots.find((s) => s.name === this.#wish(standby).slot);
        if (!fits || !held || held.walStatus === "lost")
          throw new NodeError(name, "E_TIMEOUT", `${standby} does not stream`);
        other.streams = true;
        node.slots = node.slots.map((s) => (s === held ? { ...s, active: true } : s));
        return { ms: 1 };
      },
      generation: ({ value }) => {
        node.generation = value;
        return {};
      },
    };
    return verbs[verb](args);
  }

  #start(name: string, node: SimNode): void {
    if (node.data !== "ready") throw new NodeError(name, "E_NO_DATA", `its data directory is ${node.data}`);
    const controlState = node.standby ? "in archive recovery" : "in production";
    const files = { ...node.files, loaded: node.files.installed, started: node.files.installed };
    Object.assign(node, { server: "running", controlState, files });
    if (!node.standby) for (const other of Object.values(this.nodes)) other.streams = false;
  }

  #requireNoData(name: string, node: SimNode, allowed: readonly string[] = ["empty", "building"]): void {
    if (!allowed.includes(node.data))
      throw new NodeError(name, "E_DATA_PRESENT", `its data directory is ${node.data}`);
  }

  #wish(name: string): DesiredNode {
    const wish = this.desired.nodes.find((node) => node.name === name);
    if (!wish) throw new Error(`no wish for ${name}`);
    return wish;
  }

  #report(name: string, node: SimNode): NodeReport {
    const standbys = Object.entries(this.nodes).filter(
      ([, other]) => other.streams && other.follows === name,
    );
    const whole = node.data === "ready" || node.data === "rewinding";
    const sql =
      node.server !== "running"
        ? null
        : sqlFacts(node.standby, {
            systemIdentifier: node.systemIdentifier,
            walReceiver: node.streams ? { status: "streaming", host: "", slot: null } : null,
            senders: standbys.map(([standby]) => sender(standby)),
            slots: node.slots,
            catalog: node.standby ? null : emptyCatalog,
          });
    return report(name, {
      generation: node.generation,
      files: node.files,
      server: { state: node.server, reason: null, sql },
      data: {
        state: node.data,
        control: whole ? control(node.controlState, { systemIdentifier: node.systemIdentifier }) : null,
        standbySignal: whole && node.standby,
        follows: whole ? node.follows : null,
        freeBytes: 1e10,
        sizeBytes: 4e7,
      },
    });
  }
}
