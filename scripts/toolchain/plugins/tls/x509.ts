import { createPublicKey, type KeyObject, webcrypto } from "node:crypto";
import type * as X509 from "@peculiar/x509";
import { algorithmOf } from "./keys.ts";

/**
 * The X.509 library, loaded when the first certificate is made. One of its dependencies insists on the API of
 * `reflect-metadata` without needing what it returns here, so that API is there and empty.
 */
export async function library(): Promise<typeof X509> {
  const reflect = Reflect as unknown as Record<string, unknown>;
  for (const name of ["getMetadata", "getOwnMetadata", "defineMetadata"]) {
    reflect[name] ??= () => undefined;
  }
  return import("@peculiar/x509");
}

/** A key as the library wants it, and the signature that goes with it: what Go's crypto/x509 picks, too. */
export interface Signer {
  readonly keys: webcrypto.CryptoKeyPair;
  readonly algorithm: webcrypto.Algorithm | webcrypto.EcdsaParams;
}

export async function signer(key: KeyObject): Promise<Signer> {
  const { imported, algorithm } = parameters(key);
  const load = (
    format: "pkcs8" | "spki",
    der: Buffer,
    usage: webcrypto.KeyUsage,
  ): Promise<webcrypto.CryptoKey> => webcrypto.subtle.importKey(format, der, imported, true, [usage]);
  const privateKey = await load("pkcs8", key.export({ format: "der", type: "pkcs8" }), "sign");
  const publicKey = await load("spki", publicDer(key), "verify");
  return { keys: { privateKey, publicKey }, algorithm };
}

function publicDer(key: KeyObject): Buffer {
  return createPublicKey(key).export({ format: "der", type: "spki" });
}

function parameters(key: KeyObject): {
  imported: webcrypto.RsaHashedImportParams | webcrypto.EcKeyImportParams | webcrypto.Algorithm;
  algorithm: webcrypto.Algorithm | webcrypto.EcdsaParams;
} {
  switch (algorithmOf(key)) {
    case "RSA": {
      const rsa = { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" };
      return { imported: rsa, algorithm: rsa };
    }
    case "ED25519":
      return { imported: { name: "Ed25519" }, algorithm: { name: "Ed25519" } };
    default: {
      const known: Record<string, [curve: string, hash: string]> = {
        prime256v1: ["P-256", "SHA-256"],
        secp384r1: ["P-384", "SHA-384"],
        secp521r1: ["P-521", "SHA-512"],
      };
      const found = known[key.asymmetricKeyDetails?.namedCurve ?? ""];
      if (found === undefined) {
        throw new Error(
          "the offline plugin makes certificates for the curves P256, P384 and P521; install the official plugin for others",
        );
      }
      const [namedCurve, hash] = found;
      return { imported: { name: "ECDSA", namedCurve }, algorithm: { name: "ECDSA", hash } };
    }
  }
}
