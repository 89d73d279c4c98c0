/**
 * The way to a node's agent, whatever the node runs in: a look at its unit from outside, a kept conversation, an agent
 * beside a unit that is stopped, and the unit's start. Each target says in a driver what these are with it. Every
 * question has a limit, because a host that hangs must become a fact and not a hang of ours.
 */
import { setTimeout as sleep } from "node:timers/promises";
import {
  type AccessOf,
  type Look,
  NodeError,
  type Observing,
  type VerbTable,
} from "../roles/conversation.ts";
import type { Verbs } from "../roles/session.ts";
import { KeptSession } from "./keptSession.ts";
import type { LineSession } from "./lineSession.ts";

/** Both ends of what is asked of a target. Everything rejects when the host does not answer. */
export interface Driver<V extends VerbTable<V>> {
  inspect(): Promise<UnitState<V>>;
  /** The unit's own agent. */
  converse(): Promise<LineSession<V>>;
  /** Asks for the start and does not wait for what comes of it. */
  start(timeoutSeconds: number): Promise<void>;
  /** Returns when it has stopped and was started again. */
  restart(timeoutSeconds: number): Promise<void>;
}

/** What a host says of the container or unit. */
export type UnitState<V extends VerbTable<V>> =
  | { readonly is: "absent"; readonly data: "none" | "kept" }
  /** It has state in memory and may go on any moment. */
  | { readonly is: "frozen"; readonly reason: string }
  /** It may be up the next moment: nobody may touch its data. */
  | { readonly is: "restarting"; readonly reason: string }
  /** `converseBeside`: with an agent that can see its data, and must have ended before the unit starts. */
  | {
      readonly is: "stopped";
      readonly reason: string;
      readonly converseBeside: () => Promise<LineSession<V>>;
    }
  /** `image`: what the container was made from, where it is one. */
  | { readonly is: "running"; readonly image?: string };

/** The verbs of an agent that can at least be looked at. */
export type Observable<V> = VerbTable<V> & Observing<unknown>;
export type ReportOf<V extends Observable<V>> = V["observe"]["result"];

export interface AccessLimits {
  /** The node's report, with its catalog. */
  readonly observeMs: number;
  /** Between two looks at a unit that starts. */
  readonly pollMs: number;
}

/** What a pair's node is spoken to by. */
export const nodeAgent = "/etc/understudy/node.py";
/** What a host of a region is spoken to by. */
export const unitAgent = "/etc/understudy/agent.py";

export const defaultAccessLimits: AccessLimits = { observeMs: 10_000, pollMs: 100 };

export class AgentAccess<V extends Observable<V> = Verbs> implements AccessOf<V, Look<ReportOf<V>>> {
  readonly #node: string;
  readonly #unit: "container" | "unit";
  readonly #driver: Driver<V>;
  readonly #limits: AccessLimits;
  readonly #session: KeptSession<V>;
  /** With an agent beside the stopped unit. */
  #beside: LineSession<V> | undefined;

  /** `unit`: what the target's people call it. */
  constructor(
    node: string,
    unit: "container" | "unit",
    driver: Driver<V>,
    { observeMs, pollMs }: Partial<AccessLimits>,
  ) {
    this.#node = node;
    this.#unit = unit;
    this.#driver = driver;
    this.#limits = {
      observeMs: observeMs ?? defaultAccessLimits.observeMs,
      pollMs: pollMs ?? defaultAccessLimits.pollMs,
    };
    this.#session = new KeptSession(() => driver.converse());
  }

  async observe({ catalog }: { catalog: boolean }): Promise<Look<ReportOf<V>>> {
    return await this.#look(catalog, true);
  }

  async open(): Promise<LineSession<V>> {
    if (this.#beside && !this.#beside.ended) return this.#beside;
    return await this.#session.get();
  }

  async openAnother(): Promise<LineSession<V>> {
    return await this.#driver.converse();
  }

  async startUnit(timeoutSeconds: number): Promise<void> {
    await this.#leaveData();
    const deadline = performance.now() + timeoutSeconds * 1000;
    await this.#driver.start(timeoutSeconds);
    await this.#awaitUp(deadline, timeoutSeconds);
  }

  async restartUnit(timeoutSeconds: number): Promise<void> {
    await this.#leaveData();
    await this.#driver.restart(timeoutSeconds);
    await this.#awaitUp(performance.now() + timeoutSeconds * 1000, timeoutSeconds);
  }

  async #awaitUp(deadline: number, timeoutSeconds: number): Promise<void> {
    for (;;) {
      const facts = await this.#look(false, false);
      if (facts.reach === "up") return;
      if (performance.now() > deadline) {
        const reason = "reason" in facts ? facts.reason : facts.reach;
        const failure = `the ${this.#unit} does not stay up within ${timeoutSeconds} s: ${reason}`;
        throw new NodeError(this.#node, "E_UNIT", failure);
      }
      await sleep(this.#limits.pollMs);
    }
  }

  async close(): Promise<void> {
    await Promise.all([this.#session.close(), this.#leaveData()]);
  }

  /** `inside`: whether to read the data of a stopped unit, which takes a short-lived agent beside it. */
  async #look(catalog: boolean, inside: boolean): Promise<Look<ReportOf<V>>> {
    try {
      const state = await this.#driver.inspect();
      switch (state.is) {
        case "absent":
          return { reach: "absent", data: state.data };
        case "stopped": {
          const report = inside ? await this.#lookBeside(state.converseBeside) : null;
          return { reach: "stopped", reason: state.reason, report };
        }
        case "restarting":
          return { reach: "stopped", reason: state.reason, report: null };
        case "frozen":
          await this.#leaveData();
          return { reach: "unreachable", reason: state.reason };
        case "running":
          await this.#leaveData();
          return withImage(await this.#ask(catalog), state.image);
      }
    } catch (error) {
      return { reach: "unreachable", reason: (error as Error).message };
    }
  }

  /** What cannot be read is no reason to take the host for unreachable: the unit is stopped, that is certain. */
  async #lookBeside(converse: () => Promise<LineSession<V>>): Promise<ReportOf<V> | null> {
    try {
      if (this.#beside === undefined || this.#beside.ended) this.#beside = await converse();
      return await this.#beside.call("observe", {}, { timeoutMs: this.#limits.observeMs });
    } catch {
      await this.#leaveData();
      return null;
    }
  }

  async #leaveData(): Promise<void> {
    await this.#beside?.close();
    this.#beside = undefined;
  }

  async #ask(catalog: boolean): Promise<Look<ReportOf<V>>> {
    try {
      const session = await this.open();
      const report = await session.call("observe", { catalog }, { timeoutMs: this.#limits.observeMs });
      return { reach: "up", report };
    } catch (error) {
      if (!(error instanceof NodeError) || error.code !== "E_CHANNEL") throw error;
      // No agent to talk to is as good as no unit: its data cannot be seen, and a start is what may help.
      const missing = /No such file|can't open file|is not running/.test(error.message);
      if (missing)
        return { reach: "stopped", reason: `its agent does not run: ${error.message}`, report: null };
      throw error;
    }
  }
}

function withImage<Report>(facts: Look<Report>, image: string | undefined): Look<Report> {
  return facts.reach === "up" && image !== undefined ? { ...facts, image } : facts;
}
