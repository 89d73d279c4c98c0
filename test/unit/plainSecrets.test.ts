import { expect, test } from "vitest";
import { plainSecrets } from "../../components/plainSecrets.ts";

const given =
  (...keys: string[]) =>
  (key: string) =>
    keys.includes(key);

test("a secret that is set without --secret is named; what is no secret is not", () => {
  const keys = given("active", "sshPrivateKey", "dnsKey");
  expect(plainSecrets(keys, '["understudy:dnsKey"]')).toEqual(["sshPrivateKey"]);
  expect(plainSecrets(keys, '["understudy:dnsKey","understudy:sshPrivateKey"]')).toEqual([]);
  expect(plainSecrets(keys, "[]")).toEqual(["sshPrivateKey", "dnsKey"]);
});

test("where Pulumi does not tell, nobody is blamed", () => {
  expect(plainSecrets(given("sshPrivateKey"), undefined)).toEqual([]);
  expect(plainSecrets(given("sshPrivateKey"), "null")).toEqual([]);
});
