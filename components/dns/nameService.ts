import type * as pulumi from "@pulumi/pulumi";
import type { Host } from "../hosts/host.ts";
import type { DeploymentBase } from "../spec/model.ts";
import { NameServer } from "./nameServer.ts";
import { endpointOf } from "./place.ts";
import { DnsRecord } from "./record.ts";
import type { RecordServer } from "./recordServer.ts";
import { Rfc2136Server } from "./rfc2136Server.ts";

export interface NameServiceArgs {
  readonly deployment: DeploymentBase;
  /** Makes the host of a name server of our own; not called where names are served by somebody else. */
  readonly host: () => Host;
  /** TSIG secret for an external server, config `dnsKey`. Secret. */
  readonly externalKey: pulumi.Output<string> | undefined;
}

/** Who keeps the deployment's names, and what has to be there before they can be kept. */
export interface NameService {
  readonly server: RecordServer;
  readonly ready: readonly pulumi.Resource[];
}

/** Undefined where the user wants no names to be served: `names.server.kind: none`. */
export function nameService(
  name: string,
  args: NameServiceArgs,
  opts: pulumi.ComponentResourceOptions,
): NameService | undefined {
  const { deployment } = args;
  const { server } = deployment.names;
  switch (server.kind) {
    case "none":
      return undefined;
    case "external":
      return { server: external(args), ready: [] };
    default: {
      const own = new NameServer(name, { deployment, place: server, host: args.host() }, opts);
      return { server: own.endpoint, ready: [own] };
    }
  }
}

/** `<label>.<domain>` for every site or host, by label. */
export function fixedRecords(
  name: string,
  { server, ready }: NameService,
  { domain, addresses }: { readonly domain: string; readonly addresses: Readonly<Record<string, string>> },
  parent: pulumi.Resource,
): void {
  for (const [label, address] of Object.entries(addresses)) {
    new DnsRecord(
      `${name}-${label}-record`,
      { server, name: `${label}.${domain}`, value: address },
      { parent, dependsOn: [...ready] },
    );
  }
}

function external({ deployment, externalKey }: NameServiceArgs): RecordServer {
  const { server } = deployment.names;
  const endpoint = endpointOf(server);
  if (server.kind !== "external" || endpoint === undefined || externalKey === undefined) {
    throw new Error("internal: an external name server without a key passed validation");
  }
  return new Rfc2136Server({
    ...endpoint,
    zone: deployment.domain,
    keyName: server.keyName,
    keySecret: externalKey,
  });
}
