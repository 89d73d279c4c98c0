import { isIPv6 } from "node:net";
import * as pulumi from "@pulumi/pulumi";
import type { Names } from "../spec/model.ts";
import type { RecordServer } from "./recordServer.ts";
import type { RecordType } from "./wire.ts";

export interface DnsRecordArgs {
  readonly server: RecordServer;
  /** Fully qualified, inside the server's zone. */
  readonly name: string;
  /** An address, IPv4 or IPv6. Plain, because it decides the record's type. Change: updates the name, at once. */
  readonly value: string;
  /** Seconds; default 60: the address of a site changes with its network, not with a failover. */
  readonly ttl?: number;
}

/** A fixed name of a site or a server. */
export class DnsRecord extends pulumi.ComponentResource {
  /** What the server answered when it was asked last. */
  readonly answer: pulumi.Output<string>;

  constructor(name: string, args: DnsRecordArgs, opts?: pulumi.ComponentResourceOptions) {
    super("understudy:dns:DnsRecord", name, {}, opts);
    const { server, value, ttl = 60 } = args;
    const kept = server.record(
      `${name}-update`,
      { name: args.name, type: typeOf(value), ttl, value },
      childOf(this, opts),
    );
    this.answer = kept.answer;
    this.registerOutputs({ answer: this.answer });
  }
}

export interface FloatingRecordArgs {
  readonly server: RecordServer;
  readonly names: Pick<Names, "floating" | "ttlSeconds">;
  /** Name of the site or region that it points to. */
  readonly site: string;
  /** What serves there. */
  readonly address: string;
}

/**
 * The name that clients use, which follows the active site or region. Let it depend on the role change: it must never point to
 * a site that is not serving yet. It is no fence: a client that remembers the old address still goes there.
 */
export class FloatingRecord extends pulumi.ComponentResource {
  /** The site that the name points to, known once the server was seen to answer so. */
  readonly site: pulumi.Output<string>;

  constructor(name: string, args: FloatingRecordArgs, opts?: pulumi.ComponentResourceOptions) {
    super("understudy:dns:FloatingRecord", name, {}, opts);
    const { server, site, address } = args;
    const { floating, ttlSeconds } = args.names;
    const kept = server.record(
      `${name}-update`,
      { name: floating, type: typeOf(address), ttl: ttlSeconds, value: address },
      childOf(this, opts),
    );
    this.site = kept.answer.apply(() => site);
    this.registerOutputs({ site: this.site });
  }
}

/** `dependsOn` is not inherited by a component's children. */
function childOf(
  parent: pulumi.Resource,
  opts?: pulumi.ComponentResourceOptions,
): pulumi.CustomResourceOptions {
  return { parent, ...(opts?.dependsOn === undefined ? {} : { dependsOn: opts.dependsOn }) };
}

function typeOf(address: string): RecordType {
  return isIPv6(address) ? "AAAA" : "A";
}
