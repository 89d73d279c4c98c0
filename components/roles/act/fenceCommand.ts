/**
 * Runs a program of the user's on this machine: no shell, nothing on its stdin, a process group of its own that is
 * ended at the limit with everything in it, and as much of what it printed as an operator needs.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { lastLines, OutputTail } from "./printed.ts";

export interface CommandLimits {
  readonly command: readonly string[];
  readonly timeoutSeconds: number;
  /** Between SIGTERM and SIGKILL. */
  readonly graceMs?: number;
}

export interface CommandRun {
  /** When it began, ISO 8601. */
  readonly at: string;
  readonly ms: number;
  /** null: see `ending`. */
  readonly exitCode: number | null;
  readonly timedOut: boolean;
  /** How it ended, in words. */
  readonly ending: string;
  /** The end of what it printed, without what looks like a secret. */
  readonly printed: readonly string[];
}

export type RunCommand = (limits: CommandLimits) => Promise<CommandRun>;

export function succeeded({ exitCode, timedOut }: CommandRun): boolean {
  return exitCode === 0 && !timedOut;
}

/** A program that left something running in the background may have handed it the pipe: it is not waited for. */
const drainMs = 200;
const defaultGraceMs = 2000;
const endings = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

export const runCommand: RunCommand = async ({ command, timeoutSeconds, graceMs = defaultGraceMs }) => {
  const at = new Date().toISOString();
  const began = performance.now();
  const tail = new OutputTail();
  const end = (how: Pick<CommandRun, "exitCode" | "timedOut" | "ending">): CommandRun => {
    return { at, ms: Math.round(performance.now() - began), ...how, printed: lastLines(tail, process.env) };
  };
  const [program = "", ...args] = command;
  let child: ChildProcess;
  try {
    child = spawn(program, args, { detached: true, stdio: ["ignore", "pipe", "pipe"] });
    for (const stream of [child.stdout, child.stderr]) stream?.on("data", (chunk) => tail.add(chunk));
    await once(child, "spawn");
  } catch (error) {
    return end({
      exitCode: null,
      timedOut: false,
      ending: notBegun(program, error as NodeJS.ErrnoException),
    });
  }
  const release = endedWithUs(child);
  const closed = once(child, "close");
  const exited = new Promise<void>((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null) resolve();
    else child.once("exit", () => resolve());
  });
  const timedOut = await isLate(exited, timeoutSeconds * 1000);
  if (timedOut) await endGroup(child, exited, graceMs);
  await isLate(closed, drainMs);
  release();
  for (const stream of [child.stdout, child.stderr]) stream?.destroy();
  child.unref();
  const { exitCode, signalCode } = child;
  if (timedOut) return end({ exitCode, timedOut, ending: `not done after ${timeoutSeconds} s, and ended` });
  const ending = signalCode === null ? `exit code ${exitCode}` : `ended by ${signalCode}`;
  return end({ exitCode, timedOut, ending });
};

async function isLate(done: Promise<unknown>, ms: number): Promise<boolean> {
  const timer = new AbortController();
  const late = sleep(ms, true, { signal: timer.signal }).catch(() => true);
  const result = await Promise.race([done.then(() => false), late]);
  timer.abort();
  return result;
}

/** With everything that it started, also where the program itself obeys and its children do not. */
async function endGroup(child: ChildProcess, exited: Promise<void>, graceMs: number): Promise<void> {
  signalGroup(child, "SIGTERM");
  const until = performance.now() + graceMs;
  while (signalGroup(child, 0) && performance.now() < until) await sleep(20);
  signalGroup(child, "SIGKILL");
  // One that hangs in the kernel is not waited for: it is out of time already.
  await isLate(exited, graceMs);
}

/** Whether anybody was there. */
function signalGroup({ pid }: ChildProcess, signal: NodeJS.Signals | 0): boolean {
  try {
    return pid !== undefined && process.kill(-pid, signal);
  } catch {
    return false;
  }
}

/** A group of its own does not hear the terminal's Ctrl-C, and nobody would end it at its limit then. */
function endedWithUs(child: ChildProcess): () => void {
  const pass = (signal: NodeJS.Signals): void => {
    release();
    signalGroup(child, "SIGKILL");
    process.kill(process.pid, signal);
  };
  const release = (): void => {
    for (const signal of endings) process.off(signal, pass);
  };
  for (const signal of endings) process.on(signal, pass);
  return release;
}

function notBegun(program: string, { code, message }: NodeJS.ErrnoException): string {
  switch (code) {
    case "ENOENT":
      return `it did not begin: there is no program "${program}" on this machine (ENOENT)`;
    case "EACCES":
      return `it did not begin: "${program}" may not be executed (EACCES)`;
    default:
      return `it did not begin: ${message}`;
  }
}
