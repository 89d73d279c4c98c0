/** Which gossip keys a host's Consul starts with, where its volume has some already. */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { inAgent } from "../../../support/agentPython.ts";

const program = `from consulprogram import ConsulProgram
from unit import ProgramSpec
ConsulProgram(ProgramSpec("consul", ("consul",), None, 15, 1.0, (), ()), b"").prepare()
tell(None)`;

let folder: string;
const ring = () => join(folder, "data/consul/serf/local.keyring");

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "understudy-keyring-"));
  mkdirSync(join(folder, "config/secrets"), { recursive: true });
  mkdirSync(join(folder, "data/consul/serf"), { recursive: true });
});

afterEach(() => {
  rmSync(folder, { recursive: true });
});

/** What comes before a start of Consul. */
function start(agent: string, key: string): void {
  const secrets = { encrypt: key, acl: { tokens: { agent } } };
  writeFileSync(join(folder, "config/secrets/consul.json"), JSON.stringify(secrets));
  const [UNDERSTUDY_CONFIG, UNDERSTUDY_DATA] = [join(folder, "config"), join(folder, "data")];
  inAgent(program, null, { UNDERSTUDY_CONFIG, UNDERSTUDY_DATA });
}

const has = (...keys: string[]) => writeFileSync(ring(), JSON.stringify(keys));

test("keys of another membership are forgotten", () => {
  start("token-1", "old");
  has("old");
  start("token-2", "new");
  expect(existsSync(ring())).toBe(false);
  has("new");
  start("token-2", "new");
  expect(existsSync(ring())).toBe(true);
});

test("they stay where the key is among them, or is being changed", () => {
  start("token-1", "old");
  has("old");
  start("token-1", "new");
  expect(JSON.parse(readFileSync(ring(), "utf8"))).toEqual(["old"]);
  has("old", "new");
  start("token-2", "new");
  expect(JSON.parse(readFileSync(ring(), "utf8"))).toEqual(["old", "new"]);
});

test("what nobody has noted is nobody else's", () => {
  has("old");
  start("token-1", "new");
  expect(JSON.parse(readFileSync(ring(), "utf8"))).toEqual(["old"]);
});

test("a disk that is full does not keep Consul down", () => {
  writeFileSync(join(folder, "data/state"), "nobody can make a folder of this name");
  start("token-1", "old");
});

test("no token is written down", () => {
  start("token-1", "old");
  expect(readFileSync(join(folder, "data/state/gossip-member"), "utf8")).not.toContain("token-1");
});
