/**
 * A certificate authority as its certificate describes it. A user's own CA comes as PEM: the certificate that
 * issues first, then, if that one is an intermediate, the ones above it up to the root (libpq and PostgreSQL trust
 * nothing that does not end in a root).
 */
import { X509Certificate } from "node:crypto";

export interface Authority {
  /** The certificate that signs, PEM. */
  readonly issuer: string;
  /** What a server sends with its own certificate: the intermediates, PEM, possibly "". */
  readonly chain: string;
  /** Milliseconds since 1970; the earliest end of the certificates. */
  readonly notBefore: number;
  readonly notAfter: number;
}

/** Share of a CA's life that is left when the operator is first told. A new CA takes three updates to bring in. */
const warningShare = 0.1;

/** @throws when the text is not a CA's certificate with everything above it. */
export function readAuthority(pem: string): Authority {
  const blocks = splitPem(pem);
  const certificates = blocks.map((block) => new X509Certificate(block));
  const [issuer] = blocks;
  const root = certificates.at(-1);
  if (issuer === undefined || root === undefined) {
    throw new Error("there is no certificate in it");
  }
  for (const [index, certificate] of certificates.entries()) {
    const above = certificates[index + 1];
    if (!certificate.ca) {
      throw new Error(`${subjectOf(certificate)} is not the certificate of a CA`);
    }
    if (above !== undefined && !certificate.checkIssued(above)) {
      throw new Error(`${subjectOf(certificate)} was not issued by ${subjectOf(above)}, which follows it`);
    }
  }
  if (!root.checkIssued(root)) {
    throw new Error(`${subjectOf(root)} is not a root; append the certificates above it`);
  }
  return {
    issuer,
    chain: blocks.slice(0, -1).join(""),
    notBefore: Math.max(...certificates.map((c) => Date.parse(c.validFrom))),
    notAfter: Math.min(...certificates.map((c) => Date.parse(c.validTo))),
  };
}

/**
 * What to tell the operator about a CA's remaining life; undefined while there is plenty. A CA is never replaced
 * by itself: everybody who trusts it has to be told first.
 */
export function authorityWarning(
  authority: Pick<Authority, "notBefore" | "notAfter">,
  time: Date,
): string | undefined {
  const left = authority.notAfter - time.getTime();
  const end = new Date(authority.notAfter).toISOString().slice(0, 10);
  if (left <= 0) {
    return `the certificate authority has expired on ${end}: no connection is accepted until there is a new one`;
  }
  if (left < (authority.notAfter - authority.notBefore) * warningShare) {
    const days = Math.floor(left / 86_400_000);
    return `the certificate authority ends in ${days} days, on ${end}; it is not renewed by itself: bring in a new one`;
  }
  return undefined;
}

function splitPem(pem: string): string[] {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  return blocks.map((block) => `${block.trim()}\n`);
}

function subjectOf(certificate: X509Certificate): string {
  return `"${certificate.subject.replaceAll("\n", ", ")}"`;
}
