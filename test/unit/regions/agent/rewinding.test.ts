/** Whether a member's agent sees that pg_rewind works on its data: asked of real processes. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { expect, test } from "vitest";
import { inAgent } from "../../../support/agentPython.ts";

function isRewinding(folder: string): boolean {
  const script = "import files, rewinding\nfiles.PGDATA = given\ntell(rewinding.is_rewinding())";
  return inAgent<boolean>(script, folder);
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
