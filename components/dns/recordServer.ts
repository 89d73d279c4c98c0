/**
 * The boundary between a name and who serves it. `DnsRecord` and `FloatingRecord` are written against it: the
 * deployment's own name server and any other with RFC 2136 are one implementation, Route 53 will be another.
 */
import type * as pulumi from "@pulumi/pulumi";
import type { RecordType } from "./wire.ts";

export interface RecordServer {
  /** Defines the resource that keeps one name; it is deleted with the resource. */
  record(name: string, args: RecordArgs, opts: pulumi.CustomResourceOptions): KeptRecord;
}

export interface RecordArgs {
  /** Fully qualified. Change: the new name is made, then the old one removed. */
  readonly name: string;
  readonly type: RecordType;
  /** Seconds. */
  readonly ttl: number;
  readonly value: pulumi.Input<string>;
}

export interface KeptRecord {
  readonly resource: pulumi.Resource;
  /** Known when the server has been seen to answer with the wished value. No secret. */
  readonly answer: pulumi.Output<string>;
}
