import { expect, test } from "vitest";
import { parseRegional } from "../../../../components/spec/regional/parse.ts";
import { now } from "../configuration.ts";
import { hosts, minimalRegions, regionalProblems } from "./configuration.ts";

test("no message shows a secret, wherever somebody put it", () => {
  const canary = "canary-4711";
  const uri = `://user:${canary}@x`;
  const given = {
    deployment: {
      database: {
        timing: { profile: `password=${canary}`, token: canary },
        scope: uri,
        password: canary,
        settings: { primary_conninfo: `password=${canary}`, archive_command: `curl https${uri} %p` },
      },
      containers: { dockerHost: `tcp${uri}:2375` },
      regions: {
        "region-a": {
          consulToken: canary,
          members: { "region-a-1": { address: uri, password: canary, settings: { ssl_key_file: canary } } },
          fenceCommand: { command: ["fence", "--token", canary] },
        },
      },
    },
  };
  const problems = regionalProblems(given);
  expect(problems.length).toBeGreaterThan(9);
  expect(JSON.stringify(problems)).not.toContain(canary);
});

/** Every value that the configuration has, at its path, replaced by each of these. */
const junk: readonly unknown[] = [
  undefined,
  null,
  0,
  -1,
  1.5,
  Number.MAX_SAFE_INTEGER,
  "",
  "x",
  "__proto__",
  "10.86.0.1",
  "10.86.0.0/33",
  [],
  [null],
  {},
  { "": {} },
  { __proto__: null, constructor: {} },
  true,
];

const full = {
  ...minimalRegions,
  name: "demo",
  database: {
    kind: "patroni",
    scope: "s",
    version: 17,
    synchronous: "strict",
    timing: { profile: "fast", ttlSeconds: 20 },
    maximumLagMiB: 1,
    sessionChecks: ["serfHealth"],
    settings: { work_mem: "8MB" },
    clientAccess: [{ databases: ["app"], roles: ["app"], network: "10.0.0.0/8" }],
    roles: { app: {} },
    databases: { app: { extensions: ["x"] } },
  },
  regions: {
    "region-a": {
      target: "containers",
      leader: "a-1",
      members: { "a-1": { address: "10.86.1.99", settings: { fsync: "on" } }, "a-2": {}, "a-3": {} },
      consulServers: hosts("c-1", "c-2", "c-3"),
      proxies: { p: { publishedWritePort: 1, publishedReadPort: 2 } },
      fenceCommand: { command: ["x"] },
    },
    "region-b": {
      target: "machines",
      machine: { user: "admin", packageMirror: { url: "u", suite: "s", key: "k" } },
      members: { "b-1": { machine: { host: "192.0.2.1", jump: { host: "192.0.2.2" } } } },
    },
  },
  names: { server: { kind: "container" } },
  certificates: {},
  containers: { subnet: "10.86.0.0/16" },
};

function replacedEverywhere(tree: unknown, value: unknown): unknown[] {
  if (typeof tree !== "object" || tree === null) return [value];
  const each = Object.keys(tree).flatMap((name) =>
    replacedEverywhere((tree as Record<string, unknown>)[name], value).map((inner) =>
      Array.isArray(tree)
        ? tree.map((one, index) => (String(index) === name ? inner : one))
        : { ...tree, [name]: inner },
    ),
  );
  return [value, ...each];
}

test("no junk, wherever it stands, makes it throw, and every refusal has a reason", () => {
  const givens = junk.flatMap((value) => replacedEverywhere(full, value));
  expect(givens.length).toBeGreaterThan(700);
  for (const deployment of givens) {
    const parsed = parseRegional({ stack: "demo", active: "region-a", deployment, now });
    if (!parsed.ok) expect(parsed.problems.length).toBeGreaterThan(0);
  }
  for (const value of junk) {
    const raw = { stack: "demo", active: value, deployment: full, failover: value, repair: value, now };
    expect(() => parseRegional(raw)).not.toThrow();
  }
});
