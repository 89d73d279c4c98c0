import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
} from "node:crypto";
import { opensshPrivateKey, opensshPublicKey } from "./openssh.ts";

export type Algorithm = "RSA" | "ECDSA" | "ED25519";

/** The official names of the curves, and OpenSSL's. */
export const curves: Readonly<Record<string, string>> = {
  P224: "secp224r1",
  P256: "prime256v1",
  P384: "secp384r1",
  P521: "secp521r1",
};

export function generate(algorithm: string, rsaBits: number, ecdsaCurve: string): KeyObject {
  switch (algorithm) {
    case "RSA":
      return generateKeyPairSync("rsa", { modulusLength: rsaBits }).privateKey;
    case "ECDSA":
      return generateKeyPairSync("ec", { namedCurve: curves[ecdsaCurve] ?? ecdsaCurve }).privateKey;
    case "ED25519":
      return generateKeyPairSync("ed25519").privateKey;
    default:
      throw new Error(`key algorithm "${algorithm}" is not supported`);
  }
}

export function algorithmOf(key: KeyObject): Algorithm {
  switch (key.asymmetricKeyType) {
    case "rsa":
      return "RSA";
    case "ec":
      return "ECDSA";
    case "ed25519":
      return "ED25519";
    default:
      throw new Error(`keys of type ${key.asymmetricKeyType} are not supported`);
  }
}

/** Parses a key in any PEM form. The library's own error could quote the key, so it is not passed on. */
export function parsePrivateKey(pem: string, what: string): KeyObject {
  try {
    return createPrivateKey(pem);
  } catch {
    throw new Error(`${what} is not a private key in PEM format`);
  }
}

/** What the official provider publishes of a key, in its forms: PKCS#1 or SEC 1 first, where there is one. */
export function describe(key: KeyObject): Record<string, string> {
  const publicKey = createPublicKey(key);
  const traditional = { RSA: "pkcs1", ECDSA: "sec1", ED25519: "pkcs8" } as const;
  const openssh = opensshPublicKey(key);
  const digest = (hash: "md5" | "sha256"): Buffer =>
    createHash(hash)
      .update(openssh?.blob ?? "")
      .digest();
  const md5 = digest("md5").toString("hex").match(/../g) ?? [];
  return {
    privateKeyPem: key.export({ format: "pem", type: traditional[algorithmOf(key)] as "pkcs8" }).toString(),
    privateKeyPemPkcs8: key.export({ format: "pem", type: "pkcs8" }).toString(),
    privateKeyOpenssh: opensshPrivateKey(key) ?? "",
    publicKeyPem: publicKey.export({ format: "pem", type: "spki" }).toString(),
    publicKeyOpenssh: openssh === undefined ? "" : `${openssh.type} ${openssh.blob.toString("base64")}\n`,
    publicKeyFingerprintMd5: openssh === undefined ? "" : md5.join(":"),
    publicKeyFingerprintSha256:
      openssh === undefined ? "" : `SHA256:${digest("sha256").toString("base64").replace(/=+$/, "")}`,
  };
}

/** The official id of a key. */
export function keyId(key: KeyObject): string {
  const der = createPublicKey(key).export({ format: "der", type: "spki" });
  return createHash("sha1").update(der).digest("hex");
}
