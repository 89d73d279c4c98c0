import { describe, expect, test } from "vitest";
import { applied, difference } from "../../../components/record/difference.ts";

describe("a difference of texts", () => {
  const cases = [
    { name: "none", from: { a: "1" }, to: { a: "1" }, written: {} },
    {
      name: "another content",
      from: { a: "1", b: "2" },
      to: { a: "3", b: "2" },
      written: { put: { a: "3" } },
    },
    { name: "a new one", from: {}, to: { a: "" }, written: { put: { a: "" } } },
    { name: "one less", from: { a: "1", b: "2" }, to: { b: "2" }, written: { removed: ["a"] } },
  ];
  for (const { name, from, to, written } of cases) {
    test(`${name}: is all that is written down, and leads back`, () => {
      expect(difference(from, to)).toEqual(written);
      expect(applied(difference(from, to), from)).toEqual(to);
    });
  }
});
