import { expect, test } from "vitest";
import { command } from "../../../../scripts/toolchain/plugins/command/provider.ts";
import { random } from "../../../../scripts/toolchain/plugins/random/provider.ts";
import type { ProviderType } from "../../../../scripts/toolchain/plugins/resourceType.ts";
import { tls } from "../../../../scripts/toolchain/plugins/tls/provider.ts";

/**
 * Which inputs can change without a new resource, per type; all others replace. Written down from the official
 * providers' sources, not from ours:
 * - command: pulumi/pulumi-command v1.2.1, `provider/pkg/provider/common/inputs.go` (replaceOnChanges on `triggers` alone).
 * - random: hashicorp/terraform-provider-random, `internal/provider/resource_{password,string,bytes,id}.go`: RequiresReplace
 *   on every attribute that can be set.
 * - tls: hashicorp/terraform-provider-tls, `internal/provider/resource_{private_key,cert_request,self_signed_cert,
 *   locally_signed_cert}.go`: RequiresReplace on every attribute that can be set but `early_renewal_hours`.
 */
const updatable: readonly [ProviderType, string, readonly string[]][] = [
  [
    command,
    "command:local:Command",
    [
      "addPreviousOutputInEnv",
      "create",
      "delete",
      "dir",
      "environment",
      "interpreter",
      "logging",
      "stdin",
      "update",
    ],
  ],
  [
    command,
    "command:remote:Command",
    ["addPreviousOutputInEnv", "connection", "create", "delete", "environment", "logging", "stdin", "update"],
  ],
  [random, "random:index/randomPassword:RandomPassword", []],
  [random, "random:index/randomString:RandomString", []],
  [random, "random:index/randomBytes:RandomBytes", []],
  [random, "random:index/randomId:RandomId", []],
  [tls, "tls:index/privateKey:PrivateKey", []],
  [tls, "tls:index/certRequest:CertRequest", []],
  [tls, "tls:index/selfSignedCert:SelfSignedCert", ["earlyRenewalHours"]],
  [tls, "tls:index/locallySignedCert:LocallySignedCert", ["earlyRenewalHours"]],
];

test.each(updatable)("%o %s is updated in place only by %j", (provider, token, expected) => {
  const type = provider.resources.find((candidate) => candidate.token === token);
  const inPlace = Object.entries(type?.inputs ?? {}).filter(([, spec]) => !spec.replaces);
  expect(inPlace.map(([key]) => key).sort()).toEqual(expected);
  expect(type?.update !== undefined).toBe(expected.length > 0);
  expect(type?.deleteBeforeReplace).toBeUndefined();
});

test("the table is complete", () => {
  const served = [command, random, tls].flatMap(({ resources }) => resources.map(({ token }) => token));
  expect(updatable.map(([, token]) => token).sort()).toEqual(served.sort());
});
