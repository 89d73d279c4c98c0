/** Rules about certificates. */
import type { RuleCase } from "../ruleCase.ts";
import { caCertificate, daysFromNow } from "../testCertificate.ts";

type Fields = Record<string, unknown>;
const certificates = (fields: Fields) => ({ deployment: { certificates: fields } });

const own = async (wish?: Parameters<typeof caCertificate>[0], given = true) => ({
  ...certificates({ ownCaCertificate: await caCertificate(wish) }),
  caPrivateKeyGiven: given,
});
const good = await own();
const path = "deployment.certificates.ownCaCertificate";
const refused = async (
  code: string,
  wish: Parameters<typeof caCertificate>[0],
  message: string,
  nearMiss: Parameters<typeof caCertificate>[0] = {},
): Promise<RuleCase> => ({ code, wrong: await own(wish), path, message, fine: await own(nearMiss) });

export const certificateCases: readonly RuleCase[] = [
  {
    code: "E_CERT_VALIDITY",
    wrong: certificates({ validityHours: 100, renewBeforeHours: 100 }),
    path: "deployment.certificates.renewBeforeHours",
    message: "100 h is not less than the certificates' whole life of 100 h; every update would reissue them",
    fine: certificates({ validityHours: 100, renewBeforeHours: 99 }),
  },
  {
    code: "E_CERT_VALIDITY",
    wrong: certificates({ validityHours: 2160, caValidityDays: 89 }),
    path: "deployment.certificates.validityHours",
    message: "2160 h is longer than the authority's life of 89 days",
    fine: certificates({ validityHours: 2160, caValidityDays: 90 }),
  },
  {
    code: "E_CERT_FORMAT",
    wrong: { ...certificates({ ownCaCertificate: "MIIB…" }), caPrivateKeyGiven: true },
    path,
    message: "is not a certificate in PEM (-----BEGIN CERTIFICATE-----)",
    fine: good,
  },
  {
    code: "E_CERT_FORMAT",
    wrong: {
      ...certificates({ ownCaCertificate: (await caCertificate()) + (await caCertificate()) }),
      caPrivateKeyGiven: true,
    },
    path,
    message: "has 2 certificates; give the one that signs",
    fine: good,
  },
  await refused("E_CERT_EXPIRED", { until: daysFromNow(0) }, "expired on 2026-06-01", {
    until: daysFromNow(91),
  }),
  await refused("E_CERT_EXPIRED", { until: daysFromNow(0.9) }, "expires on 2026-06-02, in less than a day"),
  await refused("E_CERT_NOT_YET_VALID", { from: daysFromNow(1) }, "is not valid before 2026-06-02", {
    from: daysFromNow(0),
  }),
  await refused("E_CERT_NOT_CA", { isCa: false }, "cannot sign certificates (no basic constraint CA:TRUE)"),
  await refused("E_CERT_WEAK", { bits: 1024 }, "has an RSA key of 1024 bits; 2048 is the least", {
    bits: 2048,
  }),
  await refused("E_CERT_WEAK", { bits: 2048, hash: "SHA-1" }, "is signed with SHA-1, which is broken", {
    curve: "P-384",
  }),
  {
    code: "E_CERT_SHORT",
    wrong: await own({ until: daysFromNow(30) }),
    path: "deployment.certificates.validityHours",
    message: "2160 h is longer than the 720 h that are left of your CA's certificate",
    fine: await own({ until: daysFromNow(90) }),
  },
  {
    code: "E_CERT_KEY",
    wrong: await own({}, false),
    path: "caPrivateKey",
    message: "the CA's key is missing; set it with `pulumi config set --secret caPrivateKey < key.pem`",
    fine: good,
  },
  {
    code: "E_CERT_KEY",
    wrong: { caPrivateKeyGiven: true },
    path,
    message:
      "the secret `caPrivateKey` is set without its certificate; write `ownCaCertificate`, or remove the secret",
    fine: {},
  },
  {
    code: "E_SECRET_PLAINTEXT",
    wrong: {
      ...certificates({ ownCaCertificate: "-----BEGIN PRIVATE KEY-----" }),
      caPrivateKeyGiven: true,
    },
    path,
    message:
      "has a private key in it, and configuration is not secret; set the key with `pulumi config set --secret caPrivateKey < key.pem`",
    fine: good,
  },
];
