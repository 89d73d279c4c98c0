import * as pulumi from "@pulumi/pulumi";
import { converged } from "../roles/roleChange.ts";
import type { RegionsDesired } from "./desired.ts";

export interface RegionChangeArgs {
  readonly desired: RegionsDesired;
  /** Tells whether there is work; see `RegionsPreview`. */
  readonly generation: string;
}

/**
 * Consul, Patroni and HAProxy as they are desired, and which region is active: what `RoleChange` is for a pair. One
 * resource, so that the write gap and the way back are its own business and not the engine's hop between two.
 */
export class RegionChange extends pulumi.ComponentResource {
  /** What proves the last change of the active region, if the last converge made one; else null. */
  readonly evidence: pulumi.Output<unknown>;

  constructor(name: string, args: RegionChangeArgs, opts?: pulumi.ComponentResourceOptions) {
    super("understudy:regions:RegionChange", name, {}, opts);
    this.evidence = converged(name, "scripts/convergeRegions.ts", args, opts, this);
    this.registerOutputs({ evidence: this.evidence });
  }
}
