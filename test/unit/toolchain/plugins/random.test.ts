import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { bcrypt } from "../../../../scripts/toolchain/plugins/random/bcrypt.ts";
import { random } from "../../../../scripts/toolchain/plugins/random/provider.ts";
import type { Values } from "../../../../scripts/toolchain/plugins/resourceType.ts";
import { hasSecret, plainValues, UNKNOWN } from "../../../../scripts/toolchain/plugins/wire.ts";
import { Engine } from "./engine.ts";

const password = "random:index/randomPassword:RandomPassword";
const text = "random:index/randomString:RandomString";
const bytes = "random:index/randomBytes:RandomBytes";
const identifier = "random:index/randomId:RandomId";

let engine: Engine;
beforeAll(async () => {
  engine = await Engine.of(random);
});
afterAll(() => engine.stop());

async function made(token: string, inputs: Values): Promise<Values> {
  return plainValues((await engine.create(token, inputs)).state);
}

/** State that pulumi-random 4.16 recorded (its upgrade tests, `testdata/recorded/TestProviderUpgrade`). */
const official = {
  __meta: '{"schema_version":"3"}',
  bcryptHash: "$2a$10$HsFvLK4wI7aLBcqPQiJ8DOGYyeymRSM.MNTWUbd/Q3.SykJ/ukpBi",
  id: "none",
  length: 16,
  lower: true,
  minLower: 2,
  minNumeric: 2,
  minSpecial: 2,
  minUpper: 2,
  number: true,
  numeric: true,
  result: "Qp7:#8odTqS)5#bS",
  special: true,
  upper: true,
};

describe("RandomPassword", () => {
  test("records what the official provider records, and nothing secret in the open", async () => {
    const { id, state } = await engine.create(password, { length: 16 });
    expect(id).toBe("none");
    expect(Object.keys(state).sort()).toEqual(Object.keys(official).sort());
    expect(plainValues(state)).toMatchObject({ __meta: official.__meta, special: true, minUpper: 0 });
    const secrets = Object.keys(state).filter((key) => hasSecret(state[key] ?? null));
    expect(secrets.sort()).toEqual(["bcryptHash", "result"]);
  });

  test("has the length and the kinds of characters that were asked for", async () => {
    const { result } = await made(password, {
      length: 40,
      minUpper: 3,
      minNumeric: 4,
      minSpecial: 5,
      overrideSpecial: "_-",
      lower: false,
    });
    expect(result).toMatch(/^[A-Z0-9_-]{40}$/);
    const count = (pattern: RegExp): number => String(result).match(pattern)?.length ?? 0;
    expect(count(/[A-Z]/g)).toBeGreaterThanOrEqual(3);
    expect(count(/[0-9]/g)).toBeGreaterThanOrEqual(4);
    expect(count(/[_-]/g)).toBeGreaterThanOrEqual(5);
    const letters = await made(password, { length: 64, special: false, number: false });
    expect(letters.result).toMatch(/^[A-Za-z]{64}$/);
    expect(letters).toMatchObject({ number: false, numeric: false });
  });

  test("is another one each time, and uses all characters", async () => {
    const results = await Promise.all(
      Array.from({ length: 5 }, async () => String((await made(text, { length: 1000 })).result)),
    );
    expect(new Set(results).size).toBe(5);
    expect(new Set(results.join("")).size).toBe(26 + 26 + 10 + 21);
  });

  test("at preview the result is an unknown secret", async () => {
    const { state } = await engine.create(password, { length: 8 }, true);
    expect(hasSecret(state.result ?? null)).toBe(true);
    expect(plainValues(state).result).toBe(UNKNOWN);
  });

  test("refuses lengths that cannot be", async () => {
    const tooShort = await engine.check(password, { length: 3, minUpper: 2, minLower: 2 });
    expect(Object.keys(tooShort.failures)).toEqual(["length"]);
    const nothing = { length: 3, upper: false, lower: false, numeric: false, special: false };
    expect(Object.keys((await engine.check(password, nothing)).failures)).toEqual(["special"]);
    expect(Object.keys((await engine.check(password, {})).failures)).toEqual(["length"]);
  });

  test("a password made by the official provider stays as it is", async () => {
    const inputs = { length: 16, lower: true, minLower: 2, minNumeric: 2, minSpecial: 2, minUpper: 2 };
    const olds = { ...inputs, number: true, special: true, upper: true };
    expect((await engine.diff(password, olds, inputs, official)).changes).toBe(1);
    const read = await engine.read(password, "none", official, olds);
    expect(read.state).toEqual(official);
  });

  test.each([
    ["length", 17],
    ["special", false],
    ["keepers", { epoch: "2" }],
  ])("a changed %s makes a new one", async (key, value) => {
    const inputs = { length: 16, keepers: { epoch: "1" } };
    expect((await engine.diff(password, inputs, { ...inputs, [key]: value })).replaces).toEqual([key]);
  });
});

test("RandomString is its own id and no secret", async () => {
  const { id, state } = await engine.create(text, { length: 12, special: false });
  expect(state).toMatchObject({ result: id, __meta: '{"schema_version":"2"}' });
  expect(id).toMatch(/^[A-Za-z0-9]{12}$/);
});

test("RandomBytes: the same bytes in two forms, secret, and not in the id", async () => {
  const { id, state } = await engine.create(bytes, { length: 32 });
  expect(id).toBe("none");
  expect(hasSecret(state.base64 ?? null) && hasSecret(state.hex ?? null)).toBe(true);
  const { base64, hex } = plainValues(state);
  expect(Buffer.from(String(base64), "base64").toString("hex")).toBe(hex);
  expect(hex).toHaveLength(64);
});

test("RandomId: the same number in four forms, with the prefix on each but the id", async () => {
  const { id, state } = await engine.create(identifier, { byteLength: 8, prefix: "p-" });
  const number = Buffer.from(id, "base64url");
  expect(number).toHaveLength(8);
  expect(state).toMatchObject({
    b64Url: `p-${number.toString("base64url")}`,
    b64Std: `p-${number.toString("base64")}`,
    hex: `p-${number.toString("hex")}`,
    dec: `p-${number.readBigUInt64BE()}`,
  });
});

/** The first is Openwall's published vector; the others were made with crypt(3) of libxcrypt. */
test.each([
  ["U*U", "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW"],
  ["hello", "$2a$04$YNYM7v7a0jLHOxA21HMBt.ZLuscXVxe59eVv//qF.T9PQEkEgpOki"],
  ["", "$2a$04$uEWVJMt1BXaW4fJXzxaCC.q5jLIAH33C2nyNonSMgEuOHR12MS7oq"],
  ["häß", "$2a$06$GOah0zPwdytqSrca3GPhSeZ.uf76CThaM07fYmLKm6KTvA7aSJkOi"],
  ["x".repeat(80), "$2a$05$ZfHvZrq0oeM7aKoV/UkkbOd7JEc7WmwvJQmPAfLNDv6vo1iSct4qa"],
  ["Qp7:#8odTqS)5#bS", "$2a$10$HsFvLK4wI7aLBcqPQiJ8DOGYyeymRSM.MNTWUbd/Q3.SykJ/ukpBi"],
])("bcrypt of %j", (phrase, expected) => {
  expect(bcrypt(phrase, Number(expected.slice(4, 6)), saltOf(expected))).toBe(expected);
});

/** bcrypt's base 64 is the usual one with its alphabet in another order. */
function saltOf(hash: string): Buffer {
  const theirs = "./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
  const usual = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  return Buffer.from(
    hash.slice(7, 29).replace(/./g, (digit) => usual.charAt(theirs.indexOf(digit))),
    "base64",
  );
}
