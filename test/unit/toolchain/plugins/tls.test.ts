import { createHash, createPrivateKey, createPublicKey, X509Certificate } from "node:crypto";
import ssh2 from "ssh2";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Values } from "../../../../scripts/toolchain/plugins/resourceType.ts";
import { tls } from "../../../../scripts/toolchain/plugins/tls/provider.ts";
import { hasSecret, plainValues, secret, UNKNOWN } from "../../../../scripts/toolchain/plugins/wire.ts";
import { Engine } from "./engine.ts";

const privateKey = "tls:index/privateKey:PrivateKey";
const certRequest = "tls:index/certRequest:CertRequest";
const selfSigned = "tls:index/selfSignedCert:SelfSignedCert";
const locallySigned = "tls:index/locallySignedCert:LocallySignedCert";

let engine: Engine;
beforeAll(async () => {
  engine = await Engine.of(tls);
});
afterAll(() => engine.stop());

async function make(token: string, inputs: Values): Promise<{ id: string; outputs: Record<string, string> }> {
  const { id, state } = await engine.create(token, inputs);
  return { id, outputs: plainValues(state) as Record<string, string> };
}

const algorithms: readonly [name: string, inputs: Values][] = [
  ["RSA", { algorithm: "RSA", rsaBits: 2048 }],
  ["ECDSA P256", { algorithm: "ECDSA", ecdsaCurve: "P256" }],
  ["ECDSA P384", { algorithm: "ECDSA", ecdsaCurve: "P384" }],
  ["ECDSA P521", { algorithm: "ECDSA", ecdsaCurve: "P521" }],
  ["ED25519", { algorithm: "ED25519" }],
];

describe.each(algorithms)("a key of %s", (_, inputs) => {
  test("comes in all the official forms, which are of one key", async () => {
    const { id, outputs } = await make(privateKey, inputs);
    const publicPem = String(outputs.publicKeyPem);
    const spki = createPublicKey(publicPem).export({ format: "der", type: "spki" });
    for (const form of [outputs.privateKeyPem, outputs.privateKeyPemPkcs8]) {
      const der = createPublicKey(createPrivateKey(String(form))).export({ format: "der", type: "spki" });
      expect(der.equals(spki)).toBe(true);
    }
    const header = { RSA: "RSA ", ECDSA: "EC ", ED25519: "" }[String(inputs.algorithm)];
    expect(outputs.privateKeyPem).toMatch(`-----BEGIN ${header}PRIVATE KEY-----`);
    expect(id).toBe(createHash("sha1").update(spki).digest("hex"));
  });

  test("has OpenSSH forms that an SSH library reads", async () => {
    const { outputs } = await make(privateKey, inputs);
    const parsed = ssh2.utils.parseKey(String(outputs.privateKeyOpenssh));
    if (parsed instanceof Error) {
      throw parsed;
    }
    const blob = parsed.getPublicSSH();
    expect(outputs.publicKeyOpenssh).toBe(`${parsed.type} ${blob.toString("base64")}\n`);
    const sha256 = createHash("sha256").update(blob).digest("base64").replace(/=+$/, "");
    expect(outputs.publicKeyFingerprintSha256).toBe(`SHA256:${sha256}`);
    expect(outputs.publicKeyFingerprintMd5?.replaceAll(":", "")).toBe(
      createHash("md5").update(blob).digest("hex"),
    );
    expect(parsed.verify(Buffer.from("data"), parsed.sign(Buffer.from("data")) as Buffer)).toBe(true);
  });

  test("signs itself, and signs others", async () => {
    const { outputs: key } = await make(privateKey, inputs);
    const { outputs: own } = await make(selfSigned, authority(key.privateKeyPem));
    const ca = new X509Certificate(String(own.certPem));
    expect(ca.verify(ca.publicKey)).toBe(true);
    expect(ca.checkPrivateKey(createPrivateKey(String(key.privateKeyPem)))).toBe(true);
    expect(own.keyAlgorithm).toBe(inputs.algorithm);
    const { outputs: request } = await make(certRequest, {
      privateKeyPem: key.privateKeyPem ?? "",
      subject: { commonName: "leaf" },
    });
    const { outputs: leaf } = await make(locallySigned, {
      ...leafOf(String(request.certRequestPem)),
      caCertPem: own.certPem ?? "",
      caPrivateKeyPem: key.privateKeyPem ?? "",
    });
    const certificate = new X509Certificate(String(leaf.certPem));
    expect(certificate.verify(ca.publicKey)).toBe(true);
    expect(certificate.checkIssued(ca)).toBe(true);
    expect(leaf.caKeyAlgorithm).toBe(inputs.algorithm);
  });
});

function authority(key: string | undefined): Values {
  return {
    privateKeyPem: key ?? "",
    subject: { commonName: 'The "CA" of ä', organization: "ACME, Inc" },
    isCaCertificate: true,
    maxPathLength: 0,
    validityPeriodHours: 48,
    allowedUses: ["cert_signing", "crl_signing"],
  };
}

function leafOf(certRequestPem: string): Values {
  return {
    certRequestPem,
    validityPeriodHours: 24,
    earlyRenewalHours: 6,
    allowedUses: ["digital_signature", "key_encipherment", "server_auth", "client_auth"],
  };
}

async function chain(): Promise<{ ca: Record<string, string>; caKey: string; request: string }> {
  const caKey = String(
    (await make(privateKey, { algorithm: "ECDSA", ecdsaCurve: "P256" })).outputs.privateKeyPem,
  );
  const key = String((await make(privateKey, { algorithm: "ED25519" })).outputs.privateKeyPem);
  const { outputs: ca } = await make(selfSigned, authority(caKey));
  const { outputs } = await make(certRequest, {
    privateKeyPem: key,
    subject: { commonName: "node.example.test" },
    dnsNames: ["node.example.test", "localhost"],
    ipAddresses: ["127.0.0.1", "::1"],
    uris: ["spiffe://example/node"],
  });
  return { ca, caKey, request: String(outputs.certRequestPem) };
}

describe("PrivateKey", () => {
  test("keeps its private forms secret, and its defaults in the state", async () => {
    const { state } = await engine.create(privateKey, { algorithm: "ED25519" });
    const secrets = Object.keys(state).filter((key) => hasSecret(state[key] ?? null));
    expect(secrets.sort()).toEqual(["privateKeyOpenssh", "privateKeyPem", "privateKeyPemPkcs8"]);
    expect(state).toMatchObject({ ecdsaCurve: "P224", rsaBits: 2048, __meta: '{"schema_version":"1"}' });
  });

  test("of P224 has no OpenSSH form, and is refused for certificates with a way out", async () => {
    const { outputs } = await make(privateKey, { algorithm: "ECDSA" });
    expect(outputs).toMatchObject({
      privateKeyOpenssh: "",
      publicKeyOpenssh: "",
      publicKeyFingerprintMd5: "",
    });
    await expect(make(selfSigned, authority(outputs.privateKeyPem))).rejects.toThrow(/P256, P384 and P521/);
  });

  test("refuses algorithms and curves that do not exist", async () => {
    const { failures } = await engine.check(privateKey, { algorithm: "DSA", ecdsaCurve: "P1" });
    expect(Object.keys(failures)).toEqual(["algorithm", "ecdsaCurve"]);
  });
});

describe("certificates", () => {
  test("a CA's says that it is one, and how long its chains may be", async () => {
    const { ca } = await chain();
    const text = new X509Certificate(String(ca.certPem));
    expect(text.ca).toBe(true);
    expect(text.subject).toBe('O=ACME\\, Inc\nCN=The \\"CA\\" of ä');
    expect(text.issuer).toBe(text.subject);
    const der = text.raw.toString("hex");
    // basicConstraints, critical: CA, path length 0 (RFC 5280, 4.2.1.9); keyUsage, critical: certificates and lists
    expect(der).toContain("0603551d130101ff040830060101ff020100");
    expect(der).toContain("0603551d0f0101ff040403020106");
  });

  test("a leaf has the request's subject and names, and the uses that were asked for", async () => {
    const { ca, caKey, request } = await chain();
    const { id, outputs } = await make(locallySigned, {
      ...leafOf(request),
      caCertPem: ca.certPem ?? "",
      caPrivateKeyPem: caKey,
      setSubjectKeyId: true,
    });
    const leaf = new X509Certificate(String(outputs.certPem));
    expect(leaf.ca).toBe(false);
    expect(leaf.subject).toBe("CN=node.example.test");
    expect(leaf.subjectAltName).toBe(
      "DNS:node.example.test, DNS:localhost, IP Address:127.0.0.1, IP Address:0:0:0:0:0:0:0:1, URI:spiffe://example/node",
    );
    expect(leaf.checkHost("localhost")).toBe("localhost");
    expect(leaf.checkIP("::1")).toBe("::1");
    expect(leaf.keyUsage).toEqual(["1.3.6.1.5.5.7.3.1", "1.3.6.1.5.5.7.3.2"]);
    // keyUsage, critical: digital signature and key encipherment; basicConstraints, critical: not a CA
    expect(leaf.raw.toString("hex")).toContain("0603551d0f0101ff0404030205a0");
    expect(leaf.raw.toString("hex")).toContain("0603551d130101ff04023000");
    expect(BigInt(id)).toBe(BigInt(`0x${leaf.serialNumber}`));
    expect(Date.parse(leaf.validTo) - Date.parse(leaf.validFrom)).toBe(24 * 3_600_000);
    expect(outputs.certPem).toMatch(/-----END CERTIFICATE-----\n$/);
  });

  test("the CA's key must belong to the CA's certificate", async () => {
    const { ca, request } = await chain();
    const other = await chain();
    const mixed = { ...leafOf(request), caCertPem: ca.certPem ?? "", caPrivateKeyPem: other.caKey };
    await expect(make(locallySigned, mixed)).rejects.toThrow(/not the key of caCertPem/);
  });

  test("what is not PEM is refused without being quoted", async () => {
    const wrong = make(selfSigned, { ...authority("no-key-at-all"), privateKeyPem: secret("no-key-at-all") });
    await expect(wrong).rejects.toThrow(/^2 UNKNOWN: privateKeyPem is not a private key in PEM format$/);
  });

  test("the key is required, the write-only one is refused by name, uses have their official words", async () => {
    const { failures } = await engine.check(selfSigned, {
      allowedUses: ["serverAuth"],
      validityPeriodHours: 1,
    });
    expect(failures).toEqual({
      privateKeyPem: "privateKeyPem is required",
      allowedUses: "allowedUses: no such use: serverAuth",
    });
    const unknown = { allowedUses: [], validityPeriodHours: 1, privateKeyPem: UNKNOWN };
    expect((await engine.check(selfSigned, unknown)).failures).toEqual({});
    expect(Object.keys((await engine.check(certRequest, { privateKeyPemWo: "x" })).failures)).toEqual([
      "privateKeyPemWo",
    ]);
  });

  test("the private key that is echoed is a secret even if it was given in the open", async () => {
    const key = String((await make(privateKey, { algorithm: "ED25519" })).outputs.privateKeyPem);
    const { state } = await engine.create(certRequest, { privateKeyPem: key });
    expect(state.privateKeyPem).toEqual(secret(key));
  });
});

describe("renewal", () => {
  const inHours = (hours: number): string => new Date(Date.now() + hours * 3_600_000).toISOString();
  const state = (hours: number): Values => ({
    certPem: "pem",
    earlyRenewalHours: 6,
    readyForRenewal: false,
    validityEndTime: inHours(hours),
  });
  const inputs = { allowedUses: [], validityPeriodHours: 24, earlyRenewalHours: 6 };

  test("outside the window nothing happens", async () => {
    expect((await engine.diff(locallySigned, inputs, inputs, state(7))).changes).toBe(1);
    expect((await engine.read(locallySigned, "1", state(7), inputs)).state.readyForRenewal).toBe(false);
  });

  test("inside it an update replaces, and a refresh says that it will", async () => {
    const aged = state(5);
    const found = await engine.diff(locallySigned, inputs, inputs, aged);
    expect(found.replaces).toEqual(["readyForRenewal"]);
    const read = await engine.read(locallySigned, "1", aged, inputs);
    expect(read).toEqual({ id: "1", inputs, state: { ...aged, readyForRenewal: true } });
  });

  test("the times of the official provider are understood", async () => {
    const go = { ...state(0), validityEndTime: "2020-05-15T18:25:17.750041123-04:00" };
    expect((await engine.diff(selfSigned, inputs, inputs, go)).replaces).toEqual(["readyForRenewal"]);
  });

  test("another window is an update, and keeps the certificate", async () => {
    const wider = { ...inputs, earlyRenewalHours: 4 };
    const found = await engine.diff(locallySigned, inputs, wider, state(8));
    expect(found).toMatchObject({ changes: 2, replaces: [] });
    const updated = await engine.update(locallySigned, state(8), wider);
    expect(updated).toMatchObject({ certPem: "pem", earlyRenewalHours: 4 });
  });
});
