import { describe, expect, test } from "vitest";
import { CertificateAuthority } from "../../components/pki/certificateAuthority.ts";
import { certificateNames } from "../../components/pki/certificateNames.ts";
import { NodeCertificate } from "../../components/pki/nodeCertificate.ts";
import type { Deployment } from "../../components/spec/model.ts";
import { intermediate, root } from "../unit/pki/authorities.ts";
import { nodeOf, pair } from "../unit/postgres/sample.ts";
import { isSecret, type Recorded, record, resolved, settled } from "./recorder.ts";

function outputs(type: string, name: string): Record<string, unknown> {
  switch (type) {
    case "tls:index/privateKey:PrivateKey":
      return { privateKeyPem: `private key of ${name}` };
    case "tls:index/selfSignedCert:SelfSignedCert":
      return { certPem: root };
    case "tls:index/certRequest:CertRequest":
      return { certRequestPem: `request of ${name}` };
    default:
      return { certPem: `certificate of ${name}\n` };
  }
}

async function make(
  deployment: Deployment,
  options: { preview?: boolean; privateKey?: string; epoch?: number } = {},
): Promise<{ seen: Recorded[]; ca: CertificateAuthority; leaf: NodeCertificate }> {
  const seen = await record(outputs, options.preview);
  const { privateKey, epoch = 495_000 } = options;
  const ca = new CertificateAuthority("t-ca", {
    deployment,
    ...(privateKey === undefined ? {} : { privateKey }),
  });
  const leaf = new NodeCertificate("t-site-a", {
    authority: ca,
    certificates: deployment.certificates,
    commonName: "site-a",
    names: certificateNames(deployment, nodeOf(deployment)),
    epoch,
  });
  await settled();
  return { seen, ca, leaf };
}

const names = (seen: Recorded[]) => seen.map(({ type, name }) => `${type.split(":").at(-1)} ${name}`).sort();
const inputsOf = (seen: Recorded[], name: string) => seen.find((resource) => resource.name === name)?.inputs;

describe("with an authority of the deployment's own", () => {
  test("these resources and no others, at preview as at update", async () => {
    const expected = [
      "CertRequest t-site-a-request",
      "CertificateAuthority t-ca",
      "LocallySignedCert t-site-a-certificate",
      "NodeCertificate t-site-a",
      "PrivateKey t-ca-key",
      "PrivateKey t-site-a-key",
      "SelfSignedCert t-ca-certificate",
    ];
    expect(names((await make(pair())).seen)).toEqual(expected);
    expect(names((await make(pair(), { preview: true })).seen)).toEqual(expected);
  });

  test("the authority", async () => {
    const { seen } = await make(pair());
    expect(inputsOf(seen, "t-ca-key")).toEqual({ algorithm: "ECDSA", ecdsaCurve: "P256" });
    expect(inputsOf(seen, "t-ca-certificate")).toEqual({
      privateKeyPem: { secret: "private key of t-ca-key" },
      subject: { commonName: "demo certificate authority" },
      isCaCertificate: true,
      setSubjectKeyId: true,
      validityPeriodHours: 87_600,
      allowedUses: ["cert_signing", "crl_signing"],
    });
  });

  test("a node: every name of it, for both ends of a connection, the keys secret", async () => {
    const { seen } = await make(pair());
    expect(inputsOf(seen, "t-site-a-request")).toEqual({
      privateKeyPem: { secret: "private key of t-site-a-key" },
      subject: { commonName: "site-a" },
      dnsNames: ["site-a", "site-a.ha.example.test", "db.ha.example.test", "localhost"],
      ipAddresses: ["127.0.0.1", "::1", "10.86.0.11"],
    });
    expect(inputsOf(seen, "t-site-a-certificate")).toEqual({
      caCertPem: root,
      caPrivateKeyPem: { secret: "private key of t-ca-key" },
      certRequestPem: "request of t-site-a-request",
      validityPeriodHours: 2160,
      allowedUses: ["digital_signature", "server_auth", "client_auth"],
    });
  });

  test("what comes out, and which of it is secret", async () => {
    const { ca, leaf } = await make(pair());
    expect(await resolved(leaf.caBundle)).toBe(root);
    expect(await resolved(leaf.certificate)).toBe("certificate of t-site-a-certificate\n");
    expect(await resolved(leaf.privateKey)).toBe("private key of t-site-a-key");
    const secrets = [ca.privateKey, leaf.privateKey, ca.certificate, leaf.caBundle];
    expect(await Promise.all(secrets.map(isSecret))).toEqual([true, true, false, false]);
  });
});

describe("with an authority of the user's", () => {
  test("it is not made; its key signs, and servers send what is below the root", async () => {
    const bundle = intermediate + root;
    const deployment = pair();
    const own = { ...deployment, certificates: { ...deployment.certificates, ownCaCertificate: bundle } };
    const { seen, leaf, ca } = await make(own, { privateKey: "the user's key" });
    expect(names(seen)).toEqual([
      "CertRequest t-site-a-request",
      "CertificateAuthority t-ca",
      "LocallySignedCert t-site-a-certificate",
      "NodeCertificate t-site-a",
      "PrivateKey t-site-a-key",
    ]);
    expect(inputsOf(seen, "t-site-a-certificate")).toMatchObject({
      caCertPem: intermediate,
      caPrivateKeyPem: { secret: "the user's key" },
    });
    expect(await resolved(leaf.certificate)).toBe(`certificate of t-site-a-certificate\n${intermediate}`);
    expect(await resolved(leaf.caBundle)).toBe(bundle);
    expect(await isSecret(ca.privateKey)).toBe(true);
  });

  test("without its key it says what to do", async () => {
    const deployment = pair();
    const own = {
      ...deployment,
      certificates: { ...deployment.certificates, ownCaCertificate: root },
    };
    await expect(make(own)).rejects.toThrow(/needs its key: pulumi config set --secret caPrivateKey/);
  });
});
