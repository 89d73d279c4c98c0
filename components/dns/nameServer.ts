import * as pulumi from "@pulumi/pulumi";
import * as random from "@pulumi/random";
import type { Host, UnitArgs } from "../hosts/host.ts";
import type { DeploymentBase, NameServerPlace } from "../spec/model.ts";
import { endpointOf } from "./place.ts";
import { DnsRecord } from "./record.ts";
import type { RecordServer } from "./recordServer.ts";
import { Rfc2136Server } from "./rfc2136Server.ts";
import {
  CONFIG_DIRECTORY,
  DATA_DIRECTORY,
  keyFile,
  keyName,
  NAME_SERVER_ACCOUNT,
  NAME_SERVER_PORT,
  nameServerFiles,
  nameServerName,
} from "./zone.ts";

const protocols = ["tcp", "udp"] as const;

type OwnPlace = Extract<NameServerPlace, { kind: "container" | "machine" }>;

export interface NameServerArgs {
  readonly deployment: DeploymentBase;
  /** Of a server of ours. */
  readonly place: OwnPlace;
  /** Where it runs, at the place's address. */
  readonly host: Host;
}

/** The authoritative name server of the deployment's zone. It is not on the path of a query to the database. */
export class NameServer extends pulumi.ComponentResource {
  /** What records are kept with. */
  readonly endpoint: RecordServer;
  /** Depend on it to come after the server answers. */
  readonly unit: pulumi.Resource;

  constructor(name: string, args: NameServerArgs, opts?: pulumi.ComponentResourceOptions) {
    super("understudy:dns:NameServer", name, {}, opts);
    const { deployment, host, place } = args;
    // 44 letters and digits are base64 for 33 bytes, with 262 bits of chance in them: a secret for hmac-sha256.
    const key = new random.RandomPassword(`${name}-key`, { length: 44, special: false }, { parent: this });
    const files = this.#files(name, args, key.result);
    this.unit = host.unit(host.name, unitArgs(deployment, place), { parent: this, dependsOn: files });
    this.endpoint = new Rfc2136Server({
      ...required(endpointOf(place)),
      zone: deployment.domain,
      keyName: keyName(deployment),
      keySecret: key.result,
      incarnation: idOf(this.unit),
    });
    // The zone's first content has this name as well; here it follows a change of the address.
    new DnsRecord(
      `${name}-self`,
      { server: this.endpoint, name: nameServerName(deployment), value: place.address },
      { parent: this, dependsOn: [this.unit] },
    );
    this.registerOutputs({});
  }

  #files(name: string, args: NameServerArgs, secret: pulumi.Output<string>): pulumi.Resource[] {
    const { deployment, host } = args;
    const shared = { unit: host.name, owner: NAME_SERVER_ACCOUNT };
    const key = secret.apply((value) => keyFile(deployment, value));
    return [
      host.files(
        `${name}-files`,
        { ...shared, directory: "", files: nameServerFiles(deployment) },
        { parent: this },
      ),
      host.files(
        `${name}-secrets`,
        { ...shared, directory: "secrets", secret: true, files: { "tsig.key": key } },
        { parent: this },
      ),
    ];
  }
}

function unitArgs(deployment: DeploymentBase, place: OwnPlace): UnitArgs {
  // dig is content with any answer, also with a refusal; a serial number is what shows that the zone is served.
  const probe = `dig @127.0.0.1 -p ${NAME_SERVER_PORT} +short +time=2 +tries=1 SOA ${deployment.domain} | grep -q hostmaster`;
  return {
    program: "dns",
    command: ["sh", `${CONFIG_DIRECTORY}/start.sh`],
    user: NAME_SERVER_ACCOUNT,
    directories: { config: CONFIG_DIRECTORY, data: DATA_DIRECTORY },
    // Names are no secret, and a resolver that asks for a client may be anywhere.
    listens: [53, NAME_SERVER_PORT].flatMap((port) =>
      protocols.map((protocol) => ({ port, protocol, from: ["0.0.0.0/0", "::/0"] })),
    ),
    publish:
      place.kind === "machine"
        ? []
        : protocols.map((protocol) => ({
            port: NAME_SERVER_PORT,
            publishedPort: place.publishedPort,
            protocol,
          })),
    stopTimeoutSeconds: 10,
    health: ["sh", "-c", probe],
    // Its content can be made again from the stack at any time.
    stateful: false,
  };
}

function required<T>(value: T | undefined): T {
  if (value === undefined) throw new Error("internal: a name server of ours has no endpoint");
  return value;
}

function idOf(resource: pulumi.Resource): pulumi.Output<string> {
  return pulumi.CustomResource.isInstance(resource) ? resource.id : resource.urn;
}
