import * as pulumi from "@pulumi/pulumi";
import * as tls from "@pulumi/tls";
import type { Deployment, Node } from "../spec/model.ts";
import type { CertificateAuthority } from "./certificateAuthority.ts";
import { certificateNames } from "./certificateNames.ts";
import { leafValidityHours } from "./renewal.ts";

export interface NodeCertificateArgs {
  readonly authority: CertificateAuthority;
  readonly deployment: Deployment;
  readonly node: Node;
  /** See `certificateEpoch`. Change: the certificate is reissued, and the node reloads. */
  readonly epoch: number;
}

/**
 * The certificate by which a node is a server to clients and a client of its peer. Its common name is the node's
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
    const { authority, deployment, node, epoch } = args;
    const names = certificateNames(deployment, node);
    const key = new tls.PrivateKey(
      `${name}-key`,
      { algorithm: "ECDSA", ecdsaCurve: "P256" },
      { parent: this },
    );
    const request = new tls.CertRequest(
      `${name}-request`,
      {
        privateKeyPem: key.privateKeyPem,
        subject: { commonName: node.name },
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
        validityPeriodHours: leafValidityHours(deployment.certificates, epoch),
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
