/** Lives of certificates, and a CA that the user brings: found out now, not by the first client. */
import { X509Certificate } from "node:crypto";
import { setSecretCommand } from "../configurationKeys.ts";
import type { Finding, Rule } from "./rule.ts";

const base = "deployment.certificates";
const ownPath = `${base}.ownCaCertificate`;
const day = 24 * 3_600_000;

const lives: Rule = {
  code: "E_CERT_VALIDITY",
  needs: [`${base}.caValidityDays`, `${base}.validityHours`, `${base}.renewBeforeHours`, ownPath],
  check({ certificates: { caValidityDays, validityHours, renewBeforeHours, ownCaCertificate } }) {
    const found: Finding[] = [];
    if (renewBeforeHours >= validityHours) {
      const message = `${renewBeforeHours} h is not less than the certificates' whole life of ${validityHours} h; every update would reissue them`;
      found.push({ path: `${base}.renewBeforeHours`, message });
    }
    if (ownCaCertificate === undefined && validityHours > caValidityDays * 24) {
      const message = `${validityHours} h is longer than the authority's life of ${caValidityDays} days`;
      found.push({ path: `${base}.validityHours`, message });
    }
    return found;
  },
};

/** The certificate, or why it is none. The text is never shown: somebody may have pasted the key. */
export function readCertificate(pem: string): X509Certificate | string {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----/g)?.length ?? 0;
  if (blocks === 0) return "is not a certificate in PEM (-----BEGIN CERTIFICATE-----)";
  if (blocks > 1) return `has ${blocks} certificates; give the one that signs`;
  try {
    return new X509Certificate(pem);
  } catch {
    return "is damaged: it cannot be read as a certificate";
  }
}

/** A rule about the user's CA; it does not run when there is none, or when it cannot be read. */
function aboutOwnCa(code: string, check: (ca: X509Certificate, now: Date) => string | undefined): Rule {
  return {
    code,
    needs: [ownPath],
    check({ certificates: { ownCaCertificate } }, { now }) {
      const ca = ownCaCertificate === undefined ? undefined : readCertificate(ownCaCertificate);
      if (ca === undefined || typeof ca === "string") return [];
      const message = check(ca, now);
      return message === undefined ? [] : [{ path: ownPath, message }];
    },
  };
}

const format: Rule = {
  code: "E_CERT_FORMAT",
  needs: [ownPath],
  check({ certificates: { ownCaCertificate } }) {
    if (ownCaCertificate === undefined || ownCaCertificate.includes("PRIVATE KEY")) return [];
    const ca = readCertificate(ownCaCertificate);
    return typeof ca === "string" ? [{ path: ownPath, message: ca }] : [];
  },
};

const expired = aboutOwnCa("E_CERT_EXPIRED", (ca, now) => {
  const left = Date.parse(ca.validTo) - now.getTime();
  if (left >= day) return undefined;
  return left <= 0 ? `expired on ${utc(ca.validTo)}` : `expires on ${utc(ca.validTo)}, in less than a day`;
});

const notYet = aboutOwnCa("E_CERT_NOT_YET_VALID", (ca, now) =>
  Date.parse(ca.validFrom) > now.getTime() ? `is not valid before ${utc(ca.validFrom)}` : undefined,
);

const notCa = aboutOwnCa("E_CERT_NOT_CA", (ca) =>
  ca.ca ? undefined : "cannot sign certificates (no basic constraint CA:TRUE)",
);

const weak = aboutOwnCa("E_CERT_WEAK", (ca) => {
  const { asymmetricKeyType: type = "unknown", asymmetricKeyDetails: details } = ca.publicKey;
  const bits = details?.modulusLength ?? 0;
  if ((type === "rsa" || type === "rsa-pss") && bits < 2048)
    return `has an RSA key of ${bits} bits; 2048 is the least`;
  if (type === "dsa") return "has a DSA key, which TLS no longer accepts";
  const curve = details?.namedCurve;
  if (type === "ec" && !/^(prime256v1|secp384r1|secp521r1)$/.test(curve ?? "")) {
    return `has a key on the curve ${curve}; use P-256, P-384 or P-521`;
  }
  const digest = weakDigest(ca.raw);
  return digest ? `is signed with ${digest}, which is broken` : undefined;
});

/** Outlived by its leaves, a CA makes them worthless before they are renewed. */
const outlived: Rule = {
  code: "E_CERT_SHORT",
  needs: [`${base}.validityHours`, ownPath],
  check({ certificates: { ownCaCertificate, validityHours } }, { now }) {
    const ca = ownCaCertificate === undefined ? "" : readCertificate(ownCaCertificate);
    if (typeof ca === "string") return [];
    const left = Math.floor((Date.parse(ca.validTo) - now.getTime()) / 3_600_000);
    if (left < 24 || left >= validityHours) return [];
    const message = `${validityHours} h is longer than the ${left} h that are left of your CA's certificate`;
    return [{ path: `${base}.validityHours`, message }];
  },
};

const keyMissing: Rule = {
  code: "E_CERT_KEY",
  needs: [ownPath],
  check({ certificates: { ownCaCertificate } }, { caPrivateKeyGiven }) {
    if (ownCaCertificate !== undefined && !caPrivateKeyGiven) {
      const message = `the CA's key is missing; set it with \`${setSecretCommand("caPrivateKey")}\``;
      return [{ path: "caPrivateKey", message }];
    }
    if (ownCaCertificate === undefined && caPrivateKeyGiven) {
      const message =
        "the secret `caPrivateKey` is set without its certificate; write `ownCaCertificate`, or remove the secret";
      return [{ path: ownPath, message }];
    }
    return [];
  },
};

const utc = (text: string) => new Date(text).toISOString().slice(0, 10);

const weakAlgorithms: Readonly<Record<string, string>> = {
  "2a864886f70d010104": "MD5",
  "2a864886f70d010105": "SHA-1",
  "2a8648ce3d0401": "SHA-1",
  "2a8648ce380403": "SHA-1",
};

/**
 * The digest of the signature if it is a broken one. Read from the DER itself, because Node 22 does not tell:
 * Certificate ::= SEQUENCE { tbsCertificate SEQUENCE, signatureAlgorithm SEQUENCE { OID … }, … }
 */
function weakDigest(der: Buffer): string | undefined {
  const [body] = element(der, 0);
  const [, afterTbs] = element(der, body);
  const [algorithm] = element(der, afterTbs);
  const [oid, afterOid] = element(der, algorithm);
  return weakAlgorithms[der.subarray(oid, afterOid).toString("hex")];
}

/** Where the content of the DER element at `offset` begins and ends. */
function element(der: Buffer, offset: number): [number, number] {
  const first = der[offset + 1] ?? 0;
  if (first < 0x80) return [offset + 2, offset + 2 + first];
  const bytes = first & 0x7f;
  const start = offset + 2 + bytes;
  return [start, start + der.readUIntBE(offset + 2, bytes)];
}

export const certificateRules: readonly Rule[] = [
  lives,
  format,
  expired,
  notYet,
  notCa,
  weak,
  outlived,
  keyMissing,
];
