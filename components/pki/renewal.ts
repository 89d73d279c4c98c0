/**
 * When a node's certificate is reissued. The `tls` provider notices that a certificate is near its end only
 * during a refresh (pulumi-tls#39), so a plain `pulumi up` would let it expire. Here the clock decides instead, and
 * is read once: time is divided into epochs, and a new epoch replaces every node's certificate.
 *
 * An epoch lasts `validityHours − renewBeforeHours`. A certificate issued at any time within one epoch has,
 * when the next begins, at least `renewBeforeHours` left: it is reissued at the start of its renewal window or
 * before, by the first `up` of the new epoch. Two runs within one epoch agree, so an unchanged stack stays unchanged.
 */
import { createHash } from "node:crypto";
import type { Certificates, Deployment } from "../spec/model.ts";
import { readAuthority } from "./authority.ts";
import { type CertificateNames, certificateNames } from "./certificateNames.ts";

const hourMs = 3_600_000;
const dayHours = 24;

/** The clock of the program: `UNDERSTUDY_NOW` (ISO 8601) stands in for it where a test moves time. */
export function now(environment: { readonly UNDERSTUDY_NOW?: string | undefined } = process.env): Date {
  const given = environment.UNDERSTUDY_NOW;
  const time = given ? new Date(given) : new Date();
  if (Number.isNaN(time.getTime())) {
    throw new Error(`UNDERSTUDY_NOW is not a time in ISO 8601: "${given}"`);
  }
  return time;
}

/**
 * When the epoch that `time` is in began, in hours since 1970: a number that grows from epoch to epoch.
 *
 * In the last stretch of an own CA's life, when a certificate of full length would outlive it, an epoch lasts
 * a day: certificates are then issued up to the CA's end.
 */
export function certificateEpoch(certificates: Certificates, time: Date): number {
  const hours = Math.floor(time.getTime() / hourMs);
  const start = hours - (hours % epochHours(certificates));
  if (!isLastStretch(certificates, start)) {
    return start;
  }
  return Math.max(start, hours - (hours % dayHours));
}

/** Life of a certificate that is issued in this epoch, in hours. */
export function leafValidityHours(certificates: Certificates, epoch: number): number {
  if (!isLastStretch(certificates, epoch)) {
    return certificates.validityHours;
  }
  // On its last day a leaf may nominally outlive the CA; nobody trusts it then, as the CA has expired.
  return Math.max(1, Math.min(certificates.validityHours, authorityEnd(certificates) - epoch - dayHours));
}

/**
 * `certificate.json` by node name: what makes a certificate what it is, without the certificate. It is known
 * before anything is issued, and a change of it tells the plan that a node has a certificate to load.
 */
export function certificateFiles(deployment: Deployment, epoch: number): Record<string, string> {
  return Object.fromEntries(
    deployment.sites.map(({ node }) => [
      node.name,
      certificateFile(deployment.certificates, certificateNames(deployment, node), epoch),
    ]),
  );
}

export function certificateFile(certificates: Certificates, names: CertificateNames, epoch: number): string {
  const content = {
    epoch: new Date(epoch * hourMs).toISOString(),
    validityHours: leafValidityHours(certificates, epoch),
    authority:
      certificates.ownCaCertificate === undefined
        ? `generated for ${certificates.caValidityDays} days`
        : createHash("sha256").update(certificates.ownCaCertificate).digest("hex"),
    names,
  };
  return `${JSON.stringify(content, null, 2)}\n`;
}

function epochHours(certificates: Certificates): number {
  return Math.max(1, certificates.validityHours - certificates.renewBeforeHours);
}

/** A certificate that is issued at the end of the epoch, for its full life, would outlive the own CA. */
function isLastStretch(certificates: Certificates, epoch: number): boolean {
  const latestEnd = epoch + epochHours(certificates) + certificates.validityHours;
  return latestEnd > authorityEnd(certificates);
}

/** Hours since 1970; infinite for a CA that is made here, whose life is not known before it exists. */
function authorityEnd(certificates: Certificates): number {
  const { ownCaCertificate } = certificates;
  return ownCaCertificate === undefined
    ? Number.POSITIVE_INFINITY
    : Math.floor(readAuthority(ownCaCertificate).notAfter / hourMs);
}
