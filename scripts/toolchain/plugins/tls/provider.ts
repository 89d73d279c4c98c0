import { createHash } from "node:crypto";
import { isIP } from "node:net";
import type { InputSpec, ProviderType, ResourceType, Value, Values } from "../resourceType.ts";
import { type Issued, request, selfSign, sign } from "./certificates.ts";
import { algorithmOf, curves, describe, generate, keyId } from "./keys.ts";
import { readyForRenewal } from "./renewal.ts";
import { subjectProperties } from "./subject.ts";
import { unknownUsages } from "./usages.ts";

const privateKey: ResourceType = {
  token: "tls:index/privateKey:PrivateKey",
  inputs: {
    algorithm: { required: true, replaces: true },
    ecdsaCurve: { replaces: true, implied: "P224" },
    rsaBits: { replaces: true, implied: 2048 },
  },
  outputs: [
    "privateKeyOpenssh",
    "privateKeyPem",
    "privateKeyPemPkcs8",
    "publicKeyFingerprintMd5",
    "publicKeyFingerprintSha256",
    "publicKeyOpenssh",
    "publicKeyPem",
  ],
  secretOutputs: ["privateKeyOpenssh", "privateKeyPem", "privateKeyPemPkcs8"],
  check: (inputs) => ({
    ...oneOf("algorithm", inputs.algorithm, ["RSA", "ECDSA", "ED25519"]),
    ...oneOf("ecdsaCurve", inputs.ecdsaCurve, Object.keys(curves)),
    ...wholeNumber("rsaBits", inputs.rsaBits),
  }),
  async create(inputs) {
    const key = generate(String(inputs.algorithm), Number(inputs.rsaBits), String(inputs.ecdsaCurve));
    const id = keyId(key);
    return { id, outputs: { __meta: JSON.stringify({ schema_version: "1" }), id, ...describe(key) } };
  },
};

/** What a request is for; part of a self-signed certificate as well. */
const requestInputs: Record<string, InputSpec> = {
  dnsNames: { replaces: true },
  ipAddresses: { replaces: true },
  privateKeyPem: { replaces: true },
  subject: { replaces: true, properties: subjectProperties },
  uris: { replaces: true },
};

/** What any certificate is. Only the renewal window can change without a new one. */
const certificateInputs: Record<string, InputSpec> = {
  allowedUses: { required: true, replaces: true },
  earlyRenewalHours: { implied: 0 },
  isCaCertificate: { replaces: true, implied: false },
  maxPathLength: { replaces: true },
  setSubjectKeyId: { replaces: true, implied: false },
  validityPeriodHours: { required: true, replaces: true },
};

const certificateOutputs = ["certPem", "readyForRenewal", "validityEndTime", "validityStartTime"];

const certRequest: ResourceType = {
  token: "tls:index/certRequest:CertRequest",
  inputs: requestInputs,
  outputs: ["certRequestPem", "keyAlgorithm"],
  secretOutputs: ["privateKeyPem"],
  check: checkRequest,
  async create(inputs) {
    const { pem, der, key } = await request(inputs);
    const id = createHash("sha1").update(der).digest("hex");
    return { id, outputs: { id, certRequestPem: pem, keyAlgorithm: algorithmOf(key) } };
  },
};

/** What certificates have in common: they live in the state only, and age there. */
const aging: Pick<ResourceType, "read" | "outdated" | "update"> = {
  async read(id, state) {
    const ready = readyForRenewal(state, state.earlyRenewalHours);
    return { id, outputs: ready ? { readyForRenewal: true } : {} };
  },
  outdated: (state, news) => (readyForRenewal(state, news.earlyRenewalHours) ? ["readyForRenewal"] : []),
  update: async () => ({}),
};

const selfSignedCert: ResourceType = {
  token: "tls:index/selfSignedCert:SelfSignedCert",
  inputs: {
    ...requestInputs,
    ...certificateInputs,
    setAuthorityKeyId: { replaces: true, implied: false },
  },
  outputs: [...certificateOutputs, "keyAlgorithm"],
  secretOutputs: ["privateKeyPem"],
  check: (inputs) => ({ ...checkRequest(inputs), ...checkCertificate(inputs) }),
  async create(inputs) {
    const made = await selfSign(inputs);
    return { id: made.serial, outputs: { ...issued(made), keyAlgorithm: algorithmOf(made.key) } };
  },
  ...aging,
};

const locallySignedCert: ResourceType = {
  token: "tls:index/locallySignedCert:LocallySignedCert",
  inputs: {
    ...certificateInputs,
    caCertPem: { required: true, replaces: true },
    caPrivateKeyPem: { replaces: true },
    certRequestPem: { required: true, replaces: true },
  },
  outputs: [...certificateOutputs, "caKeyAlgorithm"],
  secretOutputs: ["caPrivateKeyPem"],
  check: (inputs) => ({ ...given("caPrivateKeyPem", inputs.caPrivateKeyPem), ...checkCertificate(inputs) }),
  async create(inputs, context) {
    const made = await sign(inputs);
    if (!made.authorityIsCa) {
      context.log("warning", "caCertPem is not the certificate of a CA: clients may refuse what it signs");
    }
    return { id: made.serial, outputs: { ...issued(made), caKeyAlgorithm: algorithmOf(made.key) } };
  },
  ...aging,
};

function issued({ serial, pem, start, end }: Issued): Values {
  return {
    id: serial,
    certPem: pem,
    readyForRenewal: false,
    validityStartTime: start.toISOString(),
    validityEndTime: end.toISOString(),
  };
}

function checkRequest(inputs: Values): Record<string, string> {
  const addresses = Array.isArray(inputs.ipAddresses) ? inputs.ipAddresses.map(String) : [];
  const wrong = addresses.filter((address) => isIP(address) === 0);
  return {
    ...given("privateKeyPem", inputs.privateKeyPem),
    ...(wrong.length > 0 ? { ipAddresses: `ipAddresses: not an IP address: ${wrong.join(", ")}` } : {}),
  };
}

function checkCertificate(inputs: Values): Record<string, string> {
  const uses = Array.isArray(inputs.allowedUses) ? inputs.allowedUses.map(String) : [];
  const unknown = unknownUsages(uses);
  return {
    ...(unknown.length > 0 ? { allowedUses: `allowedUses: no such use: ${unknown.join(", ")}` } : {}),
    ...wholeNumber("validityPeriodHours", inputs.validityPeriodHours),
    ...wholeNumber("earlyRenewalHours", inputs.earlyRenewalHours),
  };
}

/** The official provider also takes a write-only variant, so that its typings call this input optional. */
function given(property: string, value: Value | undefined): Record<string, string> {
  return value === undefined ? { [property]: `${property} is required` } : {};
}

function oneOf(
  property: string,
  value: Value | undefined,
  allowed: readonly string[],
): Record<string, string> {
  return value === undefined || allowed.includes(String(value))
    ? {}
    : { [property]: `${property} must be one of ${allowed.join(", ")}` };
}

function wholeNumber(property: string, value: Value | undefined): Record<string, string> {
  return value === undefined || (Number.isInteger(value) && Number(value) >= 0)
    ? {}
    : { [property]: `${property} must be a whole number, not negative` };
}

/** Follows @pulumi/tls 5.6.1. Nothing exists outside the state. The provider's `proxy` is for its data sources only. */
export const tls: ProviderType = {
  name: "tls",
  version: "5.6.1",
  config: {},
  resources: [privateKey, certRequest, selfSignedCert, locallySignedCert],
  functions: [],
};
