/**
 * Measures the write gap of a switchover as a client sees it: a writer on the new primary's host that goes through
 * both nodes. It measures and decides nothing: where it fails, the change goes on without a number.
 */
import type { NodeAccess, ProbeTarget, Session } from "../session.ts";
import type { Findings } from "./evidence.ts";

const everyMs = 10;
/** How long the writer may need for its first write to the new primary. */
const graceSeconds = 3;

export class Probe {
  readonly #targets: readonly ProbeTarget[];
  readonly #report: (line: string) => void;
  /** A conversation of its own: the probe runs while the other one carries the steps. */
  readonly #session: Promise<Session | undefined>;
  #runs = false;

  constructor(access: NodeAccess, targets: readonly ProbeTarget[], report: (line: string) => void) {
    this.#targets = targets;
    this.#report = report;
    this.#session = access.openAnother().catch((error: Error) => this.#gaveUp(error));
  }

  async start(): Promise<void> {
    const session = await this.#session;
    await session?.call("probeStart", { targets: this.#targets, everyMs }).then(
      () => {
        this.#runs = true;
      },
      (error: Error) => this.#gaveUp(error),
    );
  }

  async stop(findings: Findings): Promise<void> {
    if (!this.#runs) return;
    this.#runs = false;
    const session = await this.#session;
    const limit = { timeoutMs: (graceSeconds + 10) * 1000 };
    findings.probe = await session
      ?.call("probeStop", { graceSeconds }, limit)
      .catch((error: Error) => this.#gaveUp(error));
  }

  async close(): Promise<void> {
    await (await this.#session)?.close();
  }

  #gaveUp(error: Error): undefined {
    this.#report(`the write gap is not measured: ${error.message}`);
  }
}
