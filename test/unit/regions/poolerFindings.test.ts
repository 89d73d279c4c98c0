import { expect, test } from "vitest";
import type { PoolerFacts } from "../../../components/regions/facts.ts";
import { ofPooler } from "../../../components/regions/poolerFindings.ts";
import { allHosts } from "../../../components/regions/wish.ts";
import { UnitFakes } from "../../support/unitFakes.ts";

const program = { state: "running", reason: null, restarts: 0, loaded: {}, installed: {} } as const;
const well: PoolerFacts = {
  paused: null,
  clients: { active: 3, waiting: 0, longestWaitMs: 0 },
  servers: { active: 1, idle: 2 },
};

function found(pooler: PoolerFacts | null, pgbouncer: object = {}): string[] {
  const fakes = new UnitFakes();
  const host = allHosts(fakes.desired).find(({ name }) => name === "a-proxy");
  if (!host) throw new Error("no proxy");
  const report = { ...fakes.report(host), pooler, programs: { pgbouncer: { ...program, ...pgbouncer } } };
  return ofPooler("a-proxy", report).map(({ severity, code, message }) => `${severity} ${code} ${message}`);
}

test("one that serves has nothing to be told of", () => {
  expect(found(well)).toEqual([]);
});

test("a pause of ours is a note, because it ends by itself", () => {
  expect(found({ ...well, paused: { resumesInMs: 4200 } })).toEqual([
    expect.stringMatching(/^note N_POOLER_PAUSED a-proxy: .*in 5 s at the latest/),
  ]);
});

test("a pause by somebody's hand does not end", () => {
  expect(found({ ...well, paused: { resumesInMs: null } })).toEqual([
    expect.stringMatching(/^wrong W_POOLER_PAUSED a-proxy: .*RESUME/),
  ]);
});

test("clients that wait for too long", () => {
  const waiting = (longestWaitMs: number) => ({ ...well, clients: { active: 3, waiting: 2, longestWaitMs } });
  expect(found(waiting(10_000))).toEqual([]);
  expect(found(waiting(10_001))).toEqual([expect.stringMatching(/^wrong W_POOLER .*2 pooled clients wait/)]);
});

test("one that does not answer; one that does not run is told of as a program", () => {
  expect(found(null)).toEqual(["wrong W_POOLER a-proxy: its PgBouncer does not answer"]);
  expect(found(null, { state: "backoff" })).toEqual([]);
});
