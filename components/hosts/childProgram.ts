/** A child process as a program to speak with. */
import { spawn } from "node:child_process";
import type { Program } from "./lineSession.ts";

const killAfterMs = 2_000;

export function childProgram(
  [program, ...args]: readonly [string, ...string[]],
  environment: Readonly<Record<string, string>> = {},
): Program {
  const env = { ...process.env, ...environment };
  const child = spawn(program, args, { stdio: ["pipe", "pipe", "pipe"], env });
  const { stdin, stdout, stderr } = child;
  const ended = new Promise<string>((resolve) => {
    child.on("error", (error) => resolve(`cannot run ${program}: ${error.message}`));
    child.on("close", (code, signal) => resolve(`the connection ended (${signal ?? `exit ${code}`})`));
  });
  const stop = () => {
    child.kill("SIGTERM");
    setTimeout(() => child.kill("SIGKILL"), killAfterMs).unref();
  };
  return { stdin, stdout, stderr, ended, stop };
}
