import { describe, expect, test } from "vitest";
import {
  hasSecret,
  masker,
  plain,
  same,
  secret,
  UNKNOWN,
  wrap,
} from "../../../../scripts/toolchain/plugins/wire.ts";

/** Output values as the engine writes them for plugins that accept them; ours do not ask for them, but understand them. */
const output = (rest: object) => ({
  "4dabf18193072939515e22adb298388d": "d0e6a833031e9bbcd3f4e8bde6ca49a4",
  ...rest,
});

describe("plain", () => {
  test.each([
    [secret({ a: [secret("x")] }), { a: ["x"] }],
    [output({ value: "x", secret: true }), "x"],
    [output({}), UNKNOWN],
    [
      { value: "x", secret: true },
      { value: "x", secret: true },
    ],
  ])("of %j", (wire, expected) => {
    expect(plain(wire)).toEqual(expected);
  });

  test("an object that merely looks like a secret output is none", () => {
    expect(hasSecret({ value: "x", secret: true })).toBe(false);
    expect(hasSecret([output({ value: "x", secret: true })])).toBe(true);
  });
});

describe("masker", () => {
  test("hides secrets whole and line by line, the longest first, and leaves short ones", () => {
    const pem = `-----BEGIN KEY-----\n${"A".repeat(64)}\n-----END KEY-----`;
    const mask = masker({
      a: secret("password"),
      b: [secret({ c: "password-long" })],
      d: secret("5432"),
      e: secret(pem),
    });
    expect(mask("password-long password 5432")).toBe("[secret] [secret] 5432");
    expect(mask(`read ${"A".repeat(64)}!`)).toBe("read [secret]!");
  });

  test("hides nothing else", () => {
    expect(masker({ open: "password", unknown: secret(UNKNOWN) })(`password ${UNKNOWN}`)).toBe(
      `password ${UNKNOWN}`,
    );
  });
});

test("same ignores the order of keys, and tells absent from null", () => {
  expect(same({ a: 1, b: [2] }, { b: [2], a: 1 })).toBe(true);
  expect(same({ a: null }, {})).toBe(false);
  expect(same([1, 2], [2, 1])).toBe(false);
});

describe("wrap", () => {
  const never = (): boolean => false;

  test("keeps a secret where it was inside a value that is echoed", () => {
    const origin = { env: { user: "u", password: secret("p") } };
    expect(wrap({ env: { user: "u", password: "p" } }, [origin], never)).toEqual(origin);
  });

  test("makes a changed value secret as a whole where its origin held a secret", () => {
    const origin = { env: { user: "u", password: secret("p") } };
    expect(wrap({ env: { user: "v" } }, [origin], never)).toEqual({ env: secret({ user: "v" }) });
  });

  test("drops null", () => {
    expect(wrap({ gone: null, stays: 0 }, [], never)).toEqual({ stays: 0 });
  });
});
