/** The `docker` command, with its error as an error. */
import { spawn } from "node:child_process";

export function docker(...args: readonly string[]): Promise<string> {
  return dockerWith(undefined, ...args);
}

export function dockerWith(stdin: string | undefined, ...args: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn("docker", args, { stdio: ["pipe", "pipe", "pipe"], timeout: 90_000 });
    let out = "";
    let err = "";
    child.stdout.on("data", (chunk) => {
      out += chunk;
    });
    child.stderr.on("data", (chunk) => {
      err += chunk;
    });
    child.on("error", reject);
    child.on("close", (code) => {
      if (code === 0) resolve(out.trimEnd());
      else
        reject(new Error(`docker ${args.slice(0, 4).join(" ")}: exit ${code}: ${err.trim() || out.trim()}`));
    });
    child.stdin.on("error", () => undefined);
    child.stdin.end(stdin ?? "");
  });
}
