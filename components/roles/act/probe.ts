/**
 * Measures the write gap of a switchover as a client sees it: a writer on the new primary's host that goes through
 * both nodes (or the proxies of both regions). It measures and decides nothing: where it fails, the change goes on without a number.
 */
import type { SessionOf } from "../conversation.ts";
import type { ProbeResult, ProbeTarget, Verbs } from "../session.ts";

/** Whatever else an agent understands: a probe is run by these. */
type Session = SessionOf<Pick<Verbs, "probeStart" | "probeStop">>;

const everyMs = 10;
/** How long the writer may need for its first write to the new primary. */
const defaultGraceSeconds = 3;

export class Probe {
  readonly #targets: readonly ProbeTarget[];
  readonly #report: (line: string) => void;
  readonly #graceSeconds: number;
  /** A conversation of its own: the probe runs while the other one carries the steps. */
  readonly #session: Promise<Session | undefined>;
  #runs = false;

  constructor(
    access: { openAnother(): Promise<Session> },
    targets: readonly ProbeTarget[],
    report: (line: string) => void,
    graceSeconds = defaultGraceSeconds,
  ) {
    this.#graceSeconds = graceSeconds;
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

  async stop(findings: { probe: ProbeResult | undefined }): Promise<void> {
    if (!this.#runs) return;
    this.#runs = false;
    const session = await this.#session;
    const graceSeconds = this.#graceSeconds;
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
