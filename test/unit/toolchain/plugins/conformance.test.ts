import { describe, expect, test } from "vitest";
import {
  connectionProperties,
  proxyProperties,
} from "../../../../scripts/toolchain/plugins/command/endpoint.ts";
import { command } from "../../../../scripts/toolchain/plugins/command/provider.ts";
import { random } from "../../../../scripts/toolchain/plugins/random/provider.ts";
import type { ProviderType, ResourceType } from "../../../../scripts/toolchain/plugins/resourceType.ts";
import { tls } from "../../../../scripts/toolchain/plugins/tls/provider.ts";
import { nestedMembers, officialFunction, officialResource, packageVersion } from "./officialTypings.ts";

interface Expected {
  readonly provider: ProviderType;
  readonly module: string;
  /** Official inputs that the offline plugin refuses by name. */
  readonly missing?: readonly string[];
  readonly missingOutputs?: readonly string[];
}

const resources: readonly Expected[] = [
  {
    provider: command,
    module: "local/command",
    missing: ["archivePaths", "assetPaths"],
    missingOutputs: ["archive", "assets"],
  },
  { provider: command, module: "remote/command" },
  { provider: random, module: "randomPassword" },
  { provider: random, module: "randomString" },
  { provider: random, module: "randomBytes" },
  { provider: random, module: "randomId" },
  { provider: tls, module: "privateKey" },
  { provider: tls, module: "certRequest", missing: ["privateKeyPemWo", "privateKeyPemWoVersion"] },
  { provider: tls, module: "selfSignedCert", missing: ["privateKeyPemWo", "privateKeyPemWoVersion"] },
  { provider: tls, module: "locallySignedCert", missing: ["caPrivateKeyPemWo", "caPrivateKeyPemWoVersion"] },
];

describe.each(resources)(
  "$provider.name $module",
  ({ provider, module, missing = [], missingOutputs = [] }) => {
    const official = officialResource(provider.name, module);
    const ours = provider.resources.find(({ token }) => token === official.token) as ResourceType;

    test("has the official type token", () => {
      expect(provider.resources.map(({ token }) => token)).toContain(official.token);
    });

    test("has the official inputs, but for the named ones", () => {
      expect([...Object.keys(ours.inputs), ...missing].sort()).toEqual(official.inputs);
    });

    test("requires what the typings require", () => {
      const required = Object.entries(ours.inputs).filter(([, spec]) => spec.required);
      expect(required.map(([key]) => key).sort()).toEqual(official.required);
    });

    test("has the official outputs, but for the named ones", () => {
      expect([...(ours.outputs ?? []), ...missingOutputs].sort()).toEqual(official.outputs);
    });

    test("keeps the official outputs secret", () => {
      const implemented = official.secretOutputs.filter((name) => !missing.includes(name));
      expect([...(ours.secretOutputs ?? [])].sort()).toEqual(implemented);
    });

    test("replaces where the SDK says so", () => {
      for (const path of official.replaceOnChanges) {
        expect(ours.inputs[path.replace("[*]", "")]?.replaces).toBe(true);
      }
    });
  },
);

test.each([command, random, tls])("$name follows the installed package", ({ name, version }) => {
  expect(version).toBe(packageVersion(name));
});

test("command:local:run has the official inputs", () => {
  const official = officialFunction("command", "local/run");
  const ours = command.functions.find(({ token }) => token === official.token);
  const inputs = Object.entries(ours?.inputs ?? {});
  expect([...inputs.map(([key]) => key), "archivePaths", "assetPaths"].sort()).toEqual(official.inputs);
  expect(inputs.filter(([, spec]) => spec.required).map(([key]) => key)).toEqual(official.required);
});

test.each(["CertRequestSubject", "SelfSignedCertSubject"])(
  "the properties of tls %s are complete",
  (name) => {
    const type = tls.resources.find(({ token }) => token.endsWith(name.replace("Subject", "")));
    expect([...(type?.inputs.subject?.properties ?? [])].sort()).toEqual(nestedMembers("tls", name));
  },
);

test.each([
  ["ConnectionArgs", connectionProperties],
  ["ProxyConnectionArgs", proxyProperties],
])("the properties of command remote %s are complete", (name, properties) => {
  expect([...properties].sort()).toEqual(nestedMembers("command", name));
});
