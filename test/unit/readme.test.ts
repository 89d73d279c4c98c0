import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { insertReference, renderReference } from "../../components/spec/reference.ts";

test("the README has the configuration reference of the schema as it is; `npm run reference` writes it", () => {
  const readme = readFileSync("README.md", "utf8");
  expect(readme).toBe(insertReference(readme, renderReference()));
});
