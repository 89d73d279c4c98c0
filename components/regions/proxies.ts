import * as pulumi from "@pulumi/pulumi";
import { pgbouncerUsers } from "../pgbouncer/pgbouncerIni.ts";
import type { Passwords } from "../postgres/passwords.ts";
import type { Region, RegionalDeployment } from "../spec/regionalModel.ts";
import { inTurn, type RegionHosts, setUpHost } from "./hostSetup.ts";
import { SECRET_FILES } from "./render/paths.ts";

export interface ProxiesArgs extends RegionHosts {
  readonly deployment: RegionalDeployment;
  readonly region: Region;
  readonly passwords: Passwords;
  /** Units that are replaced before those of this region. */
  readonly after: readonly pulumi.Resource[];
}

/**
 * A region's proxies: one port that reaches whoever takes writes, one that reaches the region's replicas, and where
 * connections are pooled one in front of the first.
 */
export class Proxies extends pulumi.ComponentResource {
  /** By proxy. */
  readonly units: Readonly<Record<string, pulumi.Resource>>;

  constructor(name: string, args: ProxiesArgs, opts?: pulumi.ComponentResourceOptions) {
    super("understudy:regions:Proxies", name, {}, opts);
    const secrets: Record<string, pulumi.Input<string>> = args.deployment.database.pooling === undefined
      ? {}
      : { [SECRET_FILES.pgbouncerUsers]: pulumi.all(args.passwords).apply(pgbouncerUsers) };
    this.units = inTurn(args.region.proxies, args, args.after, (host, after) =>
      setUpHost({ ...args, host, after, secrets }, this),
    );
    this.registerOutputs({});
  }
}
