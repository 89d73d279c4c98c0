import * as command from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import type { Passwords } from "./postgres/passwords.ts";
import type { DatabaseBase, Deployment, Endpoint } from "./spec/model.ts";
import { hostsOf, type RegionalDeployment } from "./spec/regionalModel.ts";

/** A row of the stack's output `nodes`: what a client can connect to. */
export interface NodeRow {
  readonly name: string;
  /** The site, or the region. */
  readonly site: string;
  readonly address: string;
  readonly port: number;
  /** Where clients on the machine that runs Pulumi reach it. */
  readonly client: Endpoint;
}

export function nodeTable(deployment: Deployment): NodeRow[] {
  return deployment.sites.map(({ node }) => ({
    name: node.name,
    site: node.site,
    address: node.address,
    port: node.port,
    client: node.client,
  }));
}

/** Of regions these are the proxies. */
export function proxyTable(deployment: RegionalDeployment): NodeRow[] {
  return deployment.regions.flatMap(({ proxies }) =>
    proxies.map(({ name, region, address, writePort, client }) => ({
      name,
      site: region,
      address,
      port: writePort,
      client: client.write,
    })),
  );
}

/** A row of the stack's output `hosts`. */
export interface HostRow {
  readonly name: string;
  readonly region: string;
  readonly role: "server" | "member" | "proxy";
  readonly address: string;
}

export function hostTable({ regions }: RegionalDeployment): HostRow[] {
  return regions.flatMap((region) =>
    hostsOf(region).map(({ name, role, address }) => ({ name, region: region.name, role, address })),
  );
}

/** Where the program leaves the CA's certificate for clients on this machine, relative to the project. */
function caFile(deployment: string): string {
  return `.understudy/${deployment}/ca.crt`;
}

/** libpq takes the CA to trust from a file only; without it the URI would not be usable as it is printed. */
export function writeCaFile(
  deployment: string,
  certificate: pulumi.Output<string>,
  opts: pulumi.CustomResourceOptions,
): pulumi.Resource {
  const file = caFile(deployment);
  return new command.local.Command(
    `${deployment}-ca-file`,
    {
      create: `mkdir -p "$(dirname ${file})" && cat > ${file}.new && mv ${file}.new ${file}`,
      delete: `rm -f ${file}`,
      stdin: certificate,
      addPreviousOutputInEnv: false,
    },
    opts,
  );
}

export interface UriArgs {
  /** The deployment's. */
  readonly name: string;
  readonly domain: string;
  readonly database: Pick<DatabaseBase, "databases">;
  readonly passwords: Passwords;
  /** In the order in which they are tried. */
  readonly nodes: readonly NodeRow[];
}

/**
 * A libpq URI for clients on this machine: every node by its own name, so that the certificate is checked in
 * full, and by its address, so that no name server has to be asked. `target_session_attrs=read-write`
 * finds the one that takes writes (manual, 34.1.1.3). It is for the first database whose owner can log in, and
 * undefined where there is none.
 */
export function clientUri(args: UriArgs): pulumi.Output<string> | undefined {
  const { name, domain, passwords, nodes } = args;
  const database = args.database.databases.find(({ owner }) => passwords[owner] !== undefined);
  const password = passwords[database?.owner ?? ""];
  if (database === undefined || password === undefined) return undefined;
  const query = new URLSearchParams({
    hostaddr: nodes.map(({ client }) => client.host).join(","),
    target_session_attrs: "read-write",
    connect_timeout: "3",
    sslmode: "verify-full",
    sslrootcert: `${process.cwd()}/${caFile(name)}`,
  });
  const hosts = nodes.map((node) => `${node.name}.${domain}:${node.client.port}`);
  const login = pulumi.interpolate`${encodeURIComponent(database.owner)}:${password.apply(encodeURIComponent)}`;
  const target = `${hosts.join(",")}/${encodeURIComponent(database.name)}?${query.toString()}`;
  return pulumi.secret(pulumi.interpolate`postgresql://${login}@${target}`);
}
