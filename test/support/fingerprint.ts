/**
 * I5: a refusal changes nothing. What a role change could change on a node, as one text to compare: the container's
 * incarnation, the installed configuration, the role files and slots of the data directory.
 */
import { docker } from "./stack.ts";

const look = [
  "cd /config && find . -type f -exec sha256sum {} +",
  "cd /data && find . -maxdepth 1",
  "cd /data/pgdata && sha256sum *.conf *.signal 2>/dev/null",
  "ls /data/pgdata/pg_replslot /data/kept 2>/dev/null",
].join("; ");

export async function fingerprint(container: string): Promise<string> {
  const [image = "", ...state] = (
    await docker(
      "inspect",
      "-f",
      "{{.Config.Image}} {{.Id}} {{.State.StartedAt}} {{.State.Status}}",
      container,
    )
  ).split(" ");
  const volumes = ["-v", `${container}-data:/data:ro`, "-v", `${container}-config:/config:ro`];
  const isolated = ["run", "--rm", "--network", "none", "--user", "0", ...volumes, image];
  const files = await docker(...isolated, "sh", "-c", `${look}; true`);
  return [...state, ...files.split("\n").sort()].join("\n");
}

/** Runs something that must change nothing on these nodes. */
export async function untouched<T>(containers: readonly string[], act: () => Promise<T>): Promise<T> {
  const look = () => Promise.all(containers.map(fingerprint));
  const before = await look();
  const result = await act();
  const after = await look();
  if (before.join() !== after.join()) {
    throw new Error(`something was changed:\n${before.join("\n")}\n--- after\n${after.join("\n")}`);
  }
  return result;
}
