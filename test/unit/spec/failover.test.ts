/** The configuration key `failover`: what is read of it, and what is said of what is not. */
import { describe, expect, test } from "vitest";
import { parseWith, problemsWith } from "./configuration.ts";

const statement = {
  from: "site-a",
  to: "site-b",
  fenceConfirmed: "powered off",
  at: "2026-06-01T11:55:00Z",
};

test("it is optional, and has a validity and no consent by default", () => {
  expect(parseWith()).toMatchObject({ ok: true, deployment: { failover: undefined } });
  expect(parseWith({ active: "site-b", failover: statement })).toMatchObject({
    ok: true,
    deployment: { failover: { ...statement, validForMinutes: 15, acceptDataLoss: false } },
  });
});

test("its instant may be written without quotes, which YAML and Pulumi turn into another notation", () => {
  const failover = { ...statement, at: "2026-06-01 11:55:00.705 +0000 UTC" };
  expect(parseWith({ active: "site-b", failover })).toMatchObject({
    ok: true,
    deployment: { failover: { at: "2026-06-01T11:55:00.705Z" } },
  });
});

describe("what cannot be read", () => {
  test.each([
    ["now", "E_TYPE", "failover"],
    [{ ...statement, at: undefined }, "E_REQUIRED", "failover.at"],
    [{ ...statement, fenceconfirmed: "x" }, "E_UNKNOWN_KEY", "failover.fenceconfirmed"],
    [{ ...statement, validForMinutes: 1441 }, "E_RANGE", "failover.validForMinutes"],
    [{ ...statement, validForMinutes: 0 }, "E_RANGE", "failover.validForMinutes"],
    [{ ...statement, acceptDataLoss: "yes" }, "E_TYPE", "failover.acceptDataLoss"],
  ])("%j", (failover, code, path) => {
    expect(problemsWith({ active: "site-b", failover })).toMatchObject([{ code, path }]);
  });
});
