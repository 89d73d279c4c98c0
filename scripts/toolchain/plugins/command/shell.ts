import { spawn } from "node:child_process";
import { type Printed, Printing, type Stream } from "./printed.ts";

export interface Run {
  readonly command: string;
  /** The program that gets the command as its last argument. */
  readonly interpreter: readonly string[];
  readonly stdin?: string | undefined;
  readonly environment: Readonly<Record<string, string>>;
  readonly dir?: string | undefined;
  readonly signal: AbortSignal;
  /** Called with every line, as it is printed. */
  line(stream: Stream, text: string): void;
}

/** Between asking a command's processes to stop and ending them. */
const GRACE_MS = 10_000;

/**
 * Runs a command to its end. It gets a process group of its own, so that cancelling reaches what it started as well:
 * SIGTERM first, SIGKILL after a grace. A failure's text is the official provider's: how it ended, the command, and all
 * that it printed. What must not be seen there belongs on stdin.
 */
export function run(options: Run): Promise<Printed> {
  const { command, interpreter, signal } = options;
  const [program = "/bin/sh", ...prefix] = interpreter;
  return new Promise((resolve, reject) => {
    const printing = new Printing((stream, text) => options.line(stream, text));
    const fail = (how: string): void => reject(printing.failure(how, command));
    if (signal.aborted) {
      fail("cancelled");
      return;
    }
    const child = spawn(program, [...prefix, command], {
      cwd: options.dir,
      env: { ...process.env, ...options.environment },
      stdio: [options.stdin ? "pipe" : "ignore", "pipe", "pipe"],
      detached: true,
    });
    const killGroup = (kind: NodeJS.Signals): void => {
      if (child.pid !== undefined) {
        try {
          process.kill(-child.pid, kind);
        } catch {
          // The group is gone already.
        }
      }
    };
    let last: NodeJS.Timeout | undefined;
    const stop = (): void => {
      killGroup("SIGTERM");
      last = setTimeout(() => killGroup("SIGKILL"), GRACE_MS);
    };
    signal.addEventListener("abort", stop, { once: true });
    printing.read("stdout", child.stdout);
    printing.read("stderr", child.stderr);
    // A command need not read what it is given.
    child.stdin?.on("error", () => {});
    child.stdin?.end(options.stdin);
    let failure: Error | undefined;
    child.once("error", (error) => {
      failure = error;
      if (child.pid === undefined) {
        signal.removeEventListener("abort", stop);
        fail(error.message);
      }
    });
    child.once("close", (code, killedBy) => {
      clearTimeout(last);
      signal.removeEventListener("abort", stop);
      if (failure !== undefined && code === null && killedBy === null) {
        fail(failure.message);
      } else if (signal.aborted) {
        fail("cancelled");
      } else if (killedBy !== null) {
        fail(`signal: ${killedBy}`);
      } else if (code !== 0) {
        fail(`exit status ${code}`);
      } else {
        resolve(printing.printed());
      }
    });
  });
}
