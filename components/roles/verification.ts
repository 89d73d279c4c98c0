import * as command from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import type { Endpoint } from "../spec/model.ts";
import type { Desired, DesiredNode } from "./desired.ts";

export interface VerificationArgs {
  readonly desired: Desired;
  /** The floating name, or the active node's own where nobody serves names. */
  readonly name: string;
  /** The server of names, as this machine reaches it; undefined: none. */
  readonly nameServer: Endpoint | undefined;
}

/** What `scripts/verify.ts` gets on stdin. */
export interface VerifyRequest {
  readonly active: string;
  readonly nodes: readonly DesiredNode[];
  readonly name: string;
  /** Absent: the name is not looked up, the active node's address is used. */
  readonly nameServer?: Endpoint;
}

/**
 * The last step of an update that moved something: a real client, `verify-full`, over the published name, writes
 * and reads back. Until it did, nobody should say that the deployment serves.
 */
export class Verification extends pulumi.ComponentResource {
  /** What the client saw, in a sentence. */
  readonly account: pulumi.Output<string>;

  constructor(name: string, args: VerificationArgs, opts?: pulumi.ComponentResourceOptions) {
    super("understudy:roles:Verification", name, {}, opts);
    const { desired, nameServer } = args;
    const request: VerifyRequest = {
      active: desired.active,
      // Without the configuration: an edit of a setting is no reason to verify again.
      nodes: desired.nodes.map(({ fenceCommand: _, ...node }) => ({ ...node, files: {} })),
      name: args.name,
      ...(nameServer === undefined ? {} : { nameServer }),
    };
    this.account = verified(name, request, opts, this);
    this.registerOutputs({ account: this.account });
  }
}

/** What a real client saw, in a sentence. `request`: what `scripts/verify.ts` gets. */
export function verified(
  name: string,
  request: unknown,
  opts: pulumi.ComponentResourceOptions | undefined,
  parent: pulumi.Resource,
): pulumi.Output<string> {
  const verify = new command.local.Command(
    name,
    {
      create: "node scripts/verify.ts",
      stdin: JSON.stringify(request, undefined, 2),
      addPreviousOutputInEnv: false,
    },
    pulumi.mergeOptions(opts?.dependsOn === undefined ? {} : { dependsOn: opts.dependsOn }, { parent }),
  );
  return verify.stdout;
}
