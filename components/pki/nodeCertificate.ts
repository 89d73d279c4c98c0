import * as pulumi from "@pulumi/pulumi";
import * as tls from "@pulumi/tls";
import type { Certificates } from "../spec/model.ts";
import type { CertificateAuthority } from "./certificateAuthority.ts";
import type { CertificateNames } from "./certificateNames.ts";
import { leafValidityHours } from "./renewal.ts";

export interface NodeCertificateArgs {
  readonly authority: CertificateAuthority;
  readonly certificates: Certificates;
  /** The host's name. Change: reissues the certificate, and the host is somebody else to the others. */
  readonly commonName: string;
  readonly names: CertificateNames;
  /** See `certificateEpoch`. Change: the certificate is reissued, and the node reloads. */
  readonly epoch: number;
}

/**
 * The certificate by which a host is a server to clients and a client of the others. Its common name is the host's
 * name, which `pg_ident.conf` maps to the replication role. The key stays the same when it is reissued.
 */
export class NodeCertificate extends pulumi.ComponentResource {
  /** What the node trusts, PEM. */
  readonly caBundle: pulumi.Output<string>;
  /** The certificate and what leads from it to the root, PEM. */
  readonly certificate: pulumi.Output<string>;
  /** Secret. */
  readonly privateKey: pulumi.Output<string>;

  constructor(name: string, args: NodeCertificateArgs, opts?: pulumi.ComponentResourceOptions) {
    super("understudy:pki:NodeCertificate", name, {}, opts);
    const { authority, certificates, commonName, names, epoch } = args;
    const key = new tls.PrivateKey(
      `${name}-key`,
      { algorithm: "ECDSA", ecdsaCurve: "P256" },
      { parent: this },
    );
    const request = new tls.CertRequest(
      `${name}-request`,
      {
        privateKeyPem: key.privateKeyPem,
        subject: { commonName },
        dnsNames: [...names.dns],
        ipAddresses: [...names.ip],
      },
      { parent: this },
    );
    const leaf = new tls.LocallySignedCert(
      `${name}-certificate`,
      {
        caCertPem: authority.issuer,
        caPrivateKeyPem: authority.privateKey,
        certRequestPem: request.certRequestPem,
        validityPeriodHours: leafValidityHours(certificates, epoch),
        allowedUses: ["digital_signature", "server_auth", "client_auth"],
      },
      // The provider itself would let it expire; see renewal.ts.
      { parent: this, replacementTrigger: epoch },
    );
    this.caBundle = authority.certificate;
    this.certificate = pulumi.interpolate`${leaf.certPem}${authority.chain}`;
    this.privateKey = pulumi.secret(key.privateKeyPem);
    this.registerOutputs({ certificate: this.certificate });
  }
}
