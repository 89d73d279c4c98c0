import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { processIdentity } from "../../../scripts/toolchain/lock.mjs";
import { abandoned, disown, own } from "../../support/leftovers.ts";

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "understudy-owners-"));
});

afterEach(() => {
  rmSync(folder, { recursive: true });
});

test("what a process made is abandoned once it has ended, and not before", () => {
  own("understudy.test=mine", folder);
  const { pid } = spawnSync("true");
  writeFileSync(join(folder, encodeURIComponent("understudy.test=of-one-that-ended")), `${pid}@1`);
  expect(abandoned(folder)).toEqual(["understudy.test=of-one-that-ended"]);
});

test("a later process with the number of the one that made it does not own it", () => {
  const [pid, started] = (processIdentity(process.pid) ?? "").split("@");
  writeFileSync(join(folder, "a%3Db"), `${pid}@${Number(started) - 1}`);
  expect(abandoned(folder)).toEqual(["a=b"]);
});

test("what was removed belongs to nobody", () => {
  writeFileSync(join(folder, "a%3Db"), "1@0");
  disown("a=b", folder);
  expect(abandoned(folder)).toEqual([]);
  expect(abandoned(join(folder, "none"))).toEqual([]);
});
