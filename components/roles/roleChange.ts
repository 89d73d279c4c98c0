import * as command from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import type { Desired } from "./desired.ts";

export interface RoleChangeArgs {
  readonly desired: Desired;
  /**
   * Tells whether there is work: the value that the last converge left on the nodes when nothing is to be done,
   * else a new one. It is observed and never remembered, so the resource runs exactly when the plan has steps,
   * also when what is wrong (a node deleted by hand) is nothing that Pulumi's state knows of.
   */
  readonly generation: string;
}

/**
 * Who leads, who follows, with which configuration, brought about by `converge`: observe, plan, act. One resource,
 * so that the write gap and the way back are its own business and not the engine's hop between two resources.
 */
export class RoleChange extends pulumi.ComponentResource {
  /** What proves the last role change, if the last converge made one; else null, which is a value as outputs go. */
  readonly evidence: pulumi.Output<unknown>;

  constructor(name: string, args: RoleChangeArgs, opts?: pulumi.ComponentResourceOptions) {
    super("understudy:roles:RoleChange", name, {}, opts);
    this.evidence = converged(name, "scripts/converge.ts", args, opts, this);
    this.registerOutputs({ evidence: this.evidence });
  }
}

/** What `script` leaves as evidence, once it has brought about what is desired. */
export function converged(
  name: string,
  script: string,
  { generation, desired }: { readonly generation: string; readonly desired: unknown },
  opts: pulumi.ComponentResourceOptions | undefined,
  parent: pulumi.Resource,
): pulumi.Output<unknown> {
  const converge = new command.local.Command(
    name,
    {
      create: `node ${script} apply`,
      stdin: JSON.stringify({ generation, desired }, undefined, 2),
      logging: command.local.Logging.StdoutAndStderr,
      addPreviousOutputInEnv: false,
    },
    pulumi.mergeOptions(opts?.dependsOn === undefined ? {} : { dependsOn: opts.dependsOn }, { parent }),
  );
  return converge.stdout.apply(readEvidence);
}

/** `converge` prints it as one line of JSON, for this. */
export function readEvidence(account: string): unknown {
  const line = account.split("\n").findLast((candidate) => candidate.startsWith(EVIDENCE_PREFIX));
  return line === undefined ? null : JSON.parse(line.slice(EVIDENCE_PREFIX.length));
}

const EVIDENCE_PREFIX = "evidence: ";
