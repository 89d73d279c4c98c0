import * as pulumi from "@pulumi/pulumi";
import type { Region, RegionalDeployment } from "../spec/regionalModel.ts";
import { inTurn, type RegionHosts, setUpHost } from "./hostSetup.ts";

export interface ProxiesArgs extends RegionHosts {
  readonly deployment: RegionalDeployment;
  readonly region: Region;
  /** Units that are replaced before those of this region. */
  readonly after: readonly pulumi.Resource[];
}

/** A region's proxies: one port that reaches whoever takes writes, one that reaches the region's replicas. */
export class Proxies extends pulumi.ComponentResource {
  /** By proxy. */
  readonly units: Readonly<Record<string, pulumi.Resource>>;

  constructor(name: string, args: ProxiesArgs, opts?: pulumi.ComponentResourceOptions) {
    super("understudy:regions:Proxies", name, {}, opts);
    this.units = inTurn(args.region.proxies, args, args.after, (host, after) =>
      setUpHost({ ...args, host, after, secrets: {} }, this),
    );
    this.registerOutputs({});
  }
}
