import * as command from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import type { Deployment, Endpoint } from "./spec/model.ts";

/** A row of the stack's output `nodes`. */
export interface NodeRow {
  readonly name: string;
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

/** Where the program leaves the CA's certificate for clients on this machine, relative to the project. */
function caFile(deployment: Deployment): string {
  return `.understudy/${deployment.name}/ca.crt`;
}

/** libpq takes the CA to trust from a file only; without it the URI would not be usable as it is printed. */
export function writeCaFile(
  deployment: Deployment,
  certificate: pulumi.Output<string>,
  opts: pulumi.CustomResourceOptions,
): pulumi.Resource {
  const file = caFile(deployment);
  return new command.local.Command(
    `${deployment.name}-ca-file`,
    {
      create: `mkdir -p "$(dirname ${file})" && cat > ${file}.new && mv ${file}.new ${file}`,
      delete: `rm -f ${file}`,
      stdin: certificate,
      addPreviousOutputInEnv: false,
    },
    opts,
  );
}

/**
 * A libpq URI for clients on this machine: every site by its own name, so that the certificate is checked in
 * full, and by its address, so that no name server has to be asked. `target_session_attrs=read-write`
 * finds the site that takes writes (manual, 34.1.1.3). It is for the first database whose owner can log in, and
 * undefined where there is none.
 */
export function clientUri(
  deployment: Deployment,
  passwords: Readonly<Record<string, pulumi.Output<string>>>,
): pulumi.Output<string> | undefined {
  const database = deployment.database.databases.find(({ owner }) => passwords[owner] !== undefined);
  const password = passwords[database?.owner ?? ""];
  if (database === undefined || password === undefined) return undefined;
  const query = new URLSearchParams({
    hostaddr: deployment.sites.map(({ node }) => node.client.host).join(","),
    target_session_attrs: "read-write",
    connect_timeout: "3",
    sslmode: "verify-full",
    sslrootcert: `${process.cwd()}/${caFile(deployment)}`,
  });
  const hosts = deployment.sites.map(({ node }) => `${node.name}.${deployment.domain}:${node.client.port}`);
  const login = pulumi.interpolate`${encodeURIComponent(database.owner)}:${password.apply(encodeURIComponent)}`;
  const target = `${hosts.join(",")}/${encodeURIComponent(database.name)}?${query.toString()}`;
  return pulumi.secret(pulumi.interpolate`postgresql://${login}@${target}`);
}
