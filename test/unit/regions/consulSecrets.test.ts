import { expect, test } from "vitest";
import { uuid } from "../../../components/regions/consulSecrets.ts";

test("sixteen bytes make a UUID of version 4, whatever they are", () => {
  expect(uuid("00000000000000000000000000000000")).toBe("00000000-0000-4000-8000-000000000000");
  expect(uuid("ffffffffffffffffffffffffffffffff")).toBe("ffffffff-ffff-4fff-bfff-ffffffffffff");
  expect(uuid("0123456789abcdef0123456789abcdef")).toBe("01234567-89ab-4def-8123-456789abcdef");
});
