import * as pulumi from "@pulumi/pulumi";
import { clientUri, proxyTable, writeCaFile } from "./access.ts";
import { fixedRecords, nameService } from "./dns/nameService.ts";
import { endpointOf } from "./dns/place.ts";
import { FloatingRecord } from "./dns/record.ts";
import { Hosts, type HostsArgs } from "./hosts/hosts.ts";
import { CertificateAuthority } from "./pki/certificateAuthority.ts";
import { NodeCertificate } from "./pki/nodeCertificate.ts";
import { loginPasswords } from "./postgres/passwords.ts";
import { ConsulCluster } from "./regions/consulCluster.ts";
import type { RegionsDesired } from "./regions/desired.ts";
import type { RegionsObserved } from "./regions/facts.ts";
import type { RegionHosts } from "./regions/hostSetup.ts";
import { PatroniCluster } from "./regions/patroniCluster.ts";
import { unitsThere } from "./regions/presence.ts";
import { Proxies } from "./regions/proxies.ts";
import { RegionChange } from "./regions/regionChange.ts";
import { RegionsVerification } from "./regions/regionsVerification.ts";
import { certificateNamesOf } from "./regions/render/certificates.ts";
import { type AnyHost, programOfHost } from "./regions/render/programs.ts";
import { allHosts, regionOf } from "./regions/render/topology.ts";
import { allHosts as desiredHosts } from "./regions/wish.ts";
import type { RegionalDeployment as Model, Proxy as ProxyHost, Region } from "./spec/regionalModel.ts";

export interface RegionalDeploymentArgs {
  readonly deployment: Model;
  readonly desired: RegionsDesired;
  /** What was observed before any resource was made. */
  readonly generation: string;
  readonly presence: HostsArgs["presence"];
  readonly observed: Pick<RegionsObserved, "hosts">;
  /** The ways to the machines; see `HostsArgs`. */
  readonly routes: HostsArgs["routes"];
  readonly silentMachines: readonly string[];
  /** See `HostsArgs`. */
  readonly unseen?: boolean;
  /** Certificates are reissued by epoch; see `pki/renewal.ts`. */
  readonly certificateEpoch: number;
  /** The key of the user's own CA, with `certificates.ownCaCertificate`. */
  readonly caPrivateKey: pulumi.Output<string> | undefined;
  /** TSIG secret of the user's own name server, with `names.server.kind: external`. */
  readonly dnsKey: pulumi.Output<string> | undefined;
}

/** A complete deployment over its regions. Reads like a table of contents; the rooms hold the chapters. */
export class RegionalDeployment extends pulumi.ComponentResource {
  /** The region that takes writes, once the region change has come to its end. */
  readonly active: pulumi.Output<string>;
  /** The floating name and the port behind it; the active region's first proxy where nobody serves names. */
  readonly endpoint: pulumi.Output<string>;
  /** The same for sessions that only read. */
  readonly readEndpoint: pulumi.Output<string>;
  /** The same for clients of PgBouncer; undefined: there is none. */
  readonly pooledEndpoint: pulumi.Output<string> | undefined;
  /** libpq URI over all regions' proxies, for clients on this machine; undefined without a database. Secret. */
  readonly uri: pulumi.Output<string> | undefined;
  readonly caCertificate: pulumi.Output<string>;
  /** Of the last update, if it moved the deployment; see `regions/act/evidence.ts`. */
  readonly evidence: pulumi.Output<unknown>;
  /** By region, the token of its Consul that may do everything. Secret. */
  readonly consulManagementTokens: pulumi.Output<Record<string, string>>;

  constructor(name: string, args: RegionalDeploymentArgs, opts?: pulumi.ComponentResourceOptions) {
    super("understudy:index:RegionalDeployment", name, {}, opts);
    const { deployment, desired } = args;
    const here = { parent: this };

    // Certificates
    const authority = new CertificateAuthority(
      `${name}-ca`,
      { deployment, ...(args.caPrivateKey === undefined ? {} : { privateKey: args.caPrivateKey }) },
      here,
    );
    const certificates = byHost(
      deployment,
      (host) =>
        new NodeCertificate(
          `${name}-${host.name}`,
          {
            authority,
            certificates: deployment.certificates,
            commonName: host.name,
            names: certificateNamesOf(deployment, host),
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
        ...{ deployment, repair: deployment.repair, unseen: args.unseen ?? false },
        presence: args.presence,
        routes: args.routes,
        silentMachines: args.silentMachines,
      },
      this,
    );
    const setup: RegionHosts = {
      certificates,
      hosts: byHost(deployment, (host) => hosts.ofHost(host, programOfHost[host.role])),
      files: Object.fromEntries(desiredHosts(desired).map((host) => [host.name, host.files])),
      isPresent: unitsThere(args),
    };

    // Names
    const names = nameService(
      `${name}-dns`,
      { deployment, host: () => hosts.ofNameServer(), externalKey: args.dnsKey },
      here,
    );
    if (names) {
      fixedRecords(name, names, { domain: deployment.domain, addresses: addressesOf(deployment) }, this);
    }

    // Consul, the database, and the way to it, region by region, those first that follow
    const passwords = loginPasswords(`${name}-postgres`, deployment.database.roles, this);
    const units: pulumi.Resource[] = [];
    const managementTokens: Record<string, pulumi.Output<string>> = {};
    for (const region of standbysFirst(deployment)) {
      const shared = { ...setup, deployment, region };
      const prefix = `${name}-${region.name}`;
      const earlier = [...units];
      const consul = new ConsulCluster(`${prefix}-consul`, { ...shared, after: earlier }, here);
      const servers = Object.values(consul.units);
      const cluster = new PatroniCluster(
        `${prefix}-patroni`,
        { ...shared, consul: consul.secrets, passwords, after: [...earlier, ...servers] },
        here,
      );
      const members = Object.values(cluster.units);
      const proxies = new Proxies(
        `${prefix}-proxies`,
        { ...shared, passwords, after: [...earlier, ...servers, ...members] },
        here,
      );
      managementTokens[region.name] = consul.secrets.management;
      units.push(...servers, ...members, ...Object.values(proxies.units));
    }

    // Who leads
    const change = new RegionChange(
      `${name}-regions`,
      { desired, generation: args.generation },
      { parent: this, dependsOn: units },
    );

    // The floating name follows, and only after the region change came to its end
    const proxy = firstProxy(regionOf(deployment, deployment.active));
    const floating = names && [
      new FloatingRecord(
        `${name}-floating`,
        { server: names.server, names: deployment.names, site: deployment.active, address: proxy.address },
        { parent: this, dependsOn: [change, ...names.ready] },
      ),
    ];
    const published = names ? deployment.names.floating : `${proxy.name}.${deployment.domain}`;
    const verified = new RegionsVerification(
      `${name}-verified`,
      { desired, name: published, nameServer: endpointOf(deployment.names.server) },
      { parent: this, dependsOn: floating ?? [change] },
    );

    // Told only after a client has seen it.
    const told = names ? published : proxy.address;
    this.active = verified.account.apply(() => deployment.active);
    this.endpoint = this.active.apply(() => `${told}:${proxy.writePort}`);
    this.readEndpoint = this.active.apply(() => `${told}:${proxy.readPort}`);
    const { pooledPort } = proxy;
    this.pooledEndpoint =
      pooledPort === undefined ? undefined : this.active.apply(() => `${told}:${pooledPort}`);
    this.evidence = change.evidence;
    this.caCertificate = authority.certificate;
    this.consulManagementTokens = pulumi.secret(pulumi.all(managementTokens));
    this.uri = clientUri({ ...deployment, passwords, nodes: proxyTable(deployment) });
    this.registerOutputs({ active: this.active, endpoint: this.endpoint });
  }
}

function byHost<T>(deployment: Model, make: (host: AnyHost) => T): Record<string, T> {
  return Object.fromEntries(allHosts(deployment).map((host) => [host.name, make(host)]));
}

/** What clients may connect to. A region's name is that of its first proxy, which is where its clients go. */
function addressesOf(deployment: Model): Record<string, string> {
  return Object.fromEntries([
    ...deployment.regions.map((region) => [region.name, firstProxy(region).address]),
    ...deployment.regions.flatMap(({ members, proxies }) =>
      [...members, ...proxies].map(({ name, address }) => [name, address]),
    ),
  ]);
}

/** In the order of the stack file, the active region last. */
function standbysFirst({ regions, active }: Model): Region[] {
  return [...regions.filter(({ name }) => name !== active), ...regions.filter(({ name }) => name === active)];
}

function firstProxy({ name, proxies }: Region): ProxyHost {
  const [first] = proxies;
  if (first === undefined) throw new Error(`internal: region ${name} without a proxy passed validation`);
  return first;
}
