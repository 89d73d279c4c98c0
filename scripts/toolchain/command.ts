/** Running another program and keeping what it said. */
import { spawn } from "node:child_process";
import { accessSync, constants, createWriteStream, mkdirSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";

export interface CommandResult {
  /** null: it did not start, or it was ended. */
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CommandOptions {
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
  /** It is ended after this time. */
  readonly timeoutMs?: number;
  readonly input?: string;
  /** Its output goes to this file too, for a look after a failure. */
  readonly logFile?: string;
}

/** Never rejects: a program that cannot be started is one that failed. */
export function runCommand(
  program: string,
  args: readonly string[],
  options: CommandOptions = {},
): Promise<CommandResult> {
  return new Promise((resolve) => {
    const child = spawn(program, args, {
      cwd: options.cwd,
      env: options.env ?? process.env,
      stdio: [options.input === undefined ? "ignore" : "pipe", "pipe", "pipe"],
      timeout: options.timeoutMs,
      killSignal: "SIGKILL",
    });
    const log = options.logFile === undefined ? undefined : openLog(options.logFile);
    let stdout = "";
    let stderr = "";
    child.stdout?.setEncoding("utf8").on("data", (text: string) => {
      stdout += text;
      log?.write(text);
    });
    child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      stderr += text;
      log?.write(text);
    });
    const settle = (code: number | null) => {
      log?.end();
      resolve({ code, stdout, stderr });
    };
    child.on("error", (error) => {
      stderr += error.message;
      settle(null);
    });
    child.on("close", settle);
    child.stdin?.on("error", () => {}).end(options.input);
  });
}

/** Runs with the user's terminal; returns the exit code. */
export function runVisibly(
  program: string,
  args: readonly string[],
  options: CommandOptions = {},
): Promise<number> {
  return new Promise((resolve) => {
    // Ctrl-C reaches the child from the terminal, and it decides: Pulumi ends an update in an orderly way.
    const ignore = () => {};
    process.on("SIGINT", ignore);
    const child = spawn(program, args, {
      cwd: options.cwd,
      env: options.env ?? process.env,
      stdio: "inherit",
    });
    const pass = (signal: NodeJS.Signals) => child.kill(signal);
    process.on("SIGTERM", pass);
    const settle = (code: number) => {
      process.off("SIGINT", ignore);
      process.off("SIGTERM", pass);
      resolve(code);
    };
    child.on("error", (error) => {
      process.stderr.write(`${program}: ${error.message}\n`);
      settle(127);
    });
    child.on("close", (code) => settle(code ?? 1));
  });
}

/** The full path of a program on the PATH; undefined if there is none. */
export function onPath(program: string, path: string = process.env.PATH ?? ""): string | undefined {
  return path
    .split(delimiter)
    .filter((folder) => folder !== "")
    .map((folder) => join(folder, program))
    .find(isExecutable);
}

export function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** The end of what a failed program said, indented, for an error message. */
export function lastLines(text: string, count = 12): string[] {
  return text
    .split("\n")
    .map((line) => line.trimEnd())
    .filter((line) => line !== "")
    .slice(-count);
}

function openLog(file: string) {
  mkdirSync(dirname(file), { recursive: true });
  return createWriteStream(file, { flags: "a" });
}
