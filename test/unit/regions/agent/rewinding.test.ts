/** Whether a member's agent sees that pg_rewind works on its data: asked of real processes. */
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { expect, test } from "vitest";

const components = join(import.meta.dirname, "../../../../components");
const modules = [join(components, "regions/agent"), join(components, "postgres/node")];

function isRewinding(folder: string): boolean {
  const script = `import sys
sys.dont_write_bytecode = True
sys.path[:0] = sys.argv[2:]
import files, rewinding
files.PGDATA = sys.argv[1]
print(rewinding.is_rewinding())`;
  const { stdout, stderr } = spawnSync("python3", ["-c", script, folder, ...modules], { encoding: "utf8" });
  expect(stderr).toBe("");
  return stdout.trim() === "True";
}

test("it does while a process of that name works on this directory, and on no other", async () => {
  const [ours, other] = ["/var/lib/understudy-test-ours", "/var/lib/understudy-test-other"];
  expect(isRewinding(ours)).toBe(false);
  const child = spawn("sh", ["-c", "echo up; read -r end", "-D", ours], {
    argv0: "/usr/lib/postgresql/17/bin/pg_rewind",
    stdio: ["pipe", "pipe", "inherit"],
  });
  const ended = once(child, "exit");
  await once(child.stdout, "data");
  expect([isRewinding(ours), isRewinding(other)]).toEqual([true, false]);
  child.stdin.end();
  await ended;
  expect(isRewinding(ours)).toBe(false);
});
