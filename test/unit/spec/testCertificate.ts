/** Certificates of a CA for tests, made anew each time, right but for what a test asks for. */
import { webcrypto } from "node:crypto";
import { library } from "../../../scripts/toolchain/plugins/tls/x509.ts";
import { now } from "./configuration.ts";

interface Wish {
  readonly from?: Date;
  readonly until?: Date;
  readonly isCa?: boolean;
  readonly bits?: number;
  readonly hash?: "SHA-1" | "SHA-256";
  readonly curve?: "P-256" | "P-384";
}

const day = 24 * 3_600_000;
export const daysFromNow = (days: number) => new Date(now.getTime() + days * day);

export async function caCertificate(wish: Wish = {}): Promise<string> {
  const { from = daysFromNow(-1), until = daysFromNow(3650), isCa = true, bits, hash = "SHA-256" } = wish;
  const x509 = await library();
  const algorithm = bits
    ? { name: "RSASSA-PKCS1-v1_5", hash, modulusLength: bits, publicExponent: new Uint8Array([1, 0, 1]) }
    : { name: "ECDSA", namedCurve: wish.curve ?? "P-256" };
  const keys = (await webcrypto.subtle.generateKey(algorithm, true, [
    "sign",
    "verify",
  ])) as webcrypto.CryptoKeyPair;
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    name: "CN=Test CA",
    notBefore: from,
    notAfter: until,
    signingAlgorithm: bits ? algorithm : { name: "ECDSA", hash },
    keys,
    extensions: [new x509.BasicConstraintsExtension(isCa, undefined, true)],
  });
  return `${certificate.toString("pem")}\n`;
}
