/** When a reload of HAProxy may be asked for: without a HAProxy. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { inAgent } from "../../../support/agentPython.ts";

/** How often the master was asked, and what was refused. It answers from the given time on. */
function awaited(answersFrom: number, socket = true): [asked: number, refused: string] {
  const folder = mkdtempSync(join(tmpdir(), "understudy-haproxy-"));
  if (socket) writeFileSync(join(folder, "haproxy-master.sock"), "");
  const script = `import haproxy as it
from files import Refusal
asked, refused = 0, ""
def command(text, path):
    global asked
    asked += 1
    if asked < given:
        raise Refusal("E_HAPROXY", "no answer")
    return "# workers\\n7 worker 0\\n"
it.command = command
try:
    it.await_master(0.3)
except Refusal as no:
    refused = f"{no.code}: {no}"
tell([asked, refused])`;
  try {
    return inAgent<[number, string]>(script, answersFrom, { UNDERSTUDY_RUN: folder });
  } finally {
    rmSync(folder, { recursive: true });
  }
}

test("a master that starts or reloads is waited for", () => {
  expect(awaited(3)).toEqual([3, ""]);
});

test("one that never answers is sent no signal", () => {
  const [, refused] = awaited(1000);
  expect(refused).toMatch(
    /^E_RELOAD: haproxy's master does not answer at .*haproxy-master.sock within 0.3 s/,
  );
});

test("one that was started without a socket is not asked", () => {
  expect(awaited(1, false)).toEqual([0, ""]);
});
