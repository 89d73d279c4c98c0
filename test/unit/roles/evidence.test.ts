import { expect, test } from "vitest";
import { readEvidence } from "../../../components/roles/roleChange.ts";

test("no role change is no evidence, as a value that an output can have: undefined is warned of at every update", () => {
  expect(readEvidence("site-a leads; everything is as desired.\n")).toBeNull();
  expect(readEvidence("")).toBeNull();
});

test("the last line of evidence is what the output has", () => {
  expect(readEvidence('evidence: {"mode":"old"}\nx\nevidence: {"mode":"failover"}\n')).toEqual({
    mode: "failover",
  });
});
