/** What every host of a region gets, whatever its role: the agent, its files, its secrets, and the unit that runs it. */
import type * as pulumi from "@pulumi/pulumi";
import type { Account, Host, UnitArgs } from "../hosts/host.ts";
import type { NodeCertificate } from "../pki/nodeCertificate.ts";
import { CONFIG_DIRECTORY, DATA_DIRECTORY } from "../postgres/paths.ts";
import { watchdogOf } from "../spec/regional/schemaWatchdog.ts";
import type { RegionalDeployment } from "../spec/regionalModel.ts";
import { agentFiles } from "./agentSources.ts";
import { listenersOf } from "./listeners.ts";
import { AGENT, SECRET_FILES } from "./render/paths.ts";
import { type AnyHost, programOfHost, programsOf } from "./render/programs.ts";

/** By host: where it runs, what it proves itself with, and what is rendered for it. */
export interface RegionHosts {
  readonly hosts: Readonly<Record<string, Host>>;
  readonly certificates: Readonly<Record<string, NodeCertificate>>;
  readonly files: Readonly<Record<string, Readonly<Record<string, string>>>>;
  /** Whether its unit is there already. What is new takes nothing from the others by being made beside them. */
  readonly isPresent: (unit: string) => boolean;
}

export interface SetupArgs extends RegionHosts {
  readonly deployment: RegionalDeployment;
  readonly host: AnyHost;
  /** By their name below `secrets`, beside the host's certificate. Secret. */
  readonly secrets: Readonly<Record<string, pulumi.Input<string>>>;
  /** Units that have to be well before this one may be replaced. */
  readonly after: readonly pulumi.Resource[];
}

/** Defines files and unit; their names begin with the host's. */
export function setUpHost(args: SetupArgs, parent: pulumi.Resource): pulumi.Resource {
  const { deployment, host: wished } = args;
  const host = required(args.hosts, wished.name);
  const certificate = required(args.certificates, wished.name);
  const shared = { unit: wished.name, owner: accountOf[wished.role] };
  const files = host.files(
    `${wished.name}-files`,
    { ...shared, directory: "", files: required(args.files, wished.name), ownFiles: agentFiles() },
    { parent },
  );
  const secrets = host.files(
    `${wished.name}-secrets`,
    {
      ...shared,
      directory: "secrets",
      secret: true,
      files: {
        [SECRET_FILES.ca]: certificate.caBundle,
        [SECRET_FILES.certificate]: certificate.certificate,
        [SECRET_FILES.key]: certificate.privateKey,
        ...args.secrets,
      },
    },
    { parent },
  );
  return host.unit(wished.name, unitArgs(deployment, wished), {
    parent,
    dependsOn: [files, secrets, ...args.after],
  });
}

/**
 * One host at a time, in this order: a change that replaces containers finds the others well. Hosts of which none is
 * there are made all at once, because waiting for each would only cost time.
 */
export function inTurn<T extends { readonly name: string }>(
  hosts: readonly T[],
  { isPresent }: Pick<RegionHosts, "isPresent">,
  earlier: readonly pulumi.Resource[],
  make: (host: T, after: readonly pulumi.Resource[]) => pulumi.Resource,
): Record<string, pulumi.Resource> {
  const isNew = !hosts.some(({ name }) => isPresent(name));
  const units: Record<string, pulumi.Resource> = {};
  for (const host of hosts) {
    units[host.name] = make(host, isNew ? [] : [...earlier, ...Object.values(units)]);
  }
  return units;
}

const accountOf: Readonly<Record<AnyHost["role"], Account>> = {
  server: "consul",
  member: "postgres",
  proxy: "haproxy",
};

/**
 * For the most clients and server connections that `pooling` can ask for, beside HAProxy's; what systemd lets any service
 * have. One number, so that a change of `maxClients` stays a reload.
 */
const pooledOpenFiles = 524_288;

/** Beyond what its programs are given, for the agent itself. */
const agentStopSeconds = 10;

export function unitArgs(deployment: RegionalDeployment, host: AnyHost): UnitArgs {
  const programs = programsOf(deployment, host);
  return {
    program: programOfHost[host.role],
    command: [...AGENT, "run"],
    user: accountOf[host.role],
    directories: { config: CONFIG_DIRECTORY, data: DATA_DIRECTORY },
    listens: listenersOf(deployment, host),
    publish: publishedPorts(host),
    memoryMiB: host.memoryMiB,
    ...(host.role === "proxy" && host.pooledPort !== undefined && { openFiles: pooledOpenFiles }),
    devices: devicesOf(deployment, host),
    // They are stopped one after another, in the reverse of the order in which they were started.
    stopTimeoutSeconds: programs.reduce((sum, one) => sum + one.stopTimeoutSeconds, agentStopSeconds),
    health: [...AGENT, "health"],
    // Servers copy from each other, and a proxy has nothing to lose.
    stateful: host.role === "member",
  };
}

/** Patroni's watchdog, which is root's at every boot of a machine. */
function devicesOf({ database }: RegionalDeployment, { role, place }: AnyHost): readonly string[] {
  const { mode, device } = watchdogOf(database.watchdog, place.target);
  return role === "member" && mode !== "off" ? [device] : [];
}

function publishedPorts(host: AnyHost): UnitArgs["publish"] {
  if (host.role !== "proxy" || host.published === undefined) return [];
  const { write, read, pooled } = host.published;
  return [
    { port: host.writePort, publishedPort: write, protocol: "tcp" },
    { port: host.readPort, publishedPort: read, protocol: "tcp" },
    ...(host.pooledPort === undefined || pooled === undefined
      ? []
      : [{ port: host.pooledPort, publishedPort: pooled, protocol: "tcp" } as const]),
  ];
}

function required<T>(record: Readonly<Record<string, T>>, key: string): T {
  const value = record[key];
  if (value === undefined) throw new Error(`internal: nothing given for host ${key}`);
  return value;
}
