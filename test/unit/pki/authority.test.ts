import { describe, expect, test } from "vitest";
import { authorityWarning, readAuthority } from "../../../components/pki/authority.ts";
import { intermediate, leaf, root } from "./authorities.ts";

const begin = Date.parse("2026-01-01T00:00:00Z");

describe("readAuthority", () => {
  test("of a root: it issues, and there is no chain", () => {
    expect(readAuthority(root)).toEqual({
      issuer: root,
      chain: "",
      notBefore: begin,
      notAfter: Date.parse("2046-01-01T00:00:00Z"),
    });
  });

  test("of an intermediate with its root: the first issues, servers send what is below the root", () => {
    const bundle = `our CA\n${intermediate}${root}`;
    expect(readAuthority(bundle)).toEqual({
      issuer: intermediate,
      chain: intermediate,
      notBefore: begin,
      notAfter: Date.parse("2036-01-01T00:00:00Z"),
    });
  });

  test("refuses what would not be trusted, or could not issue", () => {
    expect(() => readAuthority("")).toThrow("there is no certificate in it");
    expect(() => readAuthority(leaf)).toThrow('"CN=leaf" is not the certificate of a CA');
    expect(() => readAuthority(intermediate)).toThrow('"CN=intermediate" is not a root; append');
    expect(() => readAuthority(root + intermediate)).toThrow(
      '"CN=root" was not issued by "CN=intermediate", which follows it',
    );
  });
});

describe("authorityWarning", () => {
  const authority = { notBefore: Date.parse("2026-01-01"), notAfter: Date.parse("2026-04-11") }; // 100 days

  test.each([
    ["2026-01-02", undefined],
    ["2026-04-01", undefined], // exactly 10 %
    [
      "2026-04-02",
      "the certificate authority ends in 9 days, on 2026-04-11; it is not renewed by itself: bring in a new one",
    ],
    [
      "2026-04-11",
      "the certificate authority has expired on 2026-04-11: no connection is accepted until there is a new one",
    ],
  ])("on %s", (day, warning) => {
    expect(authorityWarning(authority, new Date(day))).toBe(warning);
  });
});
