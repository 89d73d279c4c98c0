import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { processIdentity, tryLock } from "../../../scripts/toolchain/lock.mjs";
import { parseLock } from "../../../scripts/toolchain/locks.ts";

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "understudy-lock-"));
  path = join(folder, "locks", "name");
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

function take() {
  const lock = tryLock(path);
  if (!("release" in lock)) throw new Error(`held by ${lock.holder}`);
  return lock;
}

describe("a lock", () => {
  test("is had by one at a time, and leaves nothing", () => {
    const lock = take();
    expect(tryLock(path)).toEqual({ holder: process.pid });
    lock.release();
    take().release();
    expect(readdirSync(join(folder, "locks"))).toEqual([]);
  });

  test("of a process that has ended is taken over", () => {
    const ended = spawnSync(process.execPath, ["-e", ""]).pid;
    take().release();
    writeFileSync(path, `${ended}@1`);
    take().release();
  });

  test("of an earlier process with the same number is taken over", () => {
    take().release();
    writeFileSync(path, `${process.pid}@1`);
    take().release();
  });

  test("of another process that runs is respected, until it is killed", async () => {
    const module = pathToFileURL(join(import.meta.dirname, "../../../scripts/toolchain/lock.mjs")).href;
    const code = `const { tryLock } = await import(${JSON.stringify(module)});
      tryLock(${JSON.stringify(path)}); console.log("locked"); setInterval(() => {}, 1000);`;
    const other = spawn(process.execPath, ["--input-type=module", "-e", code], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    await once(other.stdout, "data");
    expect(tryLock(path)).toEqual({ holder: other.pid });
    other.kill("SIGKILL");
    await once(other, "exit");
    take().release();
  });

  test("that was taken over is not released by the one who lost it", () => {
    const lost = take();
    writeFileSync(path, "1@0");
    lost.release();
    expect(existsSync(path)).toBe(true);
    expect(readFileSync(path, "utf8")).toBe("1@0");
  });
});

test("a process is told from a later one with its number", () => {
  expect(processIdentity(process.pid)).toMatch(new RegExp(`^${process.pid}@`));
  expect(processIdentity(2 ** 30)).toBeUndefined();
});

test("Pulumi's own lock says who holds it; anything else in its place says nothing", () => {
  expect(parseLock('{"pid":12,"username":"u","hostname":"h","timestamp":"t"}')).toEqual({
    pid: 12,
    hostname: "h",
  });
  expect(parseLock("")).toBeUndefined();
  expect(parseLock('{"pid":"12"}')).toBeUndefined();
});
