import { createPublicKey, type KeyObject, randomBytes, X509Certificate } from "node:crypto";
import type { Extension, JsonGeneralNames, Name, PublicKey } from "@peculiar/x509";
import type { Value, Values } from "../resourceType.ts";
import { parsePrivateKey } from "./keys.ts";
import { distinguishedName } from "./subject.ts";
import { extendedKeyUsages, keyUsages } from "./usages.ts";
import { library, signer } from "./x509.ts";

const SUBJECT_ALTERNATIVE_NAME = "2.5.29.17";

export interface Issued {
  /** The serial number, in decimal: the official id. */
  readonly serial: string;
  readonly pem: string;
  readonly start: Date;
  readonly end: Date;
}

/** What the certificate is about, beside the settings of the resource. */
interface About {
  readonly subject: Name;
  readonly publicKey: PublicKey;
  readonly alternativeNames: Extension | undefined;
}

export async function request(inputs: Values): Promise<{ pem: string; der: Buffer; key: KeyObject }> {
  const x509 = await library();
  const key = parsePrivateKey(string(inputs.privateKeyPem), "privateKeyPem");
  const { keys, algorithm } = await signer(key);
  const names = await alternativeNames(inputs);
  const made = await x509.Pkcs10CertificateRequestGenerator.create({
    name: distinguishedName(inputs.subject),
    keys,
    signingAlgorithm: algorithm,
    extensions: names === undefined ? [] : [names],
  });
  return { pem: `${made.toString("pem")}\n`, der: Buffer.from(made.rawData), key };
}

export async function selfSign(inputs: Values): Promise<Issued & { key: KeyObject }> {
  const x509 = await library();
  const key = parsePrivateKey(string(inputs.privateKeyPem), "privateKeyPem");
  const subject = new x509.Name(distinguishedName(inputs.subject));
  const publicKey = new x509.PublicKey(createPublicKey(key).export({ format: "der", type: "spki" }));
  const about = { subject, publicKey, alternativeNames: await alternativeNames(inputs) };
  const authority = inputs.setAuthorityKeyId === true ? await keyIdentifier(publicKey) : undefined;
  if (authority !== undefined && !hasSubjectKeyId(inputs)) {
    throw new Error("setAuthorityKeyId needs setSubjectKeyId or isCaCertificate");
  }
  return { ...(await issue(inputs, about, subject, key, authority)), key };
}

export async function sign(inputs: Values): Promise<Issued & { key: KeyObject; authorityIsCa: boolean }> {
  const x509 = await library();
  const key = parsePrivateKey(string(inputs.caPrivateKeyPem), "caPrivateKeyPem");
  const authority = new x509.X509Certificate(parseCertificate(string(inputs.caCertPem)).raw);
  if (!Buffer.from(authority.publicKey.rawData).equals(publicDer(key))) {
    throw new Error("caPrivateKeyPem is not the key of caCertPem");
  }
  const csr = parseRequest(x509, string(inputs.certRequestPem));
  const about = {
    subject: csr.subjectName,
    publicKey: csr.publicKey,
    alternativeNames: csr.extensions.find(({ type }) => type === SUBJECT_ALTERNATIVE_NAME),
  };
  const identifier = authority.getExtension(x509.SubjectKeyIdentifierExtension)?.keyId;
  const issued = await issue(inputs, about, authority.subjectName, key, identifier);
  const authorityIsCa = authority.getExtension(x509.BasicConstraintsExtension)?.ca === true;
  return { ...issued, key, authorityIsCa };
}

async function issue(
  inputs: Values,
  about: About,
  issuer: Name,
  key: KeyObject,
  authorityKeyId: string | undefined,
): Promise<Issued> {
  const x509 = await library();
  const { keys, algorithm } = await signer(key);
  const isCa = inputs.isCaCertificate === true;
  if (isCa && about.subject.toJSON().length === 0) {
    throw new Error("a CA certificate must have a subject");
  }
  const uses = Array.isArray(inputs.allowedUses) ? inputs.allowedUses.map(String) : [];
  const bits = uses.reduce((sum, use) => sum | (keyUsages[use] ?? 0), 0);
  const extended = uses.flatMap((use) => extendedKeyUsages[use] ?? []);
  const pathLength = typeof inputs.maxPathLength === "number" && isCa ? inputs.maxPathLength : -1;
  const extensions: Extension[] = [];
  if (bits !== 0) {
    extensions.push(new x509.KeyUsagesExtension(bits, true));
  }
  if (extended.length > 0) {
    extensions.push(new x509.ExtendedKeyUsageExtension(extended));
  }
  extensions.push(new x509.BasicConstraintsExtension(isCa, pathLength >= 0 ? pathLength : undefined, true));
  if (hasSubjectKeyId(inputs)) {
    extensions.push(await x509.SubjectKeyIdentifierExtension.create(about.publicKey));
  }
  if (authorityKeyId !== undefined) {
    extensions.push(new x509.AuthorityKeyIdentifierExtension(authorityKeyId));
  }
  if (about.alternativeNames !== undefined) {
    extensions.push(about.alternativeNames);
  }
  const start = new Date();
  const end = new Date(start.getTime() + Number(inputs.validityPeriodHours) * 3_600_000);
  const serial = serialNumber();
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: serial,
    subject: about.subject,
    issuer,
    notBefore: start,
    notAfter: end,
    publicKey: about.publicKey,
    signingKey: keys.privateKey,
    signingAlgorithm: algorithm,
    extensions,
  });
  return {
    serial: BigInt(`0x${serial}`).toString(),
    pem: `${certificate.toString("pem")}\n`,
    start,
    end,
  };
}

function hasSubjectKeyId(inputs: Values): boolean {
  return inputs.setSubjectKeyId === true || inputs.isCaCertificate === true;
}

/** 127 random bits: positive, and never zero. */
function serialNumber(): string {
  const bytes = randomBytes(16);
  bytes[0] = ((bytes[0] ?? 0) & 0x7f) | 0x40;
  return bytes.toString("hex");
}

async function keyIdentifier(publicKey: PublicKey): Promise<string> {
  return Buffer.from(await publicKey.getKeyIdentifier()).toString("hex");
}

function publicDer(key: KeyObject): Buffer {
  return createPublicKey(key).export({ format: "der", type: "spki" });
}

async function alternativeNames(inputs: Values): Promise<Extension | undefined> {
  const x509 = await library();
  const names: JsonGeneralNames = [
    ...strings(inputs.dnsNames).map((value) => ({ type: "dns" as const, value })),
    ...strings(inputs.ipAddresses).map((value) => ({ type: "ip" as const, value })),
    ...strings(inputs.uris).map((value) => ({ type: "url" as const, value })),
  ];
  // RFC 5280, 4.2.1.6: critical where the subject says nothing.
  const critical = distinguishedName(inputs.subject).length === 0;
  return names.length === 0 ? undefined : new x509.SubjectAlternativeNameExtension(names, critical);
}

function parseCertificate(pem: string): X509Certificate {
  try {
    return new X509Certificate(pem);
  } catch {
    throw new Error("caCertPem is not a certificate in PEM format");
  }
}

function parseRequest(x509: Awaited<ReturnType<typeof library>>, pem: string) {
  try {
    return new x509.Pkcs10CertificateRequest(pem);
  } catch {
    throw new Error("certRequestPem is not a certificate request in PEM format");
  }
}

function string(value: Value | undefined): string {
  return typeof value === "string" ? value : "";
}

function strings(value: Value | undefined): string[] {
  return Array.isArray(value) ? value.map(String) : [];
}
