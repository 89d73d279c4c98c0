import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import { clientUri, nodeTable, writeCaFile } from "./access.ts";
import { NameServer } from "./dns/nameServer.ts";
import { DnsRecord, FloatingRecord } from "./dns/record.ts";
import { NAME_SERVER_UNIT } from "./dns/zone.ts";
import { ContainerHost } from "./hosts/containers/containerHost.ts";
import { LocalImages } from "./hosts/containers/localImages.ts";
import { MARK_LABEL, type Presence } from "./hosts/containers/presence.ts";
import type { Host } from "./hosts/host.ts";
import { CertificateAuthority } from "./pki/certificateAuthority.ts";
import { NodeCertificate } from "./pki/nodeCertificate.ts";
import { StreamingPair } from "./postgres/streamingPair.ts";
import type { Desired } from "./roles/desired.ts";
import { RoleChange } from "./roles/roleChange.ts";
import { Verification } from "./roles/verification.ts";
import type { Deployment as DeploymentModel, Site } from "./spec/model.ts";

export interface DeploymentArgs {
  readonly deployment: DeploymentModel;
  readonly desired: Desired;
  /** What was observed before any resource was made; see `observeAndPlan`. */
  readonly generation: string;
  readonly presence: Presence;
  /** Certificates are reissued by epoch; see `pki/renewal.ts`. */
  readonly certificateEpoch: number;
  /** The key of the user's own CA, with `certificates.ownCaCertificate`. */
  readonly caPrivateKey: pulumi.Output<string> | undefined;
}

/** A complete deployment over its sites. Reads like a table of contents; the rooms hold the chapters. */
export class Deployment extends pulumi.ComponentResource {
  /** The site that takes writes, once the role change has come to its end. */
  readonly active: pulumi.Output<string>;
  /** The floating name and the port behind it. */
  readonly endpoint: pulumi.Output<string>;
  /** libpq URI over all sites, for clients on the Docker host; undefined without a database to connect to. Secret. */
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
          { authority, deployment, node: site.node, epoch: args.certificateEpoch },
          here,
        ),
    );

    writeCaFile(deployment, authority.certificate, here);

    // Hosts
    const provider = new docker.Provider(`${name}-docker`, dockerProviderArgs(deployment), here);
    const onDocker = { parent: this, providers: { docker: provider } };
    const images = new LocalImages(
      `${name}-images`,
      { dockerHost: deployment.containers.dockerHost },
      onDocker,
    );
    const network = new docker.Network(`${name}-network`, networkArgs(deployment, args.presence), {
      parent: this,
      provider,
    });
    const host = (site: string, address: string): Host =>
      new ContainerHost(site, {
        deployment: deployment.name,
        site,
        address,
        network,
        images,
        dockerHost: deployment.containers.dockerHost,
        presence: args.presence,
      });

    // Names
    const nameServer = new NameServer(
      `${name}-dns`,
      { deployment, host: host(NAME_SERVER_UNIT, deployment.names.serverAddress) },
      onDocker,
    );
    for (const site of deployment.sites) {
      new DnsRecord(
        `${name}-${site.name}-record`,
        { server: nameServer.endpoint, name: `${site.name}.${deployment.domain}`, value: site.node.address },
        { parent: this, dependsOn: [nameServer] },
      );
    }

    // Database
    const pair = new StreamingPair(
      `${name}-postgres`,
      {
        deployment,
        certificates,
        hosts: mapNodes(deployment, (site) => host(site.name, site.node.address)),
        files: Object.fromEntries(args.desired.nodes.map((node) => [node.name, node.files])),
      },
      onDocker,
    );

    // Who leads
    const roles = new RoleChange(
      `${name}-roles`,
      { desired: args.desired, generation: args.generation },
      { parent: this, dependsOn: [pair] },
    );

    // The floating name follows, and only after the role change came to its end
    const floating = new FloatingRecord(
      `${name}-floating`,
      { server: nameServer.endpoint, deployment },
      { parent: this, dependsOn: [roles, nameServer] },
    );

    const verified = new Verification(
      `${name}-verified`,
      { desired: args.desired, name: deployment.names.floating, serverPort: deployment.names.publishedPort },
      { parent: this, dependsOn: [floating] },
    );

    // Told only after a client has seen it.
    this.active = verified.account.apply(() => deployment.active);
    this.endpoint = this.active.apply(
      () => `${deployment.names.floating}:${activeSite(deployment).node.port}`,
    );
    this.evidence = roles.evidence;
    this.caCertificate = authority.certificate;
    this.uri = clientUri(deployment, pair.passwords);
    this.registerOutputs({ active: this.active, endpoint: this.endpoint, nodes: nodeTable(deployment) });
  }
}

function mapNodes<T>(deployment: DeploymentModel, make: (site: Site) => T): Record<string, T> {
  return Object.fromEntries(deployment.sites.map((site) => [site.node.name, make(site)]));
}

function activeSite(deployment: DeploymentModel): Site {
  const site = deployment.sites.find((candidate) => candidate.name === deployment.active);
  if (!site) throw new Error(`internal: active site ${deployment.active} passed validation`);
  return site;
}

function dockerProviderArgs(deployment: DeploymentModel): docker.ProviderArgs {
  // Explicit, because a later change of DOCKER_HOST in somebody's shell must not move a deployment.
  return { host: deployment.containers.dockerHost ?? "unix:///var/run/docker.sock" };
}

function networkArgs(deployment: DeploymentModel, presence: Presence): docker.NetworkArgs {
  return {
    name: deployment.name,
    driver: "bridge",
    ipamConfigs: [{ subnet: deployment.containers.subnet }],
    labels: [
      { label: "understudy.deployment", value: deployment.name },
      { label: MARK_LABEL, value: presence.networks[deployment.name] ?? presence.fresh },
    ],
  };
}
