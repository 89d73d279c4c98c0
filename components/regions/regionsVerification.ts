import * as pulumi from "@pulumi/pulumi";
import type { Reach } from "../roles/desired.ts";
import { verified } from "../roles/verification.ts";
import type { Endpoint } from "../spec/model.ts";
import type { RegionsDesired } from "./desired.ts";

export interface RegionsVerificationArgs {
  readonly desired: RegionsDesired;
  /** The floating name; where nobody serves names, that of the active region's proxy. */
  readonly name: string;
  /** The server of names, as this machine reaches it; undefined: none. */
  readonly nameServer: Endpoint | undefined;
}

/** What `scripts/verify.ts` gets on stdin. Without any configuration: an edit of one is no reason to verify again. */
export interface RegionsVerifyRequest {
  readonly active: string;
  readonly regions: readonly {
    readonly name: string;
    readonly members: readonly { readonly name: string; readonly reach: Reach }[];
    readonly proxies: readonly {
      readonly name: string;
      readonly address: string;
      readonly writePort: number;
    }[];
  }[];
  readonly name: string;
  /** Absent: the name is not looked up, the address of the active region's proxy is used. */
  readonly nameServer?: Endpoint;
}

/**
 * The last step of an update that moved something: a real client, `verify-full`, over the published name, writes
 * through the active region's proxy and reads back. Until it did, nobody should say that the deployment serves.
 */
export class RegionsVerification extends pulumi.ComponentResource {
  /** What the client saw, in a sentence. */
  readonly account: pulumi.Output<string>;

  constructor(name: string, args: RegionsVerificationArgs, opts?: pulumi.ComponentResourceOptions) {
    super("understudy:regions:RegionsVerification", name, {}, opts);
    this.account = verified(name, requestOf(args), opts, this);
    this.registerOutputs({ account: this.account });
  }
}

function requestOf({ desired, name, nameServer }: RegionsVerificationArgs): RegionsVerifyRequest {
  return {
    active: desired.active,
    regions: desired.regions.map((region) => ({
      name: region.name,
      members: region.members.map((member) => ({ name: member.name, reach: member.reach })),
      proxies: region.proxies.map((proxy) => ({
        name: proxy.name,
        address: proxy.address,
        writePort: proxy.writePort,
      })),
    })),
    name,
    ...(nameServer === undefined ? {} : { nameServer }),
  };
}
