/** A conversation with a program on a host that vanishes: whoever ends it is not kept waiting. */
import { PassThrough } from "node:stream";
import { describe, expect, test } from "vitest";
import { LineSession, type Program } from "../../../components/hosts/lineSession.ts";
import { DeploymentLock } from "../../../components/roles/lock.ts";
import type { NodeAccess } from "../../../components/roles/session.ts";

/** Answers what `answers` names; its end is never confirmed. */
function vanishing(answers: readonly string[]): { program: Program; stopped: () => boolean } {
  const stdin = new PassThrough();
  const stdout = new PassThrough();
  let stopped = false;
  stdin.on("data", (line: Buffer) => {
    const text = line.toString().trim();
    if (text === "") return;
    const { id, verb } = JSON.parse(text) as { id: number; verb: string };
    if (answers.includes(verb)) stdout.write(`${JSON.stringify({ id, result: { tookOver: null } })}\n`);
  });
  const program: Program = {
    ...{ stdin, stdout, stderr: new PassThrough() },
    ended: new Promise(() => {}),
    stop: () => {
      stopped = true;
    },
  };
  return { program, stopped: () => stopped };
}

async function msOf(work: Promise<unknown>): Promise<number> {
  const begun = performance.now();
  await work;
  return performance.now() - begun;
}

describe("a program whose end nobody confirms", () => {
  test("does not keep its session from closing, and is ended", async () => {
    const { program, stopped } = vanishing([]);
    const session = new LineSession("a", program);
    const asked = expect(session.call("observe", {})).rejects.toMatchObject({ code: "E_CHANNEL" });
    expect(await msOf(session.close())).toBeLessThan(3_000);
    await asked;
    expect(stopped()).toBe(true);
    expect(session.ended).toBe(true);
  });

  test("does not keep the deployment's lock from being given back on the others", async () => {
    const sessions = ["a", "b"].map((name) => new LineSession(name, vanishing(["lock", "unlock"]).program));
    const access = new Map(
      sessions.map((session, index) => [
        `n${index}`,
        { openAnother: async () => session } as unknown as NodeAccess,
      ]),
    );
    const lock = new DeploymentLock();
    await lock.take(access, "somebody", () => {});
    expect(await msOf(lock.release(true))).toBeLessThan(3_000);
    expect(sessions.every(({ ended }) => ended)).toBe(true);
  });
});
