import * as pulumi from "@pulumi/pulumi";
import { clientUri, nodeTable, writeCaFile } from "./access.ts";
import { fixedRecords, nameService } from "./dns/nameService.ts";
import { endpointOf } from "./dns/place.ts";
import { FloatingRecord } from "./dns/record.ts";
import { Hosts, type HostsArgs } from "./hosts/hosts.ts";
import { CertificateAuthority } from "./pki/certificateAuthority.ts";
import { certificateNames } from "./pki/certificateNames.ts";
import { NodeCertificate } from "./pki/nodeCertificate.ts";
import { StreamingPair } from "./postgres/streamingPair.ts";
import type { Desired, SshRoute } from "./roles/desired.ts";
import { RoleChange } from "./roles/roleChange.ts";
import { Verification } from "./roles/verification.ts";
import type { Deployment as DeploymentModel, Site } from "./spec/model.ts";

export interface DeploymentArgs {
  readonly deployment: DeploymentModel;
  readonly desired: Desired;
  /** What was observed before any resource was made; see `observeAndPlan`. */
  readonly generation: string;
  readonly presence: HostsArgs["presence"];
  /** The ways to the machines; see `HostsArgs`. */
  readonly routes: Readonly<Record<string, SshRoute>>;
  readonly silentMachines: readonly string[];
  /** See `HostsArgs`. */
  readonly unseen?: boolean;
  /** Config `repair`; see `HostsArgs`. */
  readonly repair: Readonly<Record<string, string>>;
  /** Certificates are reissued by epoch; see `pki/renewal.ts`. */
  readonly certificateEpoch: number;
  /** The key of the user's own CA, with `certificates.ownCaCertificate`. */
  readonly caPrivateKey: pulumi.Output<string> | undefined;
  /** TSIG secret of the user's own name server, with `names.server.kind: external`. */
  readonly dnsKey: pulumi.Output<string> | undefined;
}

/** A complete deployment over its sites. Reads like a table of contents; the rooms hold the chapters. */
export class Deployment extends pulumi.ComponentResource {
  /** The site that takes writes, once the role change has come to its end. */
  readonly active: pulumi.Output<string>;
  /** The floating name and the port behind it; the active node's address where nobody serves names. */
  readonly endpoint: pulumi.Output<string>;
  /** libpq URI over all sites, for clients on this machine; undefined without a database to connect to. Secret. */
  readonly uri: pulumi.Output<string> | undefined;
  readonly caCertificate: pulumi.Output<string>;
  /** Of the last update, if it moved the deployment: control files, times, gap; see `act/evidence.ts`. */
  readonly evidence: pulumi.Output<unknown>;

  constructor(name: string, args: DeploymentArgs, opts?: pulumi.ComponentResourceOptions) {
    super("understudy:index:Deployment", name, {}, opts);
    const { deployment } = args;
    const here = { parent: this };

    // Certificates
    const authority = new CertificateAuthority(
      `${name}-ca`,
      { deployment, ...(args.caPrivateKey === undefined ? {} : { privateKey: args.caPrivateKey }) },
      here,
    );
    const certificates = mapNodes(
      deployment,
      (site) =>
        new NodeCertificate(
          `${name}-${site.name}`,
          {
            authority,
            certificates: deployment.certificates,
            commonName: site.node.name,
            names: certificateNames(deployment, site.node),
            epoch: args.certificateEpoch,
          },
          here,
        ),
    );

    writeCaFile(deployment.name, authority.certificate, here);

    // Hosts
    const hosts = new Hosts(
      name,
      {
        deployment,
        presence: args.presence,
        routes: args.routes,
        silentMachines: args.silentMachines,
        unseen: args.unseen ?? false,
        repair: args.repair,
      },
      this,
    );

    // Names
    const names = nameService(
      `${name}-dns`,
      { deployment, host: () => hosts.ofNameServer(), externalKey: args.dnsKey },
      here,
    );
    if (names)
      fixedRecords(name, names, { domain: deployment.domain, addresses: addressesOf(deployment) }, this);

    // Database
    const pair = new StreamingPair(
      `${name}-postgres`,
      {
        deployment,
        certificates,
        hosts: mapNodes(deployment, (site) => hosts.ofSite(site)),
        files: Object.fromEntries(args.desired.nodes.map((node) => [node.name, node.files])),
      },
      here,
    );

    // Who leads
    const roles = new RoleChange(
      `${name}-roles`,
      { desired: args.desired, generation: args.generation },
      { parent: this, dependsOn: [pair] },
    );

    // The floating name follows, and only after the role change came to its end
    const active = activeSite(deployment);
    const floating = names && [
      new FloatingRecord(
        `${name}-floating`,
        {
          server: names.server,
          names: deployment.names,
          site: active.name,
          address: active.node.address,
        },
        { parent: this, dependsOn: [roles, ...names.ready] },
      ),
    ];
    const published = names ? deployment.names.floating : `${active.node.name}.${deployment.domain}`;

    const verified = new Verification(
      `${name}-verified`,
      { desired: args.desired, name: published, nameServer: endpointOf(deployment.names.server) },
      { parent: this, dependsOn: floating ?? [roles] },
    );

    // Told only after a client has seen it.
    this.active = verified.account.apply(() => deployment.active);
    this.endpoint = this.active.apply(() => `${names ? published : active.node.address}:${active.node.port}`);
    this.evidence = roles.evidence;
    this.caCertificate = authority.certificate;
    this.uri = clientUri({ ...deployment, passwords: pair.passwords, nodes: nodeTable(deployment) });
    this.registerOutputs({ active: this.active, endpoint: this.endpoint, nodes: nodeTable(deployment) });
  }
}

function mapNodes<T>(deployment: DeploymentModel, make: (site: Site) => T): Record<string, T> {
  return Object.fromEntries(deployment.sites.map((site) => [site.node.name, make(site)]));
}

function addressesOf({ sites }: DeploymentModel): Record<string, string> {
  return Object.fromEntries(sites.map(({ name, node }) => [name, node.address]));
}

function activeSite(deployment: DeploymentModel): Site {
  const site = deployment.sites.find((candidate) => candidate.name === deployment.active);
  if (!site) throw new Error(`internal: active site ${deployment.active} passed validation`);
  return site;
}
