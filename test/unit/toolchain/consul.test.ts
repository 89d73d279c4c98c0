import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { CONSUL_VERSION } from "../../../components/consul/version.ts";
import { ensureConsul } from "../../../scripts/toolchain/consul.ts";
import { Progress } from "../../../scripts/toolchain/progress.ts";

const own = { architecture: process.arch === "x64" ? "amd64" : process.arch };
const progress = new Progress({ quiet: true, output: { write: () => true } });
let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "understudy-consul-"));
  vi.stubEnv("PATH", join(folder, "bin"));
  vi.stubEnv("XDG_CACHE_HOME", join(folder, "cache"));
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true, force: true });
});

function program(path: string, version: string): string {
  const file = join(folder, path);
  mkdirSync(join(file, ".."), { recursive: true });
  writeFileSync(file, `#!/bin/sh\necho "Consul v${version}"\n`);
  chmodSync(file, 0o755);
  return file;
}

const cachedFor = (architecture: string) =>
  program(`cache/understudy/consul-${CONSUL_VERSION}-linux-${architecture}/consul`, CONSUL_VERSION);

test.runIf(process.platform === "linux")("the installed program of this release is taken", async () => {
  cachedFor(own.architecture);
  const installed = program("bin/consul", CONSUL_VERSION);
  expect(await ensureConsul(progress, own)).toBe(installed);
});

test("an installed program of another release is not, because an image's tag names the release", async () => {
  program("bin/consul", "1.20.1");
  const cached = cachedFor(own.architecture);
  expect(await ensureConsul(progress, own)).toBe(cached);
});

test("an engine of another kind than this machine gets a program for its own", async () => {
  program("bin/consul", CONSUL_VERSION);
  const cached = cachedFor("riscv64");
  expect(await ensureConsul(progress, { architecture: "riscv64" })).toBe(cached);
});
