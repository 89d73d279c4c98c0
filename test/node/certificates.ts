/** A certificate authority for one test, made in memory. */
import "reflect-metadata";
import { webcrypto } from "node:crypto";
import * as x509 from "@peculiar/x509";

x509.cryptoProvider.set(webcrypto as Crypto);

const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" } as const;

export interface Leaf {
  readonly certificate: string;
  readonly key: string;
}

export class TestAuthority {
  readonly certificate: string;
  readonly #issuer: x509.X509Certificate;
  readonly #keys: CryptoKeyPair;

  private constructor(issuer: x509.X509Certificate, keys: CryptoKeyPair) {
    this.certificate = issuer.toString("pem");
    this.#issuer = issuer;
    this.#keys = keys;
  }

  static async create(): Promise<TestAuthority> {
    const keys = await generate();
    const issuer = await x509.X509CertificateGenerator.createSelfSigned({
      serialNumber: "01",
      name: "CN=test authority",
      ...validity(),
      keys,
      signingAlgorithm: algorithm,
      extensions: [
        new x509.BasicConstraintsExtension(true, undefined, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      ],
    });
    return new TestAuthority(issuer, keys);
  }

  async issue(commonName: string, address: string): Promise<Leaf> {
    const keys = await generate();
    const leaf = await x509.X509CertificateGenerator.create({
      serialNumber: webcrypto.randomUUID().replaceAll("-", ""),
      subject: `CN=${commonName}`,
      issuer: this.#issuer.subject,
      ...validity(),
      publicKey: keys.publicKey,
      signingKey: this.#keys.privateKey,
      signingAlgorithm: algorithm,
      extensions: [
        new x509.SubjectAlternativeNameExtension([
          { type: "dns", value: commonName },
          { type: "ip", value: address },
        ]),
        new x509.ExtendedKeyUsageExtension([
          x509.ExtendedKeyUsage.serverAuth,
          x509.ExtendedKeyUsage.clientAuth,
        ]),
      ],
    });
    const key = await webcrypto.subtle.exportKey("pkcs8", keys.privateKey);
    return {
      certificate: `${leaf.toString("pem")}\n`,
      key: `${x509.PemConverter.encode(key, "PRIVATE KEY")}\n`,
    };
  }
}

async function generate(): Promise<CryptoKeyPair> {
  return (await webcrypto.subtle.generateKey(algorithm, true, ["sign", "verify"])) as CryptoKeyPair;
}

function validity(): { notBefore: Date; notAfter: Date } {
  const hour = 3_600_000;
  return { notBefore: new Date(Date.now() - hour), notAfter: new Date(Date.now() + 48 * hour) };
}
