import * as pulumi from "@pulumi/pulumi";
import * as tls from "@pulumi/tls";
import type { DeploymentBase } from "../spec/model.ts";
import { authorityWarning, readAuthority } from "./authority.ts";
import { now } from "./renewal.ts";

export interface CertificateAuthorityArgs {
  readonly deployment: Pick<DeploymentBase, "name" | "certificates">;
  /** Key of the CA whose certificate is `certificates.ownCaCertificate`. Secret. Change: reissues every certificate. */
  readonly privateKey?: pulumi.Input<string>;
}

/**
 * The one authority that all of a deployment trusts: made here, or the user's own. Its key stays in the state
 * (encrypted) and is never sent to a node.
 */
export class CertificateAuthority extends pulumi.ComponentResource {
  /** What everybody trusts, PEM. */
  readonly certificate: pulumi.Output<string>;
  /** The certificate that signs, PEM. */
  readonly issuer: pulumi.Output<string>;
  /** What a server sends with its own certificate, PEM, possibly "". */
  readonly chain: pulumi.Output<string>;
  /** Secret. */
  readonly privateKey: pulumi.Output<string>;

  constructor(name: string, args: CertificateAuthorityArgs, opts?: pulumi.ComponentResourceOptions) {
    super("understudy:pki:CertificateAuthority", name, {}, opts);
    const { ownCaCertificate } = args.deployment.certificates;
    if (ownCaCertificate === undefined) {
      const { key, certificate } = this.#make(name, args.deployment);
      this.privateKey = pulumi.secret(key.privateKeyPem);
      this.certificate = certificate.certPem;
      this.issuer = certificate.certPem;
      this.chain = pulumi.output("");
    } else {
      if (args.privateKey === undefined) {
        throw new pulumi.ResourceError(
          "certificates.ownCaCertificate needs its key: pulumi config set --secret caPrivateKey < ca.key",
          this,
          true,
        );
      }
      const authority = readAuthority(ownCaCertificate);
      this.privateKey = pulumi.secret(args.privateKey);
      this.certificate = pulumi.output(ownCaCertificate);
      this.issuer = pulumi.output(authority.issuer);
      this.chain = pulumi.output(authority.chain);
    }
    this.#warnOfItsEnd();
    this.registerOutputs({ certificate: this.certificate });
  }

  #make(
    name: string,
    deployment: CertificateAuthorityArgs["deployment"],
  ): { key: tls.PrivateKey; certificate: tls.SelfSignedCert } {
    const key = new tls.PrivateKey(
      `${name}-key`,
      { algorithm: "ECDSA", ecdsaCurve: "P256" },
      { parent: this },
    );
    const certificate = new tls.SelfSignedCert(
      `${name}-certificate`,
      {
        privateKeyPem: key.privateKeyPem,
        subject: { commonName: `${deployment.name} certificate authority` },
        isCaCertificate: true,
        setSubjectKeyId: true,
        validityPeriodHours: deployment.certificates.caValidityDays * 24,
        allowedUses: ["cert_signing", "crl_signing"],
      },
      { parent: this },
    );
    return { key, certificate };
  }

  #warnOfItsEnd(): void {
    this.certificate.apply((pem) => {
      const warning = authorityWarning(readAuthority(pem), now());
      return warning === undefined ? undefined : pulumi.log.warn(warning, this);
    });
  }
}
