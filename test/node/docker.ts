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

/** Everything that a test made under a label, `name=value`: containers first, what they use after them. */
export async function removeLabelled(label: string): Promise<void> {
  const list = async (...args: string[]) =>
    (await docker(...args, "-q", "--filter", `label=${label}`)).split("\n").filter((id) => id !== "");
  const containers = await list("ps", "-a");
  if (containers.length > 0) await docker("rm", "-f", "-v", ...containers);
  const volumes = await list("volume", "ls");
  if (volumes.length > 0) await docker("volume", "rm", ...volumes);
  const networks = await list("network", "ls");
  if (networks.length > 0) await docker("network", "rm", ...networks);
}
