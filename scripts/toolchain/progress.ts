/**
 * What set-up says: one line per choice, and a sign of life from everything that takes longer than a moment.
 * All of it goes to stderr, so that `npm run -s pulumi -- stack output uri` prints the output and nothing else.
 */
const FIRST_SIGN_MS = 2_000;
const TERMINAL_EVERY_MS = 1_000;
const LOG_EVERY_MS = 15_000;

export interface Output {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): unknown;
}

export class Progress {
  readonly #output: Output;
  /** A choice that cost nothing is worth a line in `up`, and noise in front of every `pulumi` command. */
  readonly #quiet: boolean;
  readonly #active = new Map<string, number>();
  #timer: NodeJS.Timeout | undefined;
  #statusShown = false;

  constructor(options: { quiet: boolean; output?: Output }) {
    this.#quiet = options.quiet;
    this.#output = options.output ?? process.stderr;
  }

  /** What was found and is used as it is. */
  found(line: string): void {
    if (!this.#quiet) this.#line(line);
  }

  /** What was done, or will be. */
  done(line: string): void {
    this.#line(line);
  }

  /** Shows that `label` is going on until `work` settles; returns its value. */
  async during<T>(label: string, work: () => Promise<T>): Promise<T> {
    this.#active.set(label, Date.now());
    this.#timer ??= this.#startTimer();
    try {
      return await work();
    } finally {
      this.#active.delete(label);
      if (this.#active.size === 0) this.#stopTimer();
    }
  }

  #startTimer(): NodeJS.Timeout {
    const every = this.#output.isTTY ? TERMINAL_EVERY_MS : LOG_EVERY_MS;
    const timer = setInterval(() => this.#showStatus(), every);
    timer.unref();
    return timer;
  }

  #stopTimer(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#clearStatus();
  }

  #showStatus(): void {
    const now = Date.now();
    const slow = [...this.#active].filter(([, since]) => now - since >= FIRST_SIGN_MS);
    if (slow.length === 0) return;
    const status = renderStatus(slow.map(([label, since]) => ({ label, ms: now - since })));
    if (!this.#output.isTTY) {
      this.#output.write(`${status}\n`);
      return;
    }
    this.#output.write(`\r\x1b[K${status.slice(0, (this.#output.columns ?? 80) - 1)}`);
    this.#statusShown = true;
  }

  #clearStatus(): void {
    if (this.#statusShown) this.#output.write("\r\x1b[K");
    this.#statusShown = false;
  }

  #line(line: string): void {
    this.#clearStatus();
    this.#output.write(`${line}\n`);
  }
}

export function renderStatus(active: readonly { label: string; ms: number }[]): string {
  return `… ${active.map(({ label, ms }) => `${label} (${seconds(ms)})`).join(" · ")}`;
}

export function seconds(ms: number): string {
  return ms < 9_950 ? `${(ms / 1000).toFixed(1)} s` : `${Math.round(ms / 1000)} s`;
}

/** The time that `work` took, for the line that reports it. */
export async function timed<T>(work: () => Promise<T>): Promise<{ value: T; took: string }> {
  const started = Date.now();
  const value = await work();
  return { value, took: seconds(Date.now() - started) };
}
