/** A program inside a container of ours, by its name: not every image has pgrep. */
import { docker } from "./stack.ts";

/** Process numbers as the container has them, the oldest first. */
export async function processesOf(container: string, program: string): Promise<string[]> {
  const named = `[ "$(cat "$p/comm" 2>/dev/null)" != ${program} ] || echo "\${p#/proc/}"`;
  const list = await docker("exec", container, "sh", "-c", `for p in /proc/[0-9]*; do ${named}; done`);
  return list
    .split("\n")
    .filter((pid) => pid !== "")
    .sort((a, b) => Number(a) - Number(b));
}

/** The one of this name that started the others. */
/** Sent as the account that it runs as: root has no right to that in a container of ours. */
export async function signal(container: string, program: string, name: "KILL" | "TERM" | "STOP" | "CONT") {
  const [pid] = await processesOf(container, program);
  if (pid === undefined) throw new Error(`${container}: no ${program} runs`);
  // The shell's own: not every image has the program.
  await docker("exec", container, "sh", "-c", `kill -${name} ${pid}`);
  return pid;
}

/** Not by the name: each of PostgreSQL's processes has the same. */
export async function killPostmaster(container: string): Promise<void> {
  const pid = "$(head -n 1 /var/lib/understudy/pgdata/postmaster.pid)";
  await docker("exec", container, "sh", "-c", `kill -KILL ${pid}`);
}
