import * as command from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import type { KeptRecord, RecordArgs, RecordServer } from "./recordServer.ts";

export interface Rfc2136ServerArgs {
  /** How the machine that runs Pulumi reaches it, by TCP. */
  readonly host: string;
  readonly port: number;
  readonly zone: string;
  readonly keyName: string;
  /** TSIG secret for hmac-sha256, base64. Secret. */
  readonly keySecret: pulumi.Input<string>;
  /** Names what holds the zone: another value makes every record be ensured again, at no cost where it is there. */
  readonly incarnation?: pulumi.Input<string>;
}

/** What `scripts/dnsRecord.ts` reads from its standard input. */
export interface RecordRequest {
  readonly host: string;
  readonly port: number;
  readonly zone: string;
  readonly keyName: string;
  readonly keySecret: string;
  readonly incarnation: string | null;
  readonly name: string;
  readonly type: string;
  readonly ttl: number;
  readonly value: string;
}

/** A name server that takes dynamic updates signed with TSIG: bind, knot, PowerDNS, Windows DNS, … */
export class Rfc2136Server implements RecordServer {
  readonly #args: Rfc2136ServerArgs;

  constructor(args: Rfc2136ServerArgs) {
    this.#args = args;
  }

  record(name: string, args: RecordArgs, opts: pulumi.CustomResourceOptions): KeptRecord {
    const { host, port, zone, keyName, keySecret, incarnation } = this.#args;
    const request = {
      host,
      port,
      zone,
      keyName,
      keySecret: pulumi.secret(keySecret),
      incarnation: incarnation ?? null,
      name: args.name,
      type: args.type,
      ttl: args.ttl,
      value: args.value,
    } satisfies Record<keyof RecordRequest, unknown>;
    const resource = new command.local.Command(
      name,
      {
        create: "node scripts/dnsRecord.ts ensure",
        delete: "node scripts/dnsRecord.ts delete",
        // The key travels here and nowhere else: argv and environment can be read by others on the machine.
        stdin: pulumi.secret(pulumi.jsonStringify(request)),
        // Another name is another resource: the old one is deleted after the new one is there.
        triggers: [zone, args.name, args.type],
        // What it says beside its result: why it waits, or what it left alone.
        logging: command.local.Logging.Stderr,
        addPreviousOutputInEnv: false,
      },
      opts,
    );
    // Secret only because its input is: the line has the name, its value and its TTL.
    return { resource, answer: pulumi.unsecret(resource.stdout) };
  }
}
